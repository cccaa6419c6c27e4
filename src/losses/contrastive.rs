use burn::prelude::*;

use super::{BatchLoss, config, forward, init};
use crate::batch::PairBatch;
use crate::error::ConfigError;
use crate::geometry::Distance;
use crate::objective::contrastive::contrastive;
use crate::reduction::{Reduction, Terms};

config! {
    /// Configuration of [`ContrastiveLoss`].
    pub struct ContrastiveLossConfig {
        /// Distance between the two rows of a pair.
        #[serde(alias = "distance_metric")]
        pub distance: Distance = Distance::Cosine, set by with_distance;
        /// Distance beyond which a negative pair costs nothing, in units of the distance; finite.
        pub margin: f64 = 0.5, set by with_margin;
        /// How the terms become one number; `Sum` is `size_average=False` of sentence-transformers.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl ContrastiveLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `margin` is not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_finite("ContrastiveLoss", "margin", self.margin)
    }
}

/// Pulls the rows of a positive pair together and pushes those of a negative pair a margin apart.
///
/// ```text
/// ℓᵢ = ½ ( yᵢ d(uᵢ, vᵢ)² + (1 − yᵢ) max(0, m − d(uᵢ, vᵢ))² )          L = 1/n Σᵢ ℓᵢ
/// ```
///
/// `y` is 1 for a positive pair and 0 for a negative one. Values between weigh both halves, as in
/// sentence-transformers; values outside weigh one half negatively: [`PairBatch::check_scores`] finds
/// them, and a debug build prints a warning the first time. [`PairBatch::check_binary`] finds values
/// between as well.
///
/// # Terms
///
/// One per pair, `[n]`.
///
/// # Differences
///
/// From sentence-transformers: the cosine of a row shorter than 1e-8 is the true one down to
/// 1e-12, and a zero row gets a zero gradient (there: up to 1e8). Like there, 1e-6 is added to every
/// coordinate of the difference before the Euclidean and Manhattan distance.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::{ContrastiveLossConfig, Distance};
///
/// let device = Device::flex();
/// let left = Tensor::<2>::from_floats([[1.0, 0.0], [1.0, 0.0]], &device);
/// let right = Tensor::<2>::from_floats([[0.0, 1.0], [1.0, 0.0]], &device);
/// let labels = Tensor::<1>::from_floats([1.0, 0.0], &device);
///
/// // d = 1 for the positive pair, d = 0 for the negative one: ½ (½ · 1² + ½ · 0.5²)
/// let loss = ContrastiveLossConfig::new().init().forward((left, right, labels));
/// assert!((loss.into_scalar::<f32>() - 0.3125).abs() < 1e-6);
/// ```
///
/// # References
///
/// - R. Hadsell, S. Chopra, Y. LeCun: Dimensionality Reduction by Learning an Invariant Mapping,
///   CVPR 2006
#[derive(Module, Debug)]
pub struct ContrastiveLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: ContrastiveLossConfig,
}

impl BatchLoss<PairBatch> for ContrastiveLoss {
    fn terms(&self, batch: PairBatch) -> Terms {
        batch.warn_outside("ContrastiveLoss", 0.0..=1.0);
        let PairBatch { left, right, labels } = batch;
        let ContrastiveLossConfig { distance, margin, .. } = self.config;
        // d(u, v)
        let d = distance.paired_with_offset(left, right);
        // ½ (y d² + (1 − y) max(0, m − d)²)
        Terms::all(contrastive(d, labels, margin))
    }
}

init!(ContrastiveLossConfig => ContrastiveLoss);
forward!(ContrastiveLoss, PairBatch, "The loss of every pair, `[n]`.");
