use core::ops::RangeInclusive;

use burn::prelude::*;
use burn::tensor::activation;
use serde::{Deserialize, Serialize};

use super::{BatchLoss, config, forward, init};
use crate::batch::PairBatch;
use crate::error::ConfigError;
use crate::geometry::Similarity;
use crate::objective::regression::{
    absolute_error, binary_cross_entropy, binary_cross_entropy_with_logits, huber, squared_error,
};
use crate::reduction::{Reduction, Terms};

/// The error between a score and its target: `loss_fct` of sentence-transformers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ScoreError {
    /// `(s − y)²`.
    #[serde(alias = "MSELoss")]
    SquaredError,
    /// `|s − y|`.
    #[serde(alias = "L1Loss")]
    AbsoluteError,
    /// `½ (s − y)²` up to `delta`, linear beyond.
    Huber {
        /// Where the error becomes linear; positive.
        delta: f64,
    },
    /// `−y ln s − (1 − y) ln(1 − s)`, for scores and targets in `[0, 1]`.
    #[serde(alias = "BCELoss")]
    BinaryCrossEntropy,
    /// Binary cross-entropy of `sigmoid(s)`, for targets in `[0, 1]`.
    #[serde(alias = "BCEWithLogitsLoss")]
    BinaryCrossEntropyWithLogits,
}

/// A function of the cosine, applied before it is compared with the score:
/// `cos_score_transformation` of sentence-transformers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScoreTransformation {
    /// `c`, in `[-1, 1]`.
    Identity,
    /// `1 / (1 + e⁻ᶜ)`, in `[0.27, 0.73]`.
    Sigmoid,
    /// `tanh c`, in `[-0.76, 0.76]`.
    Tanh,
    /// `max(0, c)`, in `[0, 1]`.
    #[serde(alias = "ReLU")]
    Relu,
    /// `(1 + c) / 2`, in `[0, 1]`.
    UnitInterval,
}

impl ScoreTransformation {
    fn apply(self, cosine: Tensor<1>) -> Tensor<1> {
        match self {
            Self::Identity => cosine,
            // Not `activation::sigmoid`: where a backend has none of its own, as ndarray, Burn
            // 0.22.1 computes it in `f32` even for `f64` tensors.
            Self::Sigmoid => {
                activation::tanh(cosine.mul_scalar(0.5)).add_scalar(1.0).mul_scalar(0.5)
            }
            Self::Tanh => activation::tanh(cosine),
            // A cosine may exceed 1 by rounding.
            Self::Relu => activation::relu(cosine).clamp_max(1.0),
            Self::UnitInterval => cosine.add_scalar(1.0).mul_scalar(0.5).clamp(0.0, 1.0),
        }
    }

    /// From the value that cosine −1 becomes to that of cosine 1, or wider.
    fn range(self) -> RangeInclusive<f64> {
        if self.is_a_probability() { 0.0..=1.0 } else { -1.0..=1.0 }
    }

    fn is_a_probability(self) -> bool {
        matches!(self, Self::Sigmoid | Self::Relu | Self::UnitInterval)
    }
}

config! {
    /// Configuration of [`CosineSimilarityLoss`].
    pub struct CosineSimilarityLossConfig {
        /// Error between the transformed cosine and its target score.
        pub score_error: ScoreError = ScoreError::SquaredError, set by with_score_error;
        /// Applied to the cosine first.
        #[serde(alias = "cos_score_transformation")]
        pub transformation: ScoreTransformation = ScoreTransformation::Identity, set by with_transformation;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl CosineSimilarityLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `delta` of the Huber error is not positive and finite, or the binary cross-entropy is
    /// asked for on scores that are not in `[0, 1]`.
    pub fn check(&self) -> Result<(), ConfigError> {
        const NAME: &str = "CosineSimilarityLoss";
        match self.score_error {
            ScoreError::Huber { delta } => ConfigError::unless(
                delta > 0.0 && delta.is_finite(),
                NAME,
                "delta",
                "must be positive",
                delta,
            ),
            ScoreError::BinaryCrossEntropy => ConfigError::unless(
                self.transformation.is_a_probability(),
                NAME,
                "transformation",
                "must map into [0, 1] (Sigmoid, Relu or UnitInterval) for BinaryCrossEntropy",
                format_args!("{:?}", self.transformation),
            ),
            _ => Ok(()),
        }
    }
}

/// Makes the cosine of a pair equal to a given score.
///
/// ```text
/// ℓᵢ = (f(cos(uᵢ, vᵢ)) − yᵢ)²          L = 1/n Σᵢ ℓᵢ
/// ```
///
/// `f` is the identity unless another [`ScoreTransformation`] is chosen; the square may be replaced
/// by another [`ScoreError`]. Scale human scores to the range of `f`, for instance 0 to 5 to 0 to 1:
/// [`PairBatch::check_scores`] finds scores outside it, and a debug build prints a warning the first
/// time, or panics where the error is a binary cross-entropy.
///
/// # Terms
///
/// One per pair, `[n]`.
///
/// # Differences
///
/// From sentence-transformers: the cosine of a row shorter than 1e-8 is the true one down to
/// 1e-12; a zero row gets a zero gradient (there: up to 1e8); `Relu` also holds a cosine that
/// rounding puts above 1 at 1.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::CosineSimilarityLossConfig;
///
/// let device = Device::flex();
/// let left = Tensor::<2>::from_floats([[3.0, 4.0]], &device);
/// let right = Tensor::<2>::from_floats([[4.0, 3.0]], &device);
/// let scores = Tensor::<1>::from_floats([0.46], &device);
///
/// // (0.96 − 0.46)²
/// let loss = CosineSimilarityLossConfig::new().init().forward((left, right, scores));
/// assert!((loss.into_scalar::<f32>() - 0.25).abs() < 1e-6);
/// ```
///
/// # References
///
/// - N. Reimers, I. Gurevych: Sentence-BERT, 2019, <https://arxiv.org/abs/1908.10084>
#[derive(Module, Debug)]
pub struct CosineSimilarityLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: CosineSimilarityLossConfig,
}

impl BatchLoss<PairBatch> for CosineSimilarityLoss {
    #[track_caller]
    fn terms(&self, batch: PairBatch) -> Terms {
        self.look_at_scores(&batch);
        let PairBatch { left, right, labels } = batch;
        // f(cos(u, v))
        let cosine = Similarity::Cosine.paired(left, right);
        let score = self.config.transformation.apply(cosine);
        // (f(cos(u, v)) − y)²
        Terms::all(match self.config.score_error {
            ScoreError::SquaredError => squared_error(score, labels),
            ScoreError::AbsoluteError => absolute_error(score, labels),
            ScoreError::Huber { delta } => huber(score, labels, delta),
            ScoreError::BinaryCrossEntropy => binary_cross_entropy(score, labels),
            ScoreError::BinaryCrossEntropyWithLogits => {
                binary_cross_entropy_with_logits(score, labels)
            }
        })
    }
}

impl CosineSimilarityLoss {
    /// In a debug build, looks for scores that a cosine cannot reach.
    #[track_caller]
    fn look_at_scores(&self, batch: &PairBatch) {
        let CosineSimilarityLossConfig { score_error, transformation, .. } = &self.config;
        match score_error {
            ScoreError::BinaryCrossEntropy | ScoreError::BinaryCrossEntropyWithLogits => {
                batch.require_within(0.0..=1.0);
            }
            _ => batch.warn_outside("CosineSimilarityLoss", transformation.range()),
        }
    }
}

init!(CosineSimilarityLossConfig => CosineSimilarityLoss);
forward!(CosineSimilarityLoss, PairBatch, "The loss of every pair, `[n]`.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "`transformation` must map into [0, 1]")]
    fn cross_entropy_needs_probabilities() {
        CosineSimilarityLossConfig::new().with_score_error(ScoreError::BinaryCrossEntropy).init();
    }
}
