use burn::prelude::*;

use super::Activation;
use crate::batch::CandidateMarginBatch;
use crate::error::ConfigError;
use crate::losses::{BatchLoss, config, forward, init};
use crate::objective::regression::squared_error;
use crate::reduction::{Reduction, Terms};

config! {
    /// Configuration of a reranker's [`MarginMseLoss`].
    pub struct MarginMseLossConfig {
        /// Function of the logits before they are subtracted.
        #[serde(alias = "activation_fn")]
        pub activation: Activation = Activation::Identity, set by with_activation;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl MarginMseLossConfig {
    /// Every configuration is valid; here so that all configurations can be checked alike.
    ///
    /// # Errors
    ///
    /// Never.
    pub fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

/// Makes the margin between a positive and a negative equal to the margin a teacher sees.
///
/// ```text
/// ℓᵢₖ = (zᵢ₀ − zᵢₖ − yᵢₖ)²          L = 1/(n k) Σᵢₖ ℓᵢₖ
/// ```
///
/// `zᵢ₀` is the logit of the positive. The teacher gives margins `y`, `[n]` or `[n, k]`, or its scores of the
/// positive and the k negatives, `[n, k + 1]`.
///
/// # Terms
///
/// One per query and negative, `[n k]`, those of a query side by side.
///
/// # Differences
///
/// None.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::reranking::MarginMseLossConfig;
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[5.0, 1.0]], &device);
/// let margin = Tensor::<1>::from_floats([3.5], &device);
///
/// // (5 − 1 − 3.5)²
/// let loss = MarginMseLossConfig::new().init().forward((logits, margin));
/// assert_eq!(loss.into_scalar::<f32>(), 0.25);
/// ```
///
/// # References
///
/// - S. Hofstätter et al.: Improving Efficient Neural Ranking Models with Cross-Architecture
///   Knowledge Distillation, 2020, <https://arxiv.org/abs/2010.02666>
#[derive(Module, Debug)]
pub struct MarginMseLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: MarginMseLossConfig,
}

impl BatchLoss<CandidateMarginBatch> for MarginMseLoss {
    fn terms(&self, CandidateMarginBatch { logits, margins }: CandidateMarginBatch) -> Terms {
        let scores = self.config.activation.apply(logits);
        let [n, candidates] = scores.dims();
        // z₀ − zₖ − yₖ
        let margin = scores.clone().slice([0..n, 0..1]) - scores.slice([0..n, 1..candidates]);
        Terms::all(squared_error(margin, margins).flatten(0, 1))
    }
}

init!(MarginMseLossConfig => MarginMseLoss);
forward!(MarginMseLoss, CandidateMarginBatch, "The loss of every query and negative, `[n k]`.");
