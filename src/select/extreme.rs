//! The farthest and the closest of some candidates.

use burn::prelude::*;
use burn::tensor::FloatDType;

use crate::kernels::Chosen;
use crate::numeric::{lowest_number, rounding_slack};

/// For every row of `values`, the first of the largest among `candidates`.
///
/// # Shapes
///
/// `[n, m]`, `[n, m]` → indices `[n]`
///
/// # Numerical behavior
///
/// Values within rounding error of the largest count as equal to it, so that ties (duplicate
/// rows) are broken the same way on every backend: the first wins, as in PyTorch on the CPU.
pub fn farthest(values: Tensor<2>, candidates: Tensor<2, Bool>) -> Chosen {
    let values = values.inner();
    let lowest = lowest_number(values.dtype());
    let top = values.clone().mask_fill(candidates.clone().bool_not(), lowest).max_dim(1);
    let slack = rounding_slack(&top);
    first_of(values.greater_equal(top - slack).bool_and(candidates))
}

/// For every row of `values`, the first of the smallest among `candidates`; see [`farthest`].
///
/// # Shapes
///
/// `[n, m]`, `[n, m]` → indices `[n]`
pub fn closest(values: Tensor<2>, candidates: Tensor<2, Bool>) -> Chosen {
    farthest(values.neg(), candidates)
}

/// The first index of each row at which the mask holds.
fn first_of(mask: Tensor<2, Bool>) -> Chosen {
    let [n, m] = mask.dims();
    let columns = Tensor::<1, Int>::arange(0..m as i64, &mask.device());
    // As `f32`, exact up to 2²⁴ columns: searching floats is many times faster than integers.
    let columns = columns.cast(FloatDType::F32).unsqueeze_dim::<2>(0).expand([n, m]);
    let first = columns.mask_fill(mask.bool_not(), m as f64).min_dim(1).squeeze_dim::<1>(1);
    let exists = first.clone().lower_elem(m as f64);
    Chosen::new(first.clamp_max(m as f64 - 1.0).int(), exists)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices(chosen: &Chosen) -> (Vec<i64>, Vec<bool>) {
        let index = chosen.index().into_data().iter::<i64>().collect();
        (index, chosen.exists().into_data().iter::<bool>().collect())
    }

    #[test]
    fn ties_go_to_the_first_and_nothing_is_chosen_from_nothing() {
        let device = Device::flex();
        let values = Tensor::<2>::from_floats([[2.0, 3.0, 3.0], [9.0, 1.0, 1.0]], &device);
        let candidates = Tensor::<2, Int>::from_ints([[1, 1, 1], [0, 0, 0]], &device).bool();
        assert_eq!(indices(&farthest(values.clone(), candidates.clone())).0[0], 1);
        assert_eq!(indices(&closest(values.clone(), candidates.clone())).0[0], 0);
        assert_eq!(indices(&farthest(values, candidates)).1, [true, false]);
    }

    #[test]
    fn values_that_differ_by_rounding_are_a_tie() {
        let values = [[1.0, 1.0 + f32::EPSILON, 0.5]];
        let values = Tensor::<2>::from_floats(values, &Device::flex());
        let candidates = values.clone().greater_elem(0.0);
        assert_eq!(indices(&farthest(values, candidates)).0, [0]);
    }
}
