//! Pairs in the order of their labels.

use burn::prelude::*;

/// The rows of a batch sorted by label, with runs of equal labels marked. It carries no gradient.
#[derive(Debug, Clone)]
pub struct LabelOrder {
    /// The row at each place, labels ascending, `[n]`.
    pub rows: Tensor<1, Int>,
    /// For each place, the first place with the same label, `[n]`; also the number of smaller labels.
    pub first_equal: Tensor<1, Int>,
    /// For each place, the first place with a larger label, `[n]`; `n` if there is none.
    pub next_larger: Tensor<1, Int>,
}

impl LabelOrder {
    /// The order of the labels `[n]`.
    ///
    /// # Numerical behavior
    ///
    /// One sort, `n log n`. Labels are compared exactly.
    pub fn new(labels: Tensor<1>) -> Self {
        let ([n], device) = (labels.dims(), labels.device());
        let (sorted, rows) = labels.inner().sort_with_indices(0);
        let places = Tensor::<1, Int>::arange(0..n as i64, &device);
        if n == 1 {
            return Self { rows, first_equal: places.clone(), next_larger: places.add_scalar(1) };
        }
        let one = Tensor::<1, Bool>::from_bool([true], &device);
        // Whether the label of a place is larger than that of the place before.
        let rises = sorted.clone().slice(0..n - 1).lower(sorted.slice(1..n));
        let starts = Tensor::cat(vec![one.clone(), rises.clone()], 0);
        let ends = Tensor::cat(vec![rises, one], 0);
        let first_equal = places.clone().mask_fill(starts.bool_not(), 0).cummax(0);
        let behind = places.add_scalar(1).mask_fill(ends.bool_not(), n as i64);
        let next_larger = behind.flip([0]).cummin(0).flip([0]);
        Self { rows, first_equal, next_larger }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_labels_share_their_neighbours() {
        let order = |labels: &[f32]| LabelOrder::new(Tensor::from_floats(labels, &Device::flex()));
        let places = |places: Tensor<1, Int>| places.into_data().iter::<i64>().collect::<Vec<_>>();
        let found = order(&[2.0, 0.5, 2.0, 0.5, 1.0]);
        assert_eq!(places(found.first_equal), [0, 0, 2, 3, 3]);
        assert_eq!(places(found.next_larger), [2, 2, 3, 5, 5]);
        assert_eq!(places(found.rows)[2], 4);
        assert_eq!(places(order(&[7.0]).next_larger), [1]);
    }
}
