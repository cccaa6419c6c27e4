//! Hard pairs among labelled pairs.

use burn::prelude::*;

use crate::numeric::lowest_number;

/// The pairs that OnlineContrastiveLoss keeps, both `[n]`.
#[derive(Debug, Clone)]
pub struct OnlineSelection {
    /// Positive pairs farther apart than the closest negative pair.
    pub hard_positive: Tensor<1, Bool>,
    /// Negative pairs closer than the farthest positive pair.
    pub hard_negative: Tensor<1, Bool>,
}

/// Hard positive and hard negative pairs by their distances and labels, both `[n]`.
///
/// A label 1 is a positive pair, 0 a negative one, anything else is left out. Without a negative
/// pair the positive ones are measured against their own mean distance, and the other way round.
///
/// # Numerical behavior
///
/// Comparisons are strict, and the mean of equal distances is exactly that distance.
pub fn online_selection(distances: Tensor<1>, labels: Tensor<1>) -> OnlineSelection {
    let d = distances.inner();
    let (positive, negative) = (labels.clone().equal_elem(1.0), labels.equal_elem(0.0));
    let nearest_negative = extreme_or_mean(d.clone().neg(), &negative, &positive).neg();
    let farthest_positive = extreme_or_mean(d.clone(), &positive, &negative);
    OnlineSelection {
        hard_positive: d.clone().greater(nearest_negative).bool_and(positive),
        hard_negative: d.lower(farthest_positive).bool_and(negative),
    }
}

/// The largest of the values in `of`; if there are none, the mean of those in `otherwise`. `[1]`.
fn extreme_or_mean(v: Tensor<1>, of: &Tensor<1, Bool>, otherwise: &Tensor<1, Bool>) -> Tensor<1> {
    let lowest = lowest_number(v.dtype());
    let largest = v.clone().mask_fill(of.clone().bool_not(), lowest).max();

    let left_out = otherwise.clone().bool_not();
    let base = v.clone().mask_fill(left_out.clone(), lowest).max();
    let base = base.clone().mask_fill(base.equal_elem(lowest), 0.0);
    let count = otherwise.clone().float().cast(v.dtype()).sum().clamp_min(1.0);
    // Summed as distances from one of them, so that equal values have exactly that mean.
    let mean = base.clone() + (v - base).mask_fill(left_out, 0.0).sum() / count;
    largest.mask_where(of.clone().any().bool_not(), mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(distances: &[f32], labels: &[f32]) -> (Vec<bool>, Vec<bool>) {
        let tensor = |values: &[f32]| Tensor::<1>::from_floats(values, &Device::flex());
        let selection = online_selection(tensor(distances), tensor(labels));
        let flags = |mask: Tensor<1, Bool>| mask.into_data().iter::<bool>().collect();
        (flags(selection.hard_positive), flags(selection.hard_negative))
    }

    #[test]
    fn hard_pairs_lie_on_the_wrong_side_of_the_other_label() {
        let (positive, negative) = select(&[0.1, 0.6, 0.3, 0.9, 0.5], &[1.0, 1.0, 0.0, 0.0, 0.5]);
        assert_eq!(positive, [false, true, false, false, false]);
        assert_eq!(negative, [false, false, true, false, false]);
    }

    #[test]
    fn pairs_of_one_label_are_measured_against_their_mean() {
        assert_eq!(select(&[0.1, 0.6, 0.2], &[1.0; 3]).0, [false, true, false]);
        assert_eq!(select(&[0.1, 0.6, 0.2], &[0.0; 3]).1, [true, false, true]);
    }

    #[test]
    fn equal_distances_are_never_hard() {
        for label in [0.0, 1.0] {
            let (positive, negative) = select(&[0.1; 7], &[label; 7]);
            assert!(positive.iter().chain(&negative).all(|&hard| !hard));
        }
    }
}
