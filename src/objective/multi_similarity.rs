//! Similarities of an anchor with its class above a threshold, and those with others below it.

use burn::prelude::*;

use super::labeled_pairs::{PairFormula, PairTerms, log_sum_exp_of_pairs};
use crate::numeric::lowest_number;
use crate::select::{LabelMasks, informative_pairs};

/// `1/α ln(1 + Σₚ exp(−α (sₐₚ − λ))) + 1/β ln(1 + Σₙ exp(β (sₐₙ − λ)))` for every anchor. All anchors count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MultiSimilarity {
    /// α.
    pub positive_scale: f64,
    /// β.
    pub negative_scale: f64,
    /// λ.
    pub threshold: f64,
    /// ε of [`informative_pairs`], the only ones that are added up; all of them if `None`.
    pub mining_margin: Option<f64>,
}

impl PairFormula for MultiSimilarity {
    fn terms(&self, similarities: Tensor<2>, masks: LabelMasks) -> PairTerms {
        let masks = match self.mining_margin {
            Some(margin) => informative_pairs(&similarities, masks, margin),
            None => masks,
        };
        let [anchors, _] = similarities.dims();
        let counts = Tensor::ones([anchors, 1], (&similarities.device(), similarities.dtype()));
        let above = similarities.sub_scalar(self.threshold);
        let (attract, pull) = excess(above.clone().neg(), masks.positive, self.positive_scale);
        let (repel, push) = excess(above, masks.negative, self.negative_scale);
        PairTerms { values: attract + repel, slopes: push - pull, counts }
    }
}

/// `1/t ln(1 + Σ exp(t x))` over the pairs of each row, `[anchors, 1]`, and its derivative, `[anchors, n]`.
fn excess(x: Tensor<2>, pairs: Tensor<2, Bool>, t: f64) -> (Tensor<2>, Tensor<2>) {
    // Shifted before they are scaled: t x may be too large for its type where the result is not.
    let lowest = lowest_number(x.dtype());
    let largest = x.clone().mask_fill(pairs.clone().bool_not(), lowest).max_dim(1).clamp_min(0.0);
    let z = (x - largest.clone()).mul_scalar(t).clamp_min(lowest);
    let one = largest.clone().mul_scalar(-t).clamp_min(lowest);
    let (logarithm, slopes) = log_sum_exp_of_pairs(z, pairs, Some(one));
    (logarithm.div_scalar(t) + largest, slopes)
}

#[cfg(test)]
mod tests {
    use super::super::labeled_pairs::tests::agrees_with;
    use super::*;

    fn excess_of(x: &[f64], t: f64) -> f64 {
        x.iter().map(|x| (t * x).exp()).sum::<f64>().ln_1p() / t
    }

    #[test]
    fn every_anchor_is_compared_with_all_rows() {
        let formula = MultiSimilarity {
            positive_scale: 2.0,
            negative_scale: 7.0,
            threshold: 0.1,
            mining_margin: None,
        };
        agrees_with(&formula, |positives, negatives| {
            let below: Vec<_> = positives.iter().map(|s| 0.1 - s).collect();
            let above: Vec<_> = negatives.iter().map(|s| s - 0.1).collect();
            Some(excess_of(&below, 2.0) + excess_of(&above, 7.0))
        });
    }

    #[test]
    fn only_informative_pairs_count_if_they_are_mined() {
        let formula = MultiSimilarity {
            positive_scale: 2.0,
            negative_scale: 7.0,
            threshold: 0.1,
            mining_margin: Some(0.05),
        };
        agrees_with(&formula, |positives, negatives| {
            let nearest = negatives.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let farthest = positives.iter().copied().fold(f64::INFINITY, f64::min);
            let hard = positives.iter().filter(|&s| s - 0.05 < nearest);
            let below: Vec<_> = hard.map(|s| 0.1 - s).collect();
            let hard = negatives.iter().filter(|&s| s + 0.05 > farthest);
            let above: Vec<_> = hard.map(|s| s - 0.1).collect();
            Some(excess_of(&below, 2.0) + excess_of(&above, 7.0))
        });
    }

    #[test]
    fn a_scaled_similarity_may_overflow() {
        let device = Device::flex();
        let x = Tensor::<2>::from_floats([[3e37, -3e37], [-3e37, -3e37]], &device);
        let (values, slopes) = excess(x.clone(), x.clone().equal(x), 50.0);
        assert_eq!(values.into_data().iter::<f32>().collect::<Vec<_>>(), [3e37, 0.0]);
        assert_eq!(slopes.into_data().iter::<f32>().collect::<Vec<_>>(), [1.0, 0.0, 0.0, 0.0]);
    }
}
