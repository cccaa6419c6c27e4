use burn::prelude::*;

use super::Activation;
use crate::batch::LogitBatch;
use crate::error::ConfigError;
use crate::losses::{BatchLoss, config, forward, init};
use crate::objective::regression::squared_error;
use crate::reduction::{Reduction, Terms};

config! {
    /// Configuration of a reranker's [`MseLoss`].
    pub struct MseLossConfig {
        /// Function of the logits before they are compared: `Sigmoid` for labels in `[0, 1]`.
        #[serde(alias = "activation_fn")]
        pub activation: Activation = Activation::Identity, set by with_activation;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl MseLossConfig {
    /// Every configuration is valid; here so that all configurations can be checked alike.
    ///
    /// # Errors
    ///
    /// Never.
    pub fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

/// Makes the score of a pair equal to the score a teacher gives it.
///
/// ```text
/// ℓᵢ = (zᵢ − yᵢ)²          L = 1/n Σᵢ ℓᵢ
/// ```
///
/// # Terms
///
/// One per pair, `[n]`.
///
/// # Differences
///
/// None.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::reranking::MseLossConfig;
///
/// let device = Device::flex();
/// let logits = Tensor::<1>::from_floats([1.0, 2.0], &device);
/// let teacher = Tensor::<1>::from_floats([1.0, 4.0], &device);
///
/// // (0² + 2²) / 2
/// let loss = MseLossConfig::new().init().forward((logits, teacher));
/// assert_eq!(loss.into_scalar::<f32>(), 2.0);
/// ```
///
/// # References
///
/// - S. Hofstätter et al.: Improving Efficient Neural Ranking Models with Cross-Architecture
///   Knowledge Distillation, 2020, <https://arxiv.org/abs/2010.02666>
#[derive(Module, Debug)]
pub struct MseLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: MseLossConfig,
}

impl BatchLoss<LogitBatch> for MseLoss {
    fn terms(&self, LogitBatch { logits, labels }: LogitBatch) -> Terms {
        // (z − y)²
        Terms::all(squared_error(self.config.activation.apply(logits), labels).squeeze_dim(1))
    }
}

init!(MseLossConfig => MseLoss);
forward!(MseLoss, LogitBatch, "The squared error of every pair, `[n]`.");
