use burn::prelude::*;

use super::Activation;
use crate::batch::ListBatch;
use crate::blocks::Blocks;
use crate::error::ConfigError;
use crate::losses::{WholeBatchLoss, config, forward, init};
use crate::objective::lambda::pair_bytes;
use crate::objective::list::rank_error;
use crate::reduction::Reduced;

const NAME: &str = "ADRMSELoss";

config! {
    /// Configuration of [`AdrMseLoss`].
    pub struct AdrMseLossConfig {
        /// How sharply scores decide the rank; positive.
        pub alpha: f64 = 1.0, set by with_alpha;
        /// Function of the logits before they are compared.
        #[serde(alias = "activation_fn")]
        pub activation: Activation = Activation::Identity, set by with_activation;
        /// Memory for the pairs in one block of documents, in bytes; at least enough for one document,
        /// 320 bytes per document of the longest list (160 in `f32`). Affects memory only, never the result.
        /// `None` means [`default_budget`](crate::blocks::default_budget).
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
    }
}

impl AdrMseLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `alpha` is not positive and finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_positive(NAME, "alpha", self.alpha)
    }
}

/// Brings the ranks of the scores to those of the labels, the first places above all.
///
/// ```text
/// π̂ᵢ = 1 + Σ_{j ≠ i} σ(α (zⱼ − zᵢ))          L = 1/#{documents} Σᵢ (πᵢ − π̂ᵢ)² / log₂(1 + πᵢ)
/// ```
///
/// `π` are the ranks of the labels, largest first; equal labels share the mean of their ranks. `π̂` are soft
/// ranks of the scores within the list.
///
/// # Terms
///
/// None: the loss is one number for the whole batch. A long list counts by its documents.
///
/// # Differences
///
/// None.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::ListBatch;
/// use burn_embedding_losses::reranking::AdrMseLossConfig;
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[99.0, -99.0]], &device);
/// let loss = AdrMseLossConfig::new().init();
///
/// let value = |labels| loss.forward(ListBatch::new(logits.clone(), labels, &[2])).into_scalar::<f32>();
/// assert!(value(Tensor::from_floats([[1.0, 0.0]], &device)) < 1e-6);
/// assert!(value(Tensor::from_floats([[0.0, 1.0]], &device)) > 0.5);
/// ```
///
/// # References
///
/// - A. Reddy et al.: Rank-DistiLLM, 2024, <https://arxiv.org/abs/2405.07920>
#[derive(Module, Debug)]
pub struct AdrMseLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: AdrMseLossConfig,
}

impl WholeBatchLoss<ListBatch> for AdrMseLoss {
    #[track_caller]
    fn reduced(&self, batch: ListBatch) -> Reduced {
        let AdrMseLossConfig { alpha, activation, memory_budget } = self.config;
        let [lists, longest] = batch.logits.dims();
        let shape = [lists * longest, longest];
        let (device, bytes) = (batch.logits.device(), pair_bytes(&batch.logits));
        let blocks = Blocks::within(NAME, memory_budget, &device, shape, bytes);
        // Σ (π − π̂)² / log₂(1 + π) / #{documents}
        rank_error(batch.activated(activation), alpha, blocks)
    }
}

init!(AdrMseLossConfig => AdrMseLoss);
forward!(AdrMseLoss, ListBatch);
