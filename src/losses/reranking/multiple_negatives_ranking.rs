use burn::prelude::*;
use rand::Rng;
use rand::seq::index;

use super::Activation;
use crate::batch::{CandidateBatch, ClassTargets};
use crate::error::ConfigError;
use crate::losses::{BatchLoss, config, forward, init};
use crate::objective::classification::cross_entropy;
use crate::reduction::{Reduction, Terms};

const NAME: &str = "MultipleNegativesRankingLoss";

config! {
    /// Configuration of a reranker's [`MultipleNegativesRankingLoss`].
    pub struct MultipleNegativesRankingLossConfig {
        /// How many documents of other rows [`in_batch_negatives`](MultipleNegativesRankingLoss::in_batch_negatives)
        /// draws for each query; at least 1. `None` takes all.
        pub num_negatives: Option<usize> = Some(4), set by with_num_negatives;
        /// Factor on the activated logits; positive. `None` is 1.
        pub scale: Option<f64> = Some(10.0), set by with_scale;
        /// Function of the logits before they are scaled.
        #[serde(alias = "activation_fn")]
        pub activation: Activation = Activation::Sigmoid, set by with_activation;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl MultipleNegativesRankingLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `num_negatives` is 0, or `scale` is not positive and finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        let negatives = self.num_negatives.unwrap_or(1);
        ConfigError::unless(negatives > 0, NAME, "num_negatives", "must be at least 1", negatives)?;
        ConfigError::unless_positive(NAME, "scale", self.scale.unwrap_or(1.0))
    }
}

/// Ranks the positive of a query above documents of other queries and its own hard negatives.
///
/// ```text
/// ℓᵢ = ln Σ_c exp(t f(zᵢ_c)) − t f(zᵢ₀)          L = 1/n Σᵢ ℓᵢ
/// ```
///
/// `zᵢ₀` is the logit of the positive, `f` the activation, `t` the scale. A cross-encoder has to read every
/// pair of a query and a document, so only some of the batch's documents are taken as negatives:
/// [`in_batch_negatives`](Self::in_batch_negatives) draws them.
///
/// # Terms
///
/// One per query, `[n]`.
///
/// # Differences
///
/// From sentence-transformers: the negatives are drawn by the caller, with a seed of the caller's. The
/// cached form of the loss is this loss in a [`GradCache`](crate::GradCache).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::reranking::{Activation, MultipleNegativesRankingLossConfig};
/// use rand::SeedableRng;
/// use rand::rngs::StdRng;
///
/// let config = MultipleNegativesRankingLossConfig::new().with_num_negatives(Some(2));
/// let loss = config.with_activation(Activation::Identity).with_scale(None).init();
///
/// // Three queries with a positive and a hard negative each: six documents, 3 to 5 the negatives.
/// let chosen = loss.in_batch_negatives(3, 2, &mut StdRng::seed_from_u64(7));
/// assert!(chosen.iter().all(|of_query| of_query.len() == 2));
/// assert!(!chosen[1].contains(&1) && !chosen[1].contains(&4));
///
/// // The model scores the positive, the chosen documents and the hard negatives of each query.
/// let logits = Tensor::<2>::zeros([3, 4], &Device::flex());
/// assert!((loss.forward(logits).into_scalar::<f32>() - 4f32.ln()).abs() < 1e-6);
/// ```
///
/// # References
///
/// - A. van den Oord, Y. Li, O. Vinyals: Representation Learning with Contrastive Predictive Coding,
///   2018, <https://arxiv.org/abs/1807.03748>
#[derive(Module, Debug)]
pub struct MultipleNegativesRankingLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: MultipleNegativesRankingLossConfig,
}

impl BatchLoss<CandidateBatch> for MultipleNegativesRankingLoss {
    fn terms(&self, CandidateBatch { logits }: CandidateBatch) -> Terms {
        let scores = self.config.activation.apply(logits);
        let scores = scores.mul_scalar(self.config.scale.unwrap_or(1.0));
        let first = Tensor::zeros([scores.dims()[0]], &scores.device());
        // ln Σ exp(t f(z)) − t f(z₀)
        cross_entropy(scores, ClassTargets::Indices(first), 0.0)
    }
}

impl MultipleNegativesRankingLoss {
    /// Draws the documents of other rows that serve as negatives of each query, without repetition:
    /// index `c · rows + i` is row `i` of document column `c`, of which column 0 holds the positives.
    ///
    /// No document of the query's own row is drawn. Fewer than `num_negatives` come if the batch has no
    /// more.
    pub fn in_batch_negatives(
        &self,
        rows: usize,
        columns: usize,
        rng: &mut impl Rng,
    ) -> Vec<Vec<usize>> {
        let others = rows.saturating_sub(1) * columns;
        let count = self.config.num_negatives.unwrap_or(others).min(others);
        let of_row = |row: usize| {
            let place = |other: usize| {
                let (column, place) = (other / (rows - 1), other % (rows - 1));
                column * rows + place + usize::from(place >= row)
            };
            let drawn = index::sample(rng, others, count);
            drawn.into_iter().map(place).collect()
        };
        (0..rows).map(of_row).collect()
    }
}

init!(MultipleNegativesRankingLossConfig => MultipleNegativesRankingLoss);
forward!(MultipleNegativesRankingLoss, CandidateBatch, "The loss of every query, `[n]`.");

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn negatives_are_all_documents_of_other_rows() {
        let loss = MultipleNegativesRankingLossConfig::new().with_num_negatives(None).init();
        let mut chosen = loss.in_batch_negatives(3, 2, &mut StdRng::seed_from_u64(1));
        chosen.iter_mut().for_each(|chosen| chosen.sort_unstable());
        assert_eq!(chosen, [[1, 2, 4, 5], [0, 2, 3, 5], [0, 1, 3, 4]]);
        let alone = loss.in_batch_negatives(1, 2, &mut StdRng::seed_from_u64(1));
        assert_eq!(alone, [Vec::<usize>::new()]);
    }
}
