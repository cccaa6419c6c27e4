use burn::prelude::*;

use super::{BatchLoss, config, forward, init};
use crate::batch::PairBatch;
use crate::error::ConfigError;
use crate::geometry::Distance;
use crate::objective::contrastive::online_contrastive;
use crate::reduction::{Reduction, Terms};
use crate::select::online_selection;

config! {
    /// Configuration of [`OnlineContrastiveLoss`].
    pub struct OnlineContrastiveLossConfig {
        /// Distance between the two rows of a pair.
        #[serde(alias = "distance_metric")]
        pub distance: Distance = Distance::Cosine, set by with_distance;
        /// Distance beyond which a negative pair costs nothing, in units of the distance; finite.
        pub margin: f64 = 0.5, set by with_margin;
        /// How the terms become one number. The reference sums, so its gradient grows with the batch;
        /// `Mean` divides by the number of pairs, selected or not.
        pub reduction: Reduction = Reduction::Sum, set by with_reduction;
    }
}

impl OnlineContrastiveLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `margin` is not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_finite("OnlineContrastiveLoss", "margin", self.margin)
    }
}

/// [`ContrastiveLoss`](crate::ContrastiveLoss) on the hard pairs of the batch only: positive pairs
/// that are farther apart than the closest negative pair, and negative pairs that are closer than
/// the farthest positive pair.
///
/// ```text
/// P = { i : yᵢ = 1, dᵢ > min{dⱼ : yⱼ = 0} }          N = { i : yᵢ = 0, dᵢ < max{dⱼ : yⱼ = 1} }
/// L = Σ_{i∈P} dᵢ² + Σ_{i∈N} max(0, m − dᵢ)²
/// ```
///
/// Without a negative pair the positive ones are compared with their own mean distance, and the
/// other way round. A label other than 0 and 1 leaves its pair out.
///
/// # Terms
///
/// One per pair, `[n]`; a pair that is not selected is 0.
///
/// # Differences
///
/// From sentence-transformers: as for [`ContrastiveLoss`](crate::ContrastiveLoss). Equal distances
/// have exactly their own mean, so none of them is selected, whatever the rounding.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::OnlineContrastiveLossConfig;
///
/// let device = Device::flex();
/// let left = Tensor::<2>::from_floats([[1.0, 0.0], [1.0, 0.0]], &device);
/// let right = Tensor::<2>::from_floats([[0.0, 1.0], [1.0, 0.0]], &device);
/// let labels = Tensor::<1>::from_floats([1.0, 0.0], &device);
///
/// // Both pairs are hard: 1² + 0.5²
/// let loss = OnlineContrastiveLossConfig::new().init().forward((left, right, labels));
/// assert!((loss.into_scalar::<f32>() - 1.25).abs() < 1e-6);
/// ```
///
/// # References
///
/// - `OnlineContrastiveLoss` of sentence-transformers; the loss it selects for:
///   R. Hadsell, S. Chopra, Y. LeCun, CVPR 2006
#[derive(Module, Debug)]
pub struct OnlineContrastiveLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: OnlineContrastiveLossConfig,
}

impl BatchLoss<PairBatch> for OnlineContrastiveLoss {
    fn terms(&self, batch: PairBatch) -> Terms {
        batch.warn_unless_either("OnlineContrastiveLoss");
        let PairBatch { left, right, labels } = batch;
        let OnlineContrastiveLossConfig { distance, margin, .. } = self.config;
        // d(u, v)
        let d = distance.paired_with_offset(left, right);
        // P and N
        let hard = online_selection(d.clone(), labels);
        // d² on P, max(0, m − d)² on N
        Terms::all(online_contrastive(d, hard, margin))
    }
}

init!(OnlineContrastiveLossConfig => OnlineContrastiveLoss);
forward!(
    OnlineContrastiveLoss,
    PairBatch,
    "The loss of every pair, 0 where it is not selected, `[n]`."
);
