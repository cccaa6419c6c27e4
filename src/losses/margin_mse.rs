use burn::prelude::*;

use super::{BatchLoss, config, forward, init};
use crate::batch::{MarginBatch, RetrievalBatch};
use crate::error::ConfigError;
use crate::geometry::Similarity;
use crate::objective::regression::{margin_squared_error, margin_squared_error_sum};
use crate::reduction::{Reduced, Reduction, Terms};

config! {
    /// Configuration of [`MarginMseLoss`].
    pub struct MarginMseLossConfig {
        /// Similarity of query and candidate.
        #[serde(alias = "similarity_fct")]
        pub similarity: Similarity = Similarity::Dot, set by with_similarity;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl MarginMseLossConfig {
    /// Every configuration is valid; here so that all configurations can be checked alike.
    ///
    /// # Errors
    ///
    /// Never.
    pub fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

/// Makes the margin between a positive and a negative equal to the margin a teacher sees.
///
/// ```text
/// ℓᵢₖ = (s(qᵢ, pᵢ) − s(qᵢ, nᵢₖ) − yᵢₖ)²          L = 1/(n k) Σᵢₖ ℓᵢₖ
/// ```
///
/// The teacher, usually a cross-encoder, gives the margins `y`, `[n]` or `[n, k]`, or its scores of
/// the positive and the k negatives, `[n, k + 1]`.
///
/// # Terms
///
/// One per query and negative, `[n k]`, those of a query side by side.
///
/// # Differences
///
/// From sentence-transformers: integer targets need no cast; with the dot product and the cosine
/// the two candidates are subtracted before they are scored, so that a small margin does not cancel;
/// a zero row gets a zero gradient under the cosine.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::MarginMseLossConfig;
///
/// let device = Device::flex();
/// let query = Tensor::<2>::from_floats([[1.0, 2.0]], &device);
/// let positive = Tensor::<2>::from_floats([[3.0, 1.0]], &device);
/// let negative = Tensor::<2>::from_floats([[1.0, 0.0]], &device);
/// let margin = Tensor::<1>::from_floats([3.5], &device);
///
/// // (5 − 1 − 3.5)²
/// let loss = MarginMseLossConfig::new().init().forward((query, positive, negative, margin));
/// assert_eq!(loss.into_scalar::<f32>(), 0.25);
/// ```
///
/// # References
///
/// - S. Hofstätter et al.: Improving Efficient Neural Ranking Models with Cross-Architecture
///   Knowledge Distillation, 2020, <https://arxiv.org/abs/2010.02666>
#[derive(Module, Debug)]
pub struct MarginMseLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: MarginMseLossConfig,
}

impl BatchLoss<MarginBatch> for MarginMseLoss {
    fn terms(&self, MarginBatch { candidates, margins }: MarginBatch) -> Terms {
        let RetrievalBatch { anchor, positive, negatives, .. } = candidates;
        // (s(q, p) − s(q, nₖ) − yₖ)²
        let similarity = self.config.similarity;
        let errors = margin_squared_error(similarity, anchor, positive, negatives, margins);
        Terms::all(errors.flatten(0, 1))
    }

    #[track_caller]
    fn reduced(&self, batch: MarginBatch, reduction: Reduction) -> Reduced {
        let similarity = self.config.similarity;
        if !similarity.is_bilinear() {
            return self.terms(batch).reduce(reduction);
        }
        let MarginBatch { candidates, margins } = batch;
        let RetrievalBatch { anchor, positive, negatives, .. } = candidates;
        let weight = reduction.weight(margins.shape().num_elements());
        Reduced::new(margin_squared_error_sum(
            similarity, anchor, positive, negatives, margins, weight,
        ))
    }
}

init!(MarginMseLossConfig => MarginMseLoss);
forward!(MarginMseLoss, MarginBatch, "The loss of every query and negative, `[n k]`.");
