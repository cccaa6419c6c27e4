use burn::prelude::*;

use super::{WholeBatchLoss, config, forward, init};
use crate::batch::PairBatch;
use crate::error::ConfigError;
use crate::geometry::angle;
use crate::objective::pairwise_logistic::pairwise_logistic;
use crate::reduction::Reduced;

config! {
    /// Configuration of [`AngleLoss`].
    pub struct AngleLossConfig {
        /// Factor on the similarities; positive.
        pub scale: f64 = 20.0, set by with_scale;
    }
}

impl AngleLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `scale` is not positive and finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_positive("AnglELoss", "scale", self.scale)
    }
}

/// Brings the angles between pairs, read as complex numbers, into the order of their scores:
/// [`CoSentLoss`](crate::CoSentLoss) with another similarity.
///
/// ```text
/// L = ln(1 + Σ_{yᵢ < yⱼ} exp(t (sᵢ − sⱼ)))          sᵢ = |Re zᵢ + Im zᵢ|,  zᵢ = Σₖ uᵢₖ v̄ᵢₖ / (‖uᵢ‖ ‖vᵢ‖)
/// ```
///
/// `t` is the scale. The first half of a row holds the real parts, the second the imaginary parts
/// ([`angle`](crate::geometry::angle)). The cosine is flat where it is close to 1 or −1, and there its gradient
/// vanishes; that of the angle does not. Every two pairs of the batch with different scores are compared, so
/// a batch needs pairs with different scores: if all are equal, loss and gradient are 0.
///
/// Anchors with a positive and negatives are pairs as well: [`PairBatch::of_rankings`] gives the positive pairs
/// the label 1, or the given one, and the negative pairs 1 minus it.
///
/// # Terms
///
/// None: the loss is one number for the whole batch. It is not divided by anything, and grows with the
/// logarithm of the number of pairs in the wrong order.
///
/// # Numerical behavior
///
/// As [`CoSentLoss`](crate::CoSentLoss). The similarity has a kink where it is 0, and the gradient 0 there.
///
/// # Differences
///
/// From sentence-transformers: a zero row gets a zero gradient (there: up to 1e12).
///
/// The similarity is that of sentence-transformers, with all that follows from its definition: a row and its opposite are as similar
/// as two equal rows, and rows at 45° are either 0 or √2 similar, depending on their order.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::AngleLossConfig;
/// use burn_embedding_losses::batch::PairBatch;
///
/// let device = Device::flex();
/// let rows = |rows| Tensor::<2>::from_floats(rows, &device);
/// let left = rows([[1.0, 0.0], [1.0, 0.0]]);
/// let right = rows([[1.0, 0.0], [1.0, 1.0]]);
/// let scores = Tensor::<1>::from_floats([0.2, 0.9], &device);
///
/// // The first pair has similarity 1 and the lower score, the second |cos 45° − sin 45°| = 0: ln(1 + e¹)
/// let loss = AngleLossConfig::new().with_scale(1.0).init();
/// let value = loss.forward((left.clone(), right.clone(), scores)).into_scalar::<f32>();
/// assert!((value - 1.313262).abs() < 1e-6);
///
/// // Anchor, positive and negative: two pairs with the labels 1 and 0, in order. ln(1 + e⁻¹)
/// let [anchor, positive, negative] = [&left, &left, &right].map(|rows| rows.clone().slice(1..2));
/// let batch = PairBatch::of_rankings(anchor, positive, vec![negative], None);
/// assert!((loss.forward(batch).into_scalar::<f32>() - 0.313262).abs() < 1e-6);
/// ```
///
/// # References
///
/// - X. Li, J. Li: AnglE-optimized Text Embeddings, 2023, <https://arxiv.org/abs/2309.12871>
#[derive(Module, Debug)]
pub struct AngleLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: AngleLossConfig,
}

impl WholeBatchLoss<PairBatch> for AngleLoss {
    fn reduced(&self, PairBatch { left, right, labels }: PairBatch) -> Reduced {
        // |Re z + Im z|
        let scores = angle(left, right);
        // ln(1 + Σ exp(t (sᵢ − sⱼ)))
        pairwise_logistic(scores, labels, self.config.scale)
    }
}

init!(AngleLossConfig => AngleLoss);
forward!(AngleLoss, PairBatch);
