use burn::prelude::*;

use super::{BatchLoss, config, forward, init};
use crate::batch::LabeledBatch;
use crate::blocks::Blocks;
use crate::error::ConfigError;
use crate::geometry::Similarity;
use crate::objective::labeled_pairs::LabeledPairs;
use crate::objective::multi_similarity::MultiSimilarity;
use crate::reduction::{Reduced, Reduction, Terms};

const NAME: &str = "MultiSimilarityLoss";

config! {
    /// Configuration of [`MultiSimilarityLoss`].
    pub struct MultiSimilarityLossConfig {
        /// Factor on the similarities with positives, α; positive. The larger, the more the least similar ones
        /// count. Python's `alpha`.
        #[serde(alias = "alpha")]
        pub positive_scale: f64 = 2.0, set by with_positive_scale;
        /// Factor on the similarities with negatives, β; positive. The larger, the more the most similar ones
        /// count. Python's `beta`.
        #[serde(alias = "beta")]
        pub negative_scale: f64 = 50.0, set by with_negative_scale;
        /// The similarity above which positives and below which negatives should be, λ; finite. Python's `base`.
        #[serde(alias = "base")]
        pub threshold: f64 = 0.5, set by with_threshold;
        /// ε, finite: of the pairs of an anchor, only positives that are not more similar than all negatives by at
        /// least this count, and negatives that are not less similar than all positives by at least this. `None`
        /// counts all pairs. Python's `epsilon`, of `MultiSimilarityMiner`, whose default is 0.1.
        #[serde(alias = "epsilon")]
        pub mining_margin: Option<f64> = None, set by with_mining_margin;
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

impl MultiSimilarityLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `positive_scale` or `negative_scale` is not positive and finite, `threshold` or `mining_margin` is not
    /// finite, or the similarity is neither `Cosine` nor `Dot`.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_positive(NAME, "positive_scale", self.positive_scale)?;
        ConfigError::unless_positive(NAME, "negative_scale", self.negative_scale)?;
        ConfigError::unless_finite(NAME, "threshold", self.threshold)?;
        ConfigError::unless_finite(NAME, "mining_margin", self.mining_margin.unwrap_or(0.0))?;
        self.similarity.check_bilinear(NAME)
    }
}

/// Pulls the rows of a class above a threshold of similarity and pushes others below it, the worst pairs hardest.
///
/// ```text
/// ℓᵢ = 1/α ln(1 + Σ_{p∈Pᵢ} exp(−α (sᵢₚ − λ))) + 1/β ln(1 + Σ_{n∈Nᵢ} exp(β (sᵢₙ − λ)))          L = mean of ℓᵢ
/// ```
///
/// `P` are the other rows of the batch with the anchor's label, `N` those with another; s is the similarity. Each pair
/// weighs by how far it is from the threshold λ and by how far beyond the anchor's other pairs. With a `mining_margin` ε,
/// only pairs that are not yet apart count: a positive if `sᵢₚ − ε < max sᵢₙ`, a negative if `sᵢₙ + ε > min sᵢₚ`.
///
/// A batch needs several rows of several labels ([`GroupByLabel`](crate::sampler::GroupByLabelConfig)). An anchor
/// without a positive still pushes its negatives away, and one without a negative pulls its positives; with a
/// `mining_margin` their terms are 0. The term of an anchor without either is 0.
///
/// # Terms
///
/// One per anchor, `[n]`; a mean counts all of them.
///
/// # Numerical behavior
///
/// A block of anchors at a time, with the gradient in closed form; no matrix of all pairs outlives a block. The
/// gradient of an exponential sum that is small beside 1 keeps its digits. Which pairs are mined is a constant.
///
/// # Differences
///
/// sentence-transformers has no such loss. From `MultiSimilarityLoss` and `MultiSimilarityMiner` of
/// pytorch-metric-learning, whose defaults these are: where mining leaves at most one positive and one negative pair in
/// the whole batch, the loss is that of the formula (there, 0); a zero row gets a zero gradient under the cosine.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::MultiSimilarityLossConfig;
///
/// let device = Device::flex();
/// let rows = Tensor::<2>::from_floats([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]], &device);
/// let labels = Tensor::<1, Int>::from_ints([4, 4, 9], &device);
///
/// // Cosines 1 and 0. Two anchors have a positive, at ½ above the threshold: ½ ln(1 + e⁻¹)
/// let config = MultiSimilarityLossConfig::new();
/// let value = config.init().forward((rows.clone(), labels.clone())).into_scalar::<f32>();
/// assert!((value - 2.0 / 3.0 * 0.156631).abs() < 1e-6);
///
/// // They are apart by more than 0.1.
/// let loss = config.with_mining_margin(Some(0.1)).init();
/// assert_eq!(loss.forward((rows, labels)).into_scalar::<f32>(), 0.0);
/// ```
///
/// # References
///
/// - X. Wang et al.: Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning, 2019,
///   <https://arxiv.org/abs/1904.06627>
#[derive(Module, Debug)]
pub struct MultiSimilarityLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: MultiSimilarityLossConfig,
}

impl BatchLoss<LabeledBatch> for MultiSimilarityLoss {
    #[track_caller]
    fn terms(&self, batch: LabeledBatch) -> Terms {
        let (pairs, blocks) = self.prepare(batch);
        // 1/α ln(1 + Σ exp(−α (s − λ))) + 1/β ln(1 + Σ exp(β (s − λ)))
        pairs.terms(blocks)
    }

    #[track_caller]
    fn reduced(&self, batch: LabeledBatch, reduction: Reduction) -> Reduced {
        let (pairs, blocks) = self.prepare(batch);
        pairs.reduced(reduction, blocks)
    }
}

impl MultiSimilarityLoss {
    #[track_caller]
    fn prepare(
        &self,
        LabeledBatch { embeddings, labels }: LabeledBatch,
    ) -> (LabeledPairs<MultiSimilarity>, Blocks) {
        let (device, shape) = (embeddings.device(), embeddings.dims());
        let MultiSimilarityLossConfig {
            positive_scale,
            negative_scale,
            threshold,
            mining_margin,
            similarity,
            memory_budget,
            ..
        } = self.config;
        let formula = MultiSimilarity { positive_scale, negative_scale, threshold, mining_margin };
        let pairs = LabeledPairs { rows: similarity.prepare(embeddings), labels, formula };
        let bytes = pairs.bytes_per_anchor();
        (pairs, Blocks::within(NAME, memory_budget, &device, shape, bytes))
    }
}

init!(MultiSimilarityLossConfig => MultiSimilarityLoss);
forward!(
    MultiSimilarityLoss,
    LabeledBatch,
    "The loss of every anchor, `[n]`; where a gradient is wanted, all similarities are in memory at once."
);
