use burn::prelude::*;

use super::{BatchLoss, config, forward, init};
use crate::batch::PairBatch;
use crate::error::ConfigError;
use crate::geometry::Similarity;
use crate::objective::regression::binary_cross_entropy_with_logits;
use crate::reduction::{Reduction, Terms};

config! {
    /// Configuration of [`ContrastiveTensionLoss`].
    pub struct ContrastiveTensionLossConfig {
        /// How the terms become one number. As in sentence-transformers they are added: the gradient
        /// grows with the batch.
        pub reduction: Reduction = Reduction::Sum, set by with_reduction;
    }
}

impl ContrastiveTensionLossConfig {
    /// Every configuration is valid; here so that all configurations can be checked alike.
    ///
    /// # Errors
    ///
    /// Never.
    pub fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

/// Two encoders agree on which texts are the same: learning from bare texts.
///
/// ```text
/// ℓᵢ = −yᵢ ln σ(uᵢ·vᵢ) − (1 − yᵢ) ln(1 − σ(uᵢ·vᵢ))          L = Σᵢ ℓᵢ
/// ```
///
/// `u` are embeddings by the first encoder, `v` by the second. Both begin as the same model and are trained
/// separately. A pair has the label 1 if both encoders embed one text, and 0 if they embed two; in the paper
/// one pair of eight is positive. The second encoder is the one to keep. With the other rows of the batch as
/// negatives, [`ContrastiveTensionLossInBatchNegatives`](crate::ContrastiveTensionLossInBatchNegatives) learns more from as many texts.
///
/// # Terms
///
/// One per pair, `[n]`.
///
/// # Differences
///
/// From sentence-transformers: the batch holds the embeddings of both encoders and the labels (there, the loss
/// copies the encoder, and compares texts if there are no labels).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::ContrastiveTensionLossConfig;
///
/// let device = Device::flex();
/// let by_first = Tensor::<2>::from_floats([[1.0, 2.0], [1.0, 2.0]], &device);
/// let by_second = Tensor::<2>::from_floats([[1.0, 1.0], [2.0, -1.0]], &device);
/// let same = Tensor::<1, Int>::from_ints([1, 0], &device);
///
/// // Dot products 3 and 0: ln(1 + e⁻³) + ln 2
/// let loss = ContrastiveTensionLossConfig::new().init();
/// let value = loss.forward((by_first, by_second, same)).into_scalar::<f32>();
/// assert!((value - 0.741735).abs() < 1e-6);
/// ```
///
/// # References
///
/// - F. Carlsson et al.: Semantic Re-tuning with Contrastive Tension, 2021,
///   <https://openreview.net/forum?id=Ov_sMNau-PF>
#[derive(Module, Debug)]
pub struct ContrastiveTensionLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: ContrastiveTensionLossConfig,
}

impl BatchLoss<PairBatch> for ContrastiveTensionLoss {
    fn terms(&self, batch: PairBatch) -> Terms {
        batch.warn_outside("ContrastiveTensionLoss", 0.0..=1.0);
        let PairBatch { left, right, labels } = batch;
        // u·v
        let scores = Similarity::Dot.paired(left, right);
        // −y ln σ(u·v) − (1 − y) ln(1 − σ(u·v))
        Terms::all(binary_cross_entropy_with_logits(scores, labels))
    }
}

init!(ContrastiveTensionLossConfig => ContrastiveTensionLoss);
forward!(ContrastiveTensionLoss, PairBatch, "The loss of every pair, `[n]`.");
