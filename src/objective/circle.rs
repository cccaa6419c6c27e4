//! Similarities of an anchor with its class towards 1, those with others towards 0, each in its own time.

use burn::prelude::*;

use super::hinge::{log_one_plus_exp, sigmoid};
use super::labeled_pairs::{PairFormula, PairTerms, log_sum_exp_of_pairs};
use crate::select::LabelMasks;

/// `ln(1 + Σₙ exp(γ [sₐₙ + m]₊ (sₐₙ − m)) · Σₚ exp(−γ [1 + m − sₐₚ]₊ (sₐₚ − 1 + m)))` for every anchor that has a
/// positive and a negative. The factors `[·]₊` are constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circle {
    /// m.
    pub margin: f64,
    /// γ.
    pub scale: f64,
}

impl PairFormula for Circle {
    fn terms(&self, similarities: Tensor<2>, masks: LabelMasks) -> PairTerms {
        let Self { margin, scale } = *self;
        let counts = masks.valid_anchors().unsqueeze_dim::<2>(1);
        // γ [1 + m − s]₊ and γ [s + m]₊
        let factor = |x: Tensor<2>| x.add_scalar(margin).clamp_min(0.0).mul_scalar(scale);
        let lacking = similarities.clone().neg().add_scalar(1.0);
        let (pull, push) = (factor(lacking.clone()), factor(similarities.clone()));
        let missing = pull.clone() * lacking.sub_scalar(margin);
        let (of_positives, shares) = log_sum_exp_of_pairs(missing, masks.positive, None);
        let pull = pull * shares;
        let excess = push.clone() * similarities.sub_scalar(margin);
        let (of_negatives, shares) = log_sum_exp_of_pairs(excess, masks.negative, None);
        let push = push * shares;
        // Two logarithms of empty sums do not add up to a number.
        let z = (of_positives + of_negatives).mask_fill(counts.clone().bool_not(), 0.0);
        let counts = counts.float().cast(z.dtype());
        PairTerms {
            values: log_one_plus_exp(z.clone()) * counts.clone(),
            slopes: (push - pull) * (sigmoid(z) * counts.clone()),
            counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::labeled_pairs::tests::agrees_with;
    use super::*;

    #[test]
    fn every_anchor_with_positives_and_negatives_is_compared_with_all_rows() {
        let (m, scale) = (0.3, 5.0);
        agrees_with(&Circle { margin: m, scale }, |positives, negatives| {
            let missing = |s: &f64| (scale * (1.0 + m - s).max(0.0) * (1.0 - m - s)).exp();
            let excess = |s: &f64| (scale * (s + m).max(0.0) * (s - m)).exp();
            let both = positives.iter().map(missing).sum::<f64>()
                * negatives.iter().map(excess).sum::<f64>();
            (!positives.is_empty() && !negatives.is_empty()).then(|| both.ln_1p())
        });
    }

    #[test]
    fn pairs_that_are_past_their_optimum_are_left_alone() {
        let device = Device::flex();
        // Without a margin: a positive at 1 and a negative at −0.5, below 0.
        let similarities = Tensor::<2>::from_floats([[1.0, 1.0, -0.5, 0.5]], &device);
        let masks = LabelMasks::of_rows(Tensor::from_ints([3, 3, 4, 4], &device), 0..1);
        let terms = Circle { margin: 0.0, scale: 2.0 }.terms(similarities, masks);
        let slopes = terms.slopes.into_data().iter::<f32>().collect::<Vec<_>>();
        assert_eq!(slopes[..3], [0.0; 3]);
        // e⁰ + e^(2 · ½ · ½), whose share of the slope 2 · ½ it has by σ(ln Σ)
        let sum = 1.0 + 0.5f32.exp();
        let expected = 0.5f32.exp() / (1.0 + sum);
        assert!((slopes[3] - expected).abs() < 1e-6, "{slopes:?}");
    }
}
