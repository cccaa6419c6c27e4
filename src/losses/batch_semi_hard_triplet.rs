use burn::prelude::*;

use super::{Anchors, BatchLoss, config, forward, init};
use crate::batch::LabeledBatch;
use crate::blocks::Blocks;
use crate::error::ConfigError;
use crate::geometry::Distance;
use crate::objective::triplet::{Triplets, triplet_bytes};
use crate::reduction::{Reduced, Reduction, Terms};
use crate::select::Negatives;

config! {
    /// Configuration of [`BatchSemiHardTripletLoss`].
    pub struct BatchSemiHardTripletLossConfig {
        /// Distance between anchor and positive or negative.
        #[serde(alias = "distance_metric")]
        pub distance: Distance = Distance::Euclidean, set by with_distance;
        /// How much farther away the chosen negative must be than the positive, in units of the distance;
        /// finite. 5 suits unnormalised embeddings; for the cosine take 0.1 to 1.
        pub margin: f64 = 5.0, set by with_margin;
        /// Which anchors count.
        pub anchors: Anchors = Anchors::All, set by with_anchors;
        /// Memory for the search in one block of anchors, in bytes; at least enough for one anchor,
        /// 160 bytes per row of the batch (more for `Manhattan`). Affects memory only, never the result. `None`
        /// means [`default_budget`](crate::blocks::default_budget).
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl BatchSemiHardTripletLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `margin` is not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_finite("BatchSemiHardTripletLoss", "margin", self.margin)
    }
}

/// Every positive pair against its semi-hard negative: the closest one that is farther away than
/// the positive, or the farthest of all if none is.
///
/// ```text
/// N(a, p) = argmin{d(a, n) : yₙ ≠ yₐ, d(a, n) > d(a, p)}, else argmax{d(a, n) : yₙ ≠ yₐ}
/// L = Σ_{a ≠ p, yₐ = yₚ} max(0, d(a, p) − d(a, N(a, p)) + m) / #{(a, p)}
/// ```
///
/// By default, as in sentence-transformers, a batch of one class is `m` plus the mean distance of
/// its pairs: it pulls all rows together. [`Anchors::Valid`] leaves it out.
///
/// # Terms
///
/// The ordered positive pairs, whether their term is 0 or not. A term at exactly 0 has derivative
/// ½.
///
/// # Differences
///
/// From sentence-transformers: as for [`BatchAllTripletLoss`](crate::BatchAllTripletLoss), as far
/// as distances are concerned; a negative that is farther away by rounding error only does not
/// count as farther.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::BatchSemiHardTripletLossConfig;
///
/// let device = Device::flex();
/// let embeddings = Tensor::<2>::from_floats([[0.0], [2.0], [3.0]], &device);
/// let labels = Tensor::<1, Int>::from_ints([0, 0, 1], &device);
///
/// // From 0: 2 − 3 + 2. From 2 no negative is farther than the positive: 2 − 1 + 2.
/// let loss = BatchSemiHardTripletLossConfig::new().with_margin(2.0).init();
/// assert!((loss.forward((embeddings, labels)).into_scalar::<f32>() - 2.0).abs() < 1e-6);
/// ```
///
/// # References
///
/// - F. Schroff, D. Kalenichenko, J. Philbin: FaceNet, 2015, <https://arxiv.org/abs/1503.03832>
#[derive(Module, Debug)]
pub struct BatchSemiHardTripletLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: BatchSemiHardTripletLossConfig,
}

impl BatchLoss<LabeledBatch> for BatchSemiHardTripletLoss {
    #[track_caller]
    fn terms(&self, LabeledBatch { embeddings, labels }: LabeledBatch) -> Terms {
        // Σ_p max(0, d(a, p) − d(a, N(a, p)) + m), and the number of pairs
        self.triplets().terms(embeddings.clone(), labels, self.blocks(&embeddings))
    }

    #[track_caller]
    fn reduced(
        &self,
        LabeledBatch { embeddings, labels }: LabeledBatch,
        reduction: Reduction,
    ) -> Reduced {
        let blocks = self.blocks(&embeddings);
        self.triplets().reduced(embeddings, labels, blocks, reduction)
    }
}

impl BatchSemiHardTripletLoss {
    #[track_caller]
    fn blocks(&self, rows: &Tensor<2>) -> Blocks {
        let bytes = triplet_bytes(rows, self.config.distance);
        Blocks::within(
            "BatchSemiHardTripletLoss",
            self.config.memory_budget,
            &rows.device(),
            rows.dims(),
            bytes,
        )
    }

    fn triplets(&self) -> Triplets {
        let BatchSemiHardTripletLossConfig { distance, margin, anchors, .. } = self.config;
        let negatives = Negatives::SemiHard { only_valid: anchors == Anchors::Valid };
        Triplets { distance, margin, negatives }
    }
}

init!(BatchSemiHardTripletLossConfig => BatchSemiHardTripletLoss);
forward!(
    BatchSemiHardTripletLoss,
    LabeledBatch,
    "For every anchor, the sum over its positives, `[n]`; where a gradient is wanted, all distances are in memory at once."
);
