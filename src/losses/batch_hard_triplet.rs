use burn::prelude::*;

use super::{Anchors, BatchLoss, config, forward, init};
use crate::batch::LabeledBatch;
use crate::blocks::Blocks;
use crate::error::ConfigError;
use crate::geometry::Distance;
use crate::objective::triplet::{anchors_where, batch_hard, hardest_gap};
use crate::reduction::{Reduction, Terms};
use crate::select::search_bytes;

config! {
    /// Configuration of [`BatchHardTripletLoss`].
    pub struct BatchHardTripletLossConfig {
        /// Distance between anchor and positive or negative.
        #[serde(alias = "distance_metric")]
        pub distance: Distance = Distance::Euclidean, set by with_distance;
        /// How much farther away the hardest negative must be than the hardest positive, in units of the
        /// distance; finite. 5 suits unnormalised embeddings; for the cosine take 0.1 to 1.
        pub margin: f64 = 5.0, set by with_margin;
        /// Which anchors count.
        pub anchors: Anchors = Anchors::All, set by with_anchors;
        /// Memory for the search in one block of anchors, in bytes; at least enough for one anchor,
        /// 48 bytes per row of the batch (more for `Manhattan`). Affects memory only, never the result. `None`
        /// means [`default_budget`](crate::blocks::default_budget).
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl BatchHardTripletLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `margin` is not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_finite("BatchHardTripletLoss", "margin", self.margin)
    }
}

/// For every row, its farthest row of the same label against its closest row of another label.
///
/// ```text
/// ℓₐ = max(0, max{d(a, p) : yₚ = yₐ} − min{d(a, n) : yₙ ≠ yₐ} + m)          L = 1/n Σₐ ℓₐ
/// ```
///
/// By default, as in sentence-transformers, an anchor without a positive counts 0 for its distance
/// (it only pushes its nearest negative away), and a batch of one class has loss `m` and gradient
/// 0. [`Anchors::Valid`] leaves such anchors out. Sample batches by label: a loss that stays at `m`
/// is a dead batch, not learning.
///
/// # Terms
///
/// One per anchor, `[n]`. A term at exactly 0 has derivative 1.
///
/// # Differences
///
/// From sentence-transformers: the chosen distances are computed from the difference of the two
/// rows, so close rows far from the origin keep their distance (there a matrix product loses it);
/// a zero row gets a zero gradient under the cosine; ties within rounding error go to the first row
/// on every backend.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::BatchHardTripletLossConfig;
///
/// let device = Device::flex();
/// let embeddings = Tensor::<2>::from_floats([[0.0], [1.0], [3.0], [7.0]], &device);
/// let labels = Tensor::<1, Int>::from_ints([0, 0, 1, 1], &device);
///
/// // Hardest positive minus hardest negative: 1−3, 1−2, 4−2, 4−6; plus 1, none below 0.
/// let loss = BatchHardTripletLossConfig::new().with_margin(1.0).init();
/// assert_eq!(loss.forward((embeddings, labels)).into_scalar::<f32>(), 0.75);
/// ```
///
/// # References
///
/// - A. Hermans, L. Beyer, B. Leibe: In Defense of the Triplet Loss for Person Re-Identification,
///   2017, <https://arxiv.org/abs/1703.07737>
#[derive(Module, Debug)]
pub struct BatchHardTripletLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: BatchHardTripletLossConfig,
}

impl BatchLoss<LabeledBatch> for BatchHardTripletLoss {
    #[track_caller]
    fn terms(&self, LabeledBatch { embeddings, labels }: LabeledBatch) -> Terms {
        let bytes = search_bytes(&embeddings, self.config.distance);
        let blocks = Blocks::within(
            "BatchHardTripletLoss",
            self.config.memory_budget,
            &embeddings.device(),
            embeddings.dims(),
            bytes,
        );
        // max d(a, p) − min d(a, n)
        let gap = hardest_gap(embeddings, labels.clone(), self.config.distance, blocks);
        // max(0, gap + m), over the anchors that count
        let terms = batch_hard(gap, self.config.margin);
        anchors_where(self.config.anchors.restrict(labels, blocks), terms)
    }
}

init!(BatchHardTripletLossConfig => BatchHardTripletLoss);
forward!(
    BatchHardTripletLoss,
    LabeledBatch,
    "The loss of every anchor, 0 where it does not count, `[n]`."
);
