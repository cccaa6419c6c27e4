use burn::prelude::*;

use super::{Anchors, forward, init};
use crate::batch::LabeledBatch;
use crate::blocks::Blocks;
use crate::error::ConfigError;
use crate::geometry::Distance;
use crate::objective::triplet::{Triplets, triplet_bytes};
use crate::reduction::{Reduced, Reduction, Terms};
use crate::select::Negatives;

/// Configuration of [`BatchSemiHardTripletLoss`].
#[derive(Config, Debug, PartialEq)]
pub struct BatchSemiHardTripletLossConfig {
    /// Distance between anchor and positive or negative.
    #[config(default = "Distance::Euclidean")]
    pub distance: Distance,
    /// How much farther than the positive the chosen negative shall be, in units of the distance;
    /// finite. 5 suits unnormalised embeddings; for the cosine take 0.1 to 1.
    #[config(default = 5.0)]
    pub margin: f64,
    /// Which anchors count.
    #[config(default = "Anchors::All")]
    pub anchors: Anchors,
    /// What the search in a block of anchors may take, in bytes; enough for one anchor, 160 bytes a row
    /// of the batch (more for `Manhattan`). The same numbers come out whatever it is.
    /// [`default_budget`](crate::blocks::default_budget) if `None`.
    #[config(default = "None")]
    pub memory_budget: Option<usize>,
    /// How the terms become one number.
    #[config(default = "Reduction::Mean")]
    pub reduction: Reduction,
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
    /// What the loss was built from.
    #[module(skip)]
    pub config: BatchSemiHardTripletLossConfig,
}

impl BatchSemiHardTripletLoss {
    #[track_caller]
    fn terms(&self, LabeledBatch { embeddings, labels }: LabeledBatch) -> Terms {
        // Σ_p max(0, d(a, p) − d(a, N(a, p)) + m), and the number of pairs
        self.triplets().terms(embeddings.clone(), labels, self.blocks(&embeddings))
    }

    #[track_caller]
    fn reduced(&self, LabeledBatch { embeddings, labels }: LabeledBatch) -> Reduced {
        let blocks = self.blocks(&embeddings);
        self.triplets().reduced(embeddings, labels, blocks, self.config.reduction)
    }

    #[track_caller]
    fn blocks(&self, rows: &Tensor<2>) -> Blocks {
        let bytes = triplet_bytes(rows, self.config.distance);
        Blocks::within("BatchSemiHardTripletLoss", self.config.memory_budget, rows.dims(), bytes)
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
    "For every anchor, the sum over its positives, `[n]`; where a gradient is wanted, all distances are in memory at once.",
    |loss, batch| { loss.reduced(batch) }
);
