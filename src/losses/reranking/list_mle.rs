use burn::prelude::*;

use super::{Activation, PListMleLossConfig, RankWeights};
use crate::batch::ListBatch;
use crate::error::ConfigError;
use crate::losses::{BatchLoss, config, forward, init};
use crate::reduction::{Reduction, Terms};

config! {
    /// Configuration of [`ListMleLoss`].
    pub struct ListMleLossConfig {
        /// Whether the documents of a list come in the order that is wanted, so that labels are not looked at;
        /// otherwise labels give the order, largest first, equal ones as they come.
        pub respect_input_order: bool = true, set by with_respect_input_order;
        /// Function of the logits before the loss.
        #[serde(alias = "activation_fn")]
        pub activation: Activation = Activation::Identity, set by with_activation;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl ListMleLossConfig {
    /// Every configuration is valid; here so that all configurations can be checked alike.
    ///
    /// # Errors
    ///
    /// Never.
    pub fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

/// Makes the order of a list likely, all places alike.
///
/// ```text
/// ℓ_q = −Σ_r (z₍ᵣ₎ − ln Σ_{t ≥ r} exp(z₍ₜ₎))          L = 1/n Σ_q ℓ_q
/// ```
///
/// It is [`PListMleLoss`](super::PListMleLoss) without weights: the documents at the end of a list, whose
/// order hardly matters, count as much as the first.
///
/// # Terms
///
/// One per list, `[n]`; 0 for a list of one document or none.
///
/// # Differences
///
/// From sentence-transformers: as for [`PListMleLoss`](super::PListMleLoss).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::ListBatch;
/// use burn_embedding_losses::reranking::ListMleLossConfig;
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::zeros([1, 3], &device);
/// let labels = Tensor::<2>::from_floats([[3.0, 2.0, 1.0]], &device);
///
/// // One order of 3 · 2 · 1 that are all as likely.
/// let loss = ListMleLossConfig::new().init().forward(ListBatch::new(logits, labels, &[3]));
/// assert!((loss.into_scalar::<f32>() - 6f32.ln()).abs() < 1e-6);
/// ```
///
/// # References
///
/// - F. Xia et al.: Listwise Approach to Learning to Rank: Theory and Algorithm, 2008,
///   <https://dl.acm.org/doi/10.1145/1390156.1390306>
#[derive(Module, Debug)]
pub struct ListMleLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: ListMleLossConfig,
}

impl BatchLoss<ListBatch> for ListMleLoss {
    #[track_caller]
    fn terms(&self, batch: ListBatch) -> Terms {
        let ListMleLossConfig { respect_input_order, activation, .. } = self.config;
        PListMleLossConfig::new()
            .with_weights(RankWeights::Equal)
            .with_respect_input_order(respect_input_order)
            .with_activation(activation)
            .init()
            .terms(batch)
    }
}

init!(ListMleLossConfig => ListMleLoss);
forward!(ListMleLoss, ListBatch, "The loss of every list, `[n]`.");
