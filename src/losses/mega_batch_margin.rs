use burn::prelude::*;

use super::{BatchLoss, config, forward, init};
use crate::batch::RetrievalBatch;
use crate::error::ConfigError;
use crate::geometry::Distance;
use crate::objective::mega_batch::mega_batch_margin;
use crate::reduction::{Reduction, Terms};
use crate::select::search_bytes;

config! {
    /// Configuration of [`MegaBatchMarginLoss`].
    pub struct MegaBatchMarginLossConfig {
        /// Cosine above which a positive pair costs nothing; finite, useful in `[-1, 1]`.
        pub positive_margin: f64 = 0.8, set by with_positive_margin;
        /// Cosine below which the hardest negative costs nothing; finite, useful in `[-1, 1]`.
        pub negative_margin: f64 = 0.3, set by with_negative_margin;
        /// Memory for the search in one block of anchors, in bytes; at least enough for one anchor,
        /// 48 bytes per row of the batch. Affects memory only, never the result. `None`
        /// means [`default_budget`](crate::blocks::default_budget).
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl MegaBatchMarginLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If a margin is not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        const NAME: &str = "MegaBatchMarginLoss";
        ConfigError::unless_finite(NAME, "positive_margin", self.positive_margin)?;
        ConfigError::unless_finite(NAME, "negative_margin", self.negative_margin)
    }
}

/// Pulls pairs together and pushes each anchor away from the most similar positive of another
/// anchor. Made for very large batches, where that one is really hard.
///
/// ```text
/// ℓᵢ = max(0, m⁺ − cos(aᵢ, pᵢ)) + max(0, max{cos(aᵢ, pⱼ) : j ≠ i} − m⁻)          L = 1/n Σᵢ ℓᵢ
/// ```
///
/// The positives should all be different: a duplicate is its twin's hardest negative, unless the
/// batch [says so](RetrievalBatch::with_ids). A row without a negative has only the first half. Where a
/// batch is spread over devices, [`gather`](crate::gather) it to find the hardest of all.
///
/// # Terms
///
/// One per anchor, `[n]`; in a gathered batch, one per own anchor.
///
/// # Differences
///
/// From sentence-transformers: a zero row gets a zero gradient (there: up to 1e12); ties within
/// rounding error go to the first row on every backend.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::MegaBatchMarginLossConfig;
///
/// let device = Device::flex();
/// let anchors = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0]], &device);
/// let positives = Tensor::<2>::from_floats([[0.6, 0.8], [0.0, 1.0]], &device);
///
/// // First row: 0.8 − 0.6, its negative is at cosine 0. Second row: 1 is enough, 0.8 − 0.3.
/// let loss = MegaBatchMarginLossConfig::new().init().forward((anchors, positives));
/// assert!((loss.into_scalar::<f32>() - 0.35).abs() < 1e-6);
/// ```
///
/// # References
///
/// - J. Wieting, K. Gimpel: ParaNMT-50M, 2018, <https://arxiv.org/abs/1711.05732>
#[derive(Module, Debug)]
pub struct MegaBatchMarginLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: MegaBatchMarginLossConfig,
}

impl BatchLoss<RetrievalBatch> for MegaBatchMarginLoss {
    #[track_caller]
    fn terms(&self, batch: RetrievalBatch) -> Terms {
        let anchors = batch.anchors();
        let RetrievalBatch { anchor, positive, negatives, ids, weights, .. } = batch;
        let extra = negatives.len();
        assert!(extra == 0, "MegaBatchMarginLoss: `negatives` must be empty, got {extra} columns");
        let MegaBatchMarginLossConfig { positive_margin, negative_margin, .. } = self.config;
        let bytes = search_bytes(&anchor, Distance::Cosine);
        let blocks = anchors.blocks("MegaBatchMarginLoss", self.config.memory_budget, bytes);
        // max(0, m⁺ − cos(a, p)) + max(0, max cos(a, p of others) − m⁻)
        let ids = ids.map(|ids| ids.rows);
        let margins = [positive_margin, negative_margin];
        let values = mega_batch_margin(anchor, positive, ids, margins, blocks);
        let weights = weights.map(|weights| weights.slice([blocks.all()]));
        Terms::weighted(values, weights)
    }
}

init!(MegaBatchMarginLossConfig => MegaBatchMarginLoss);
forward!(MegaBatchMarginLoss, RetrievalBatch, "The loss of every anchor, `[n]`.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_row_has_no_negative() {
        let row = Tensor::<2>::from_floats([[1.0, 0.0]], &Device::flex());
        let loss = MegaBatchMarginLossConfig::new().init();
        assert_eq!(loss.forward((row.clone(), row)).into_scalar::<f32>(), 0.0);
    }
}
