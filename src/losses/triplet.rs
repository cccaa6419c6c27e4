use burn::prelude::*;

use super::{BatchLoss, config, forward, init};
use crate::batch::TripletBatch;
use crate::error::ConfigError;
use crate::geometry::Distance;
use crate::objective::hinge::hinge;
use crate::reduction::{Reduction, Terms};

config! {
    /// Configuration of [`TripletLoss`].
    pub struct TripletLossConfig {
        /// Distance between anchor and positive or negative.
        #[serde(alias = "distance_metric")]
        pub distance: Distance = Distance::Euclidean, set by with_distance;
        /// How much farther away the negative must be than the positive, in units of the distance; finite.
        /// 5 suits unnormalised embeddings; for the cosine (range 0 to 2) take 0.1 to 1.
        #[serde(alias = "triplet_margin")]
        pub margin: f64 = 5.0, set by with_margin;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl TripletLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `margin` is not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_finite("TripletLoss", "margin", self.margin)
    }
}

/// Pulls each anchor closer to its positive than to its negative, by a margin.
///
/// ```text
/// ℓᵢ = max(0, d(aᵢ, pᵢ) − d(aᵢ, nᵢ) + m)          L = 1/n Σᵢ ℓᵢ
/// ```
///
/// # Terms
///
/// One per triplet, `[n]`. A triplet at exactly 0 has derivative 0.
///
/// # Differences
///
/// From sentence-transformers: with the cosine distance a zero row gets a zero gradient (there:
/// up to 1e12). The Euclidean length is right for differences whose squares do not fit the type.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::TripletLossConfig;
///
/// let device = Device::flex();
/// let anchor = Tensor::<2>::from_floats([[0.0, 0.0]], &device);
/// let positive = Tensor::from_floats([[3.0, 4.0]], &device);
/// let negative = Tensor::from_floats([[6.0, 8.0]], &device);
///
/// let loss = TripletLossConfig::new().with_margin(6.0).init();
/// // max(0, 5 − 10 + 6)
/// assert_eq!(loss.forward((anchor, positive, negative)).into_scalar::<f32>(), 1.0);
/// ```
///
/// # References
///
/// - F. Schroff, D. Kalenichenko, J. Philbin: FaceNet, 2015, <https://arxiv.org/abs/1503.03832>
#[derive(Module, Debug)]
pub struct TripletLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: TripletLossConfig,
}

impl BatchLoss<TripletBatch> for TripletLoss {
    fn terms(&self, TripletBatch { anchor, positive, negative }: TripletBatch) -> Terms {
        let TripletLossConfig { distance, margin, .. } = self.config;
        // d(a, p) − d(a, n)
        let gap = distance.paired_difference(anchor, positive, negative);
        // max(0, gap + m)
        Terms::all(hinge(gap.add_scalar(margin)))
    }
}

init!(TripletLossConfig => TripletLoss);
forward!(TripletLoss, TripletBatch, "The loss of every triplet, `[n]`.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "TripletLoss: `margin` must be finite, got NaN")]
    fn a_margin_must_be_a_number() {
        TripletLossConfig::new().with_margin(f64::NAN).init();
    }
}
