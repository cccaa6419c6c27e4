use burn::prelude::*;

use super::Activation;
use crate::batch::LogitBatch;
use crate::error::ConfigError;
use crate::losses::{BatchLoss, config, forward, init};
use crate::objective::regression::weighted_binary_cross_entropy;
use crate::reduction::{Reduction, Terms};

config! {
    /// Configuration of [`BinaryCrossEntropyLoss`].
    pub struct BinaryCrossEntropyLossConfig {
        /// Function of the logits before the loss, which takes the sigmoid itself.
        #[serde(alias = "activation_fn")]
        pub activation: Activation = Activation::Identity, set by with_activation;
        /// Weight of relevant pairs; positive. With one relevant in `n` pairs, `n − 1` balances them.
        #[serde(alias = "pos_weight")]
        pub positive_weight: Option<f64> = None, set by with_positive_weight;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl BinaryCrossEntropyLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `positive_weight` is not positive and finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_positive(
            "BinaryCrossEntropyLoss",
            "positive_weight",
            self.positive_weight.unwrap_or(1.0),
        )
    }
}

/// Tells relevant documents from others, one pair at a time.
///
/// ```text
/// ℓᵢ = −w yᵢ ln σ(zᵢ) − (1 − yᵢ) ln(1 − σ(zᵢ))          L = 1/n Σᵢ ℓᵢ
/// ```
///
/// `z` are logits, `y` labels in `[0, 1]`, `w` is `positive_weight`. Labels need not be 0 or 1: a
/// teacher's probability is learnt as such.
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
/// use burn_embedding_losses::reranking::BinaryCrossEntropyLossConfig;
///
/// let device = Device::flex();
/// let logits = Tensor::<1>::from_floats([0.0, 100.0], &device);
/// let labels = Tensor::<1>::from_floats([1.0, 1.0], &device);
///
/// // ln 2, and nothing for a document that is surely relevant.
/// let loss = BinaryCrossEntropyLossConfig::new().init().forward((logits, labels));
/// assert!((loss.into_scalar::<f32>() - 2f32.ln() / 2.0).abs() < 1e-6);
/// ```
///
/// # References
///
/// - R. Nogueira, K. Cho: Passage Re-ranking with BERT, 2019, <https://arxiv.org/abs/1901.04085>
#[derive(Module, Debug)]
pub struct BinaryCrossEntropyLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: BinaryCrossEntropyLossConfig,
}

impl BatchLoss<LogitBatch> for BinaryCrossEntropyLoss {
    fn terms(&self, batch: LogitBatch) -> Terms {
        batch.warn_outside("BinaryCrossEntropyLoss", 0.0..=1.0);
        let LogitBatch { logits, labels } = batch;
        let logits = self.config.activation.apply(logits);
        let weight = self.config.positive_weight.unwrap_or(1.0);
        // −w y ln σ(z) − (1 − y) ln(1 − σ(z))
        Terms::all(weighted_binary_cross_entropy(logits, labels, weight).squeeze_dim(1))
    }
}

init!(BinaryCrossEntropyLossConfig => BinaryCrossEntropyLoss);
forward!(BinaryCrossEntropyLoss, LogitBatch, "The loss of every pair, `[n]`.");
