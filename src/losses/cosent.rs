use burn::prelude::*;

use super::{WholeBatchLoss, config, forward, init};
use crate::batch::PairBatch;
use crate::error::ConfigError;
use crate::geometry::Similarity;
use crate::objective::pairwise_logistic::pairwise_logistic;
use crate::reduction::Reduced;

config! {
    /// Configuration of [`CoSentLoss`].
    pub struct CoSentLossConfig {
        /// Factor on the similarities; positive. 20 suits the cosine, 1 the dot product.
        pub scale: f64 = 20.0, set by with_scale;
        /// Similarity of the two rows of a pair.
        #[serde(alias = "similarity_fct")]
        pub similarity: Similarity = Similarity::Cosine, set by with_similarity;
    }
}

impl CoSentLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `scale` is not positive and finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_positive("CoSENTLoss", "scale", self.scale)
    }
}

/// Brings the similarities of pairs into the order of their scores; the range of the scores does not matter.
///
/// ```text
/// L = ln(1 + Σ_{yᵢ < yⱼ} exp(t (sᵢ − sⱼ)))          sᵢ = s(uᵢ, vᵢ)
/// ```
///
/// `t` is the scale. Every two pairs of the batch with different scores are compared; pairs with equal
/// scores are not. A batch needs pairs with different scores: if all are equal, loss and gradient are 0.
/// It often works better than [`CosineSimilarityLoss`](crate::CosineSimilarityLoss) on the same data,
/// because only the order counts.
///
/// # Terms
///
/// None: the loss is one number for the whole batch. It is not divided by anything, and grows with the
/// logarithm of the number of pairs in the wrong order.
///
/// # Numerical behavior
///
/// One sort and running log-sum-exps, `n log n`, with the memory of a few vectors; value and gradient stay
/// in the log domain.
///
/// # Differences
///
/// From sentence-transformers: a zero row gets a zero gradient under the cosine (there: up to 1e12).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::CoSentLossConfig;
///
/// let device = Device::flex();
/// let left = Tensor::<2>::from_floats([[1.0, 0.0], [1.0, 0.0]], &device);
/// let right = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0]], &device);
/// let scores = Tensor::<1>::from_floats([0.2, 0.9], &device);
///
/// // The first pair has cosine 1 and the lower score, the second cosine 0: ln(1 + e¹)
/// let loss = CoSentLossConfig::new().with_scale(1.0).init();
/// let value = loss.forward((left, right, scores)).into_scalar::<f32>();
/// assert!((value - 1.313262).abs() < 1e-6);
/// ```
///
/// # References
///
/// - J. Su: CoSENT, a more efficient sentence embedding scheme than Sentence-BERT, 2022,
///   <https://kexue.fm/archives/8847>
#[derive(Module, Debug)]
pub struct CoSentLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: CoSentLossConfig,
}

impl WholeBatchLoss<PairBatch> for CoSentLoss {
    fn reduced(&self, PairBatch { left, right, labels }: PairBatch) -> Reduced {
        // s(u, v)
        let scores = self.config.similarity.paired(left, right);
        // ln(1 + Σ exp(t (sᵢ − sⱼ)))
        pairwise_logistic(scores, labels, self.config.scale)
    }
}

init!(CoSentLossConfig => CoSentLoss);
forward!(CoSentLoss, PairBatch);
