use burn::prelude::*;

use super::{BatchLoss, config, forward, init};
use crate::batch::LabeledBatch;
use crate::blocks::Blocks;
use crate::error::ConfigError;
use crate::geometry::Distance;
use crate::objective::triplet::{Triplets, triplet_bytes};
use crate::reduction::{Reduced, Reduction, Terms};
use crate::select::Negatives;

config! {
    /// Configuration of [`BatchAllTripletLoss`].
    pub struct BatchAllTripletLossConfig {
        /// Distance between anchor and positive or negative.
        #[serde(alias = "distance_metric")]
        pub distance: Distance = Distance::Euclidean, set by with_distance;
        /// How much farther away a negative must be than a positive, in units of the distance; finite.
        /// 5 suits unnormalised embeddings; for the cosine take 0.1 to 1.
        pub margin: f64 = 5.0, set by with_margin;
        /// Memory for the search in one block of anchors, in bytes; at least enough for one anchor,
        /// 160 bytes per row of the batch (more for `Manhattan`). Affects memory only, never the result. `None`
        /// means [`default_budget`](crate::blocks::default_budget).
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl BatchAllTripletLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `margin` is not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_finite("BatchAllTripletLoss", "margin", self.margin)
    }
}

/// All triplets that the labels of a batch allow, averaged over those that violate the margin.
///
/// ```text
/// T = { (a, p, n) : a ≠ p, yₐ = yₚ ≠ yₙ }          t = max(0, d(a, p) − d(a, n) + m)
/// L = Σ_T t / #{t > 0}
/// ```
///
/// No triplet is ever built: each row is sorted once and the violations are counted, `n² log n`
/// operations however large the classes are.
///
/// A batch without a triplet has loss 0 and gradient 0. Since easy triplets leave the mean, loss
/// and gradient do not fade as they are learnt.
///
/// # Terms
///
/// The triplets larger than 0. `Sum` adds them up. A triplet at exactly 0 has derivative 1.
///
/// # Differences
///
/// From sentence-transformers: rows are centred before their distances are computed by a matrix
/// product, so that small distances far from the origin survive; distances below the rounding error
/// of that product are 0; triplets within rounding error of the margin count as on it; a zero row
/// gets a zero gradient under the cosine. Where no triplet is larger than 0, the gradient of
/// triplets that lie exactly on the margin is finite (there it is divided by 1e-16).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::BatchAllTripletLossConfig;
///
/// let device = Device::flex();
/// let embeddings = Tensor::<2>::from_floats([[0.0], [1.0], [3.0]], &device);
/// let labels = Tensor::<1, Int>::from_ints([0, 0, 1], &device);
///
/// // Two triplets: 1 − 3 + 2 = 0 does not count, 1 − 2 + 2 = 1 does.
/// let loss = BatchAllTripletLossConfig::new().with_margin(2.0).init();
/// assert!((loss.forward((embeddings, labels)).into_scalar::<f32>() - 1.0).abs() < 1e-6);
/// ```
///
/// # References
///
/// - A. Hermans, L. Beyer, B. Leibe: In Defense of the Triplet Loss for Person Re-Identification,
///   2017, <https://arxiv.org/abs/1703.07737>
#[derive(Module, Debug)]
pub struct BatchAllTripletLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: BatchAllTripletLossConfig,
}

impl BatchLoss<LabeledBatch> for BatchAllTripletLoss {
    #[track_caller]
    fn terms(&self, LabeledBatch { embeddings, labels }: LabeledBatch) -> Terms {
        // Σ_{p, n} max(0, d(a, p) − d(a, n) + m), and #{t > 0}
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

impl BatchAllTripletLoss {
    #[track_caller]
    fn blocks(&self, rows: &Tensor<2>) -> Blocks {
        let bytes = triplet_bytes(rows, self.config.distance);
        Blocks::within(
            "BatchAllTripletLoss",
            self.config.memory_budget,
            &rows.device(),
            rows.dims(),
            bytes,
        )
    }

    fn triplets(&self) -> Triplets {
        let BatchAllTripletLossConfig { distance, margin, .. } = self.config;
        Triplets { distance, margin, negatives: Negatives::All }
    }
}

init!(BatchAllTripletLossConfig => BatchAllTripletLoss);
forward!(
    BatchAllTripletLoss,
    LabeledBatch,
    "For every anchor, the sum over its triplets, `[n]`; where a gradient is wanted, all distances are in memory at once."
);
