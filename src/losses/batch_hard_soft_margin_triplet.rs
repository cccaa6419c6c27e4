use burn::prelude::*;

use super::{Anchors, forward, init};
use crate::batch::LabeledBatch;
use crate::blocks::Blocks;
use crate::error::ConfigError;
use crate::geometry::Distance;
use crate::objective::hinge::soft_hinge;
use crate::objective::triplet::{anchors_where, hardest_gap};
use crate::reduction::{Reduction, Terms};
use crate::select::search_bytes;

/// Configuration of [`BatchHardSoftMarginTripletLoss`].
#[derive(Config, Debug, PartialEq)]
pub struct BatchHardSoftMarginTripletLossConfig {
    /// Distance between anchor and positive or negative.
    #[config(default = "Distance::Euclidean")]
    pub distance: Distance,
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
/// One an anchor, `[n]`.
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
    /// What the loss was built from.
    #[module(skip)]
    pub config: BatchHardSoftMarginTripletLossConfig,
}

impl BatchHardSoftMarginTripletLoss {
    #[track_caller]
    fn terms(&self, LabeledBatch { embeddings, labels }: LabeledBatch) -> Terms {
        let bytes = search_bytes(&embeddings, self.config.distance);
        let blocks = Blocks::within(
            "BatchHardSoftMarginTripletLoss",
            self.config.memory_budget,
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
