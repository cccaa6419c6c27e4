use burn::prelude::*;

use super::{Anchors, forward, init};
use crate::batch::LabeledBatch;
use crate::blocks::Blocks;
use crate::error::ConfigError;
use crate::geometry::Distance;
use crate::objective::triplet::{anchors_where, batch_hard, hardest_gap};
use crate::reduction::{Reduction, Terms};
use crate::select::search_bytes;

/// Configuration of [`BatchHardTripletLoss`].
#[derive(Config, Debug, PartialEq)]
pub struct BatchHardTripletLossConfig {
    /// Distance between anchor and positive or negative.
    #[config(default = "Distance::Euclidean")]
    pub distance: Distance,
    /// How much farther than the hardest positive the hardest negative shall be, in units of the
    /// distance; finite. 5 suits unnormalised embeddings; for the cosine take 0.1 to 1.
    #[config(default = 5.0)]
    pub margin: f64,
    /// Which anchors count.
    #[config(default = "Anchors::All")]
    pub anchors: Anchors,
    /// What the search in a block of anchors may take, in bytes; enough for one anchor, 48 bytes a row
    /// of the batch (more for `Manhattan`). The same numbers come out whatever it is.
    /// [`default_budget`](crate::blocks::default_budget) if `None`.
    #[config(default = "None")]
    pub memory_budget: Option<usize>,
    /// How the terms become one number.
    #[config(default = "Reduction::Mean")]
    pub reduction: Reduction,
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
/// One an anchor, `[n]`. A term at exactly 0 has derivative 1.
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
    /// What the loss was built from.
    #[module(skip)]
    pub config: BatchHardTripletLossConfig,
}

impl BatchHardTripletLoss {
    #[track_caller]
    fn terms(&self, LabeledBatch { embeddings, labels }: LabeledBatch) -> Terms {
        let bytes = search_bytes(&embeddings, self.config.distance);
        let blocks = Blocks::within(
            "BatchHardTripletLoss",
            self.config.memory_budget,
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
