use burn::prelude::*;

use super::{BatchLoss, config, forward, init};
use crate::batch::LabeledBatch;
use crate::blocks::Blocks;
use crate::error::ConfigError;
use crate::geometry::Similarity;
use crate::objective::circle::Circle;
use crate::objective::labeled_pairs::LabeledPairs;
use crate::reduction::{Reduced, Reduction, Terms};

const NAME: &str = "CircleLoss";

config! {
    /// Configuration of [`CircleLoss`].
    pub struct CircleLossConfig {
        /// How far from 1 a positive's cosine and from 0 a negative's may end, m; finite. Positives should come
        /// above 1 − m and negatives below m, so it is usually between 0 and ½. Python's `m`.
        #[serde(alias = "m")]
        pub margin: f64 = 0.4, set by with_margin;
        /// Factor on the exponents, γ; positive. The larger, the more an anchor's worst pairs count. Python's
        /// `gamma`.
        #[serde(alias = "gamma")]
        pub scale: f64 = 80.0, set by with_scale;
        /// Memory for the scores of one block of anchors, in bytes; at least enough for one anchor. Affects
        /// memory only, never the result. `None` means
        /// [`default_budget`](crate::blocks::default_budget).
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl CircleLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `margin` is not finite, or `scale` is not positive and finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_finite(NAME, "margin", self.margin)?;
        ConfigError::unless_positive(NAME, "scale", self.scale)
    }
}

/// Moves the cosines of an anchor with its class to 1 and those with others to 0, each as fast as it is far from there.
///
/// ```text
/// ℓᵢ = ln(1 + Σ_{n∈Nᵢ} exp(γ [sᵢₙ + m]₊ (sᵢₙ − m)) · Σ_{p∈Pᵢ} exp(−γ [1 + m − sᵢₚ]₊ (sᵢₚ − 1 + m)))
/// L = mean of ℓᵢ over anchors with |Pᵢ| > 0 and |Nᵢ| > 0          s = cos
/// ```
///
/// `P` are the other rows of the batch with the anchor's label, `N` those with another; `[x]₊ = max(0, x)`. The
/// factors `[·]₊` are constants for the gradient: a pair close to its optimum is moved less than one far from it, where a
/// loss of `sₙ − sₚ` moves both alike.
///
/// A batch needs several rows of several labels ([`GroupByLabel`](crate::sampler::GroupByLabelConfig)). An anchor
/// without a positive or without a negative has no term; a batch without any term has loss 0 and gradient 0.
///
/// # Terms
///
/// One per anchor, `[n]`, 0 for one without a positive or without a negative, which a mean does not count.
///
/// # Numerical behavior
///
/// A block of anchors at a time, with the gradient in closed form; no matrix of all pairs outlives a block.
///
/// # Differences
///
/// sentence-transformers has no such loss. From `CircleLoss` of pytorch-metric-learning, whose defaults these are: a mean
/// counts terms so small that they are rounded to 0 as well; a zero row gets a zero gradient.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::CircleLossConfig;
///
/// let device = Device::flex();
/// let rows = Tensor::<2>::from_floats([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]], &device);
/// let labels = Tensor::<1, Int>::from_ints([4, 4, 9], &device);
///
/// // The third row has no positive. The others have the exponents −m² γ for a cosine of 1 and for one of 0.
/// let loss = CircleLossConfig::new().with_margin(0.5).with_scale(2.0).init();
/// let value = loss.forward((rows, labels)).into_scalar::<f32>();
/// assert!((value - (1.0 + (-1f32).exp()).ln()).abs() < 1e-6);
/// ```
///
/// # References
///
/// - Y. Sun et al.: Circle Loss: A Unified Perspective of Pair Similarity Optimization, 2020,
///   <https://arxiv.org/abs/2002.10857>
#[derive(Module, Debug)]
pub struct CircleLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: CircleLossConfig,
}

impl BatchLoss<LabeledBatch> for CircleLoss {
    #[track_caller]
    fn terms(&self, batch: LabeledBatch) -> Terms {
        let (pairs, blocks) = self.prepare(batch);
        // ln(1 + Σ exp(γ [s + m]₊ (s − m)) · Σ exp(−γ [1 + m − s]₊ (s − 1 + m)))
        pairs.terms(blocks)
    }

    #[track_caller]
    fn reduced(&self, batch: LabeledBatch, reduction: Reduction) -> Reduced {
        let (pairs, blocks) = self.prepare(batch);
        pairs.reduced(reduction, blocks)
    }
}

impl CircleLoss {
    #[track_caller]
    fn prepare(
        &self,
        LabeledBatch { embeddings, labels }: LabeledBatch,
    ) -> (LabeledPairs<Circle>, Blocks) {
        let (device, shape) = (embeddings.device(), embeddings.dims());
        let CircleLossConfig { margin, scale, memory_budget, .. } = self.config;
        let rows = Similarity::Cosine.prepare(embeddings);
        let pairs = LabeledPairs { rows, labels, formula: Circle { margin, scale } };
        let bytes = pairs.bytes_per_anchor();
        (pairs, Blocks::within(NAME, memory_budget, &device, shape, bytes))
    }
}

init!(CircleLossConfig => CircleLoss);
forward!(
    CircleLoss,
    LabeledBatch,
    "The loss of every anchor, `[n]`; where a gradient is wanted, all cosines are in memory at once."
);
