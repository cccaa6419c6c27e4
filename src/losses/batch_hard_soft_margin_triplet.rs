use burn::prelude::*;

use super::{Anchors, BatchLoss, config, forward, init};
use crate::batch::LabeledBatch;
use crate::blocks::Blocks;
use crate::error::ConfigError;
use crate::geometry::Distance;
use crate::objective::hinge::soft_hinge;
use crate::objective::triplet::{anchors_where, hardest_gap};
use crate::reduction::{Reduction, Terms};
use crate::select::search_bytes;

config! {
    /// Configuration of [`BatchHardSoftMarginTripletLoss`].
    pub struct BatchHardSoftMarginTripletLossConfig {
        /// Distance between anchor and positive or negative.
        #[serde(alias = "distance_metric")]
        pub distance: Distance = Distance::Euclidean, set by with_distance;
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

impl BatchHardSoftMarginTripletLossConfig {
    /// Every configuration is valid; here so that all configurations can be checked alike.
    ///
    /// # Errors
    ///
    /// Never.
    pub fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

/// [`BatchHardTripletLoss`](crate::BatchHardTripletLoss) with a soft margin: no margin to choose,
/// and anchors never stop contributing.
///
/// ```text
/// ℓₐ = ln(1 + exp(max{d(a, p) : yₚ = yₐ} − min{d(a, n) : yₙ ≠ yₐ}))          L = 1/n Σₐ ℓₐ
/// ```
///
/// Anchors without a positive or a negative are treated as in
/// [`BatchHardTripletLoss`](crate::BatchHardTripletLoss): a batch of one class has loss `ln 2` and
/// gradient 0.
///
/// # Terms
///
/// One per anchor, `[n]`.
///
/// # Differences
///
/// From sentence-transformers: as for [`BatchHardTripletLoss`](crate::BatchHardTripletLoss).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::BatchHardSoftMarginTripletLossConfig;
///
/// let device = Device::flex();
/// let embeddings = Tensor::<2>::from_floats([[0.0], [1.0], [2.0], [3.0]], &device);
/// let labels = Tensor::<1, Int>::from_ints([0, 0, 1, 1], &device);
///
/// // Gaps 1−2, 1−1, 1−1, 1−2: ½ ln(1 + e⁻¹) + ½ ln 2
/// let loss = BatchHardSoftMarginTripletLossConfig::new().init().forward((embeddings, labels));
/// assert!((loss.into_scalar::<f32>() - 0.503204).abs() < 1e-6);
/// ```
///
/// # References
///
/// - A. Hermans, L. Beyer, B. Leibe: In Defense of the Triplet Loss for Person Re-Identification,
///   2017, <https://arxiv.org/abs/1703.07737>
#[derive(Module, Debug)]
pub struct BatchHardSoftMarginTripletLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: BatchHardSoftMarginTripletLossConfig,
}

impl BatchLoss<LabeledBatch> for BatchHardSoftMarginTripletLoss {
    #[track_caller]
    fn terms(&self, LabeledBatch { embeddings, labels }: LabeledBatch) -> Terms {
        let bytes = search_bytes(&embeddings, self.config.distance);
        let blocks = Blocks::within(
            "BatchHardSoftMarginTripletLoss",
            self.config.memory_budget,
            &embeddings.device(),
            embeddings.dims(),
            bytes,
        );
        // max d(a, p) − min d(a, n)
        let gap = hardest_gap(embeddings, labels.clone(), self.config.distance, blocks);
        // ln(1 + exp(gap)), over the anchors that count
        anchors_where(self.config.anchors.restrict(labels, blocks), soft_hinge(gap))
    }
}

init!(BatchHardSoftMarginTripletLossConfig => BatchHardSoftMarginTripletLoss);
forward!(
    BatchHardSoftMarginTripletLoss,
    LabeledBatch,
    "The loss of every anchor, 0 where it does not count, `[n]`."
);
