use burn::prelude::*;

use super::{BatchLoss, config, forward, init};
use crate::batch::LabeledBatch;
use crate::blocks::Blocks;
use crate::error::ConfigError;
use crate::geometry::Similarity;
use crate::objective::supervised_contrastive::SharedLabels;
use crate::reduction::{Reduced, Reduction, Terms};

const NAME: &str = "SupConLoss";

config! {
    /// Configuration of [`SupConLoss`].
    pub struct SupConLossConfig {
        /// Divisor of the similarities; positive.
        pub temperature: f64 = 0.1, set by with_temperature;
        /// Similarity of two rows: `Cosine` or `Dot`.
        pub similarity: Similarity = Similarity::Cosine, set by with_similarity;
        /// Memory for the scores of one block of anchors, in bytes; at least enough for one anchor. Affects
        /// memory only, never the result. `None` means
        /// [`default_budget`](crate::blocks::default_budget).
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl SupConLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `temperature` is not positive and finite, or the similarity is neither `Cosine` nor `Dot`.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_positive(NAME, "temperature", self.temperature)?;
        self.similarity.check_bilinear(NAME)
    }
}

/// Ranks every row of an anchor's class above the rows of the others: supervised contrastive learning.
///
/// ```text
/// ℓᵢ = ln Σ_{j≠i} exp zᵢⱼ − 1/|Pᵢ| Σ_{p∈Pᵢ} zᵢₚ          zᵢⱼ = s(eᵢ, eⱼ) / τ          L = mean of ℓᵢ over anchors with |Pᵢ| > 0
/// ```
///
/// `P` are the other rows of the batch with the anchor's label: several positives per anchor, all of which
/// count the same; τ is the temperature. A batch needs several rows of several labels
/// ([`GroupByLabel`](crate::sampler::GroupByLabelConfig)). An anchor without a positive has no term; a batch
/// without one has loss 0 and gradient 0. Unlike the batch-triplet losses it has no margin, and all rows
/// of other labels are negatives at once.
///
/// # Terms
///
/// One per anchor, `[n]`, 0 for one without a positive, which a mean does not count.
///
/// # Numerical behavior
///
/// A block of anchors at a time, with the gradient in closed form; no matrix of all pairs outlives a block.
///
/// # Differences
///
/// sentence-transformers has no such loss. From `SupConLoss` of pytorch-metric-learning, whose defaults these are: a
/// batch of one label has the loss of the formula (there, 0); a mean counts the terms that are 0 as well; a zero row
/// gets a zero gradient under the cosine.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::SupConLossConfig;
///
/// let device = Device::flex();
/// let rows = Tensor::<2>::from_floats([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]], &device);
/// let labels = Tensor::<1, Int>::from_ints([4, 4, 9], &device);
///
/// // Cosines 1 and 0 for the first two rows, the third has no positive: ln(e¹ + e⁰) − 1
/// let loss = SupConLossConfig::new().with_temperature(1.0).init();
/// assert!((loss.forward((rows, labels)).into_scalar::<f32>() - 0.313262).abs() < 1e-6);
/// ```
///
/// # References
///
/// - P. Khosla et al.: Supervised Contrastive Learning, 2020, <https://arxiv.org/abs/2004.11362> (L_out)
#[derive(Module, Debug)]
pub struct SupConLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: SupConLossConfig,
}

impl BatchLoss<LabeledBatch> for SupConLoss {
    #[track_caller]
    fn terms(&self, batch: LabeledBatch) -> Terms {
        let (shared, blocks) = self.prepare(batch);
        // ln Σ exp z − mean of z over the positives
        shared.terms(blocks)
    }

    #[track_caller]
    fn reduced(&self, batch: LabeledBatch, reduction: Reduction) -> Reduced {
        let (shared, blocks) = self.prepare(batch);
        shared.reduced(reduction, blocks)
    }
}

impl SupConLoss {
    #[track_caller]
    fn prepare(&self, LabeledBatch { embeddings, labels }: LabeledBatch) -> (SharedLabels, Blocks) {
        let (device, shape) = (embeddings.device(), embeddings.dims());
        let rows = self.config.similarity.prepare(embeddings);
        let shared = SharedLabels { rows, labels, scale: 1.0 / self.config.temperature };
        let bytes = shared.bytes_per_anchor();
        (shared, Blocks::within(NAME, self.config.memory_budget, &device, shape, bytes))
    }
}

init!(SupConLossConfig => SupConLoss);
forward!(
    SupConLoss,
    LabeledBatch,
    "The loss of every anchor, `[n]`; where a gradient is wanted, all scores are in memory at once."
);
