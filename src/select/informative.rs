//! The pairs of an anchor that are not yet apart.

use burn::prelude::*;

use super::LabelMasks;
use crate::numeric::lowest_number;

/// The positives of each anchor that are not more similar to it than all of its negatives, and the negatives that are not
/// less similar than all of its positives, by more than `margin`.
///
/// An anchor without a positive or without a negative has no such pair.
///
/// # Shapes
///
/// similarities `[anchors, n]`, masks `[anchors, n]` → masks `[anchors, n]`
pub fn informative_pairs(similarities: &Tensor<2>, masks: LabelMasks, margin: f64) -> LabelMasks {
    let similarities = similarities.clone().inner();
    let LabelMasks { positive, negative } = masks;
    let lowest = lowest_number(similarities.dtype());
    let nearest_negative =
        similarities.clone().mask_fill(negative.clone().bool_not(), lowest).max_dim(1);
    let farthest_positive =
        similarities.clone().mask_fill(positive.clone().bool_not(), -lowest).min_dim(1);
    let near_negatives = similarities.clone().sub_scalar(margin).lower(nearest_negative);
    let near_positives = similarities.add_scalar(margin).greater(farthest_positive);
    LabelMasks {
        positive: positive.bool_and(near_negatives),
        negative: negative.bool_and(near_positives),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_are_apart_by_more_than_the_margin_are_left_out() {
        let device = Device::flex();
        let labels = Tensor::from_ints([4, 4, 4, 7, 7, 8], &device);
        let row = [1.0, 0.9, 0.5, 0.45, 0.6, 0.7];
        let similarities = Tensor::<2>::from_floats([row], &device);
        let found = |margin, anchor: usize| {
            let masks = LabelMasks::of_rows(labels.clone(), anchor..anchor + 1);
            let found = informative_pairs(&similarities, masks, margin);
            let places = |mask: Tensor<2, Bool>| {
                let flags = mask.into_data().iter::<bool>().collect::<Vec<_>>();
                (0..6).filter(|&j| flags[j]).collect::<Vec<_>>()
            };
            (places(found.positive), places(found.negative))
        };
        assert_eq!(found(0.0, 0), (vec![2], vec![4, 5]));
        assert_eq!(found(0.1, 0), (vec![2], vec![3, 4, 5]));
        assert_eq!(found(0.3, 0), (vec![1, 2], vec![3, 4, 5]));
        // The only row of its class.
        assert_eq!(found(0.1, 5), (vec![], vec![]));
    }
}
