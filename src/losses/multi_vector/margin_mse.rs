use burn::prelude::*;

use crate::batch::{TokenMarginBatch, TokenRetrievalBatch};
use crate::error::ConfigError;
use crate::geometry::TokenSimilarity;
use crate::losses::{BatchLoss, config, forward, init};
use crate::objective::regression::squared_error;
use crate::reduction::{Reduction, Terms};

const NAME: &str = "MultiVectorMarginMSELoss";

config! {
    /// Configuration of [`MultiVectorMarginMseLoss`].
    pub struct MultiVectorMarginMseLossConfig {
        /// Similarity of query and candidate.
        #[serde(alias = "similarity_fct")]
        pub similarity: TokenSimilarity = TokenSimilarity::MaxSim, set by with_similarity;
        /// Memory for the similarities of tokens in one block of queries, in bytes; at least enough for one query: 12
        /// bytes for each of its tokens and each token of the longest column of candidates, and a little more (24 in `f64`; with `Xtr`, 20
        /// for each token of a column of candidates). Affects memory only, never the result. `None` means
        /// [`default_budget`](crate::blocks::default_budget).
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl MultiVectorMarginMseLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `top_k` is 0.
    pub fn check(&self) -> Result<(), ConfigError> {
        super::check_similarity(NAME, self.similarity)
    }
}

/// Makes the margin between a positive and a negative, compared with the query token by token, equal to the margin a
/// teacher sees.
///
/// ```text
/// ℓᵢₖ = (s(qᵢ, pᵢ) − s(qᵢ, nᵢₖ) − yᵢₖ)²          L = 1/(n k) Σᵢₖ ℓᵢₖ
/// ```
///
/// `s` is the [similarity](TokenSimilarity), by default MaxSim, `Σ_t max_u q_t·d_u`. The teacher, usually a
/// cross-encoder, gives the margins `y`, `[n]` or `[n, k]`, or its scores of the positive and the k negatives,
/// `[n, k + 1]`. With `Xtr` a token of a query retrieves from the candidates of one column of the batch.
///
/// Only the most similar tokens are compared in a graph. A candidate without a token has the similarity −1e9, which no
/// margin makes up for: leave such rows out.
///
/// # Terms
///
/// One per query and negative, `[n k]`, those of a query side by side.
///
/// # Differences
///
/// From sentence-transformers: as [those of the ranking loss](super::MultiVectorMultipleNegativesRankingLoss#differences);
/// integer targets need no cast; the tokens of two candidates are subtracted before they are compared, so that a small
/// margin does not cancel.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::TokenEmbeddings;
/// use burn_embedding_losses::multi_vector::MultiVectorMarginMseLossConfig;
///
/// let device = Device::flex();
/// let tokens = |text: [[f32; 2]; 2]| TokenEmbeddings::unmasked(Tensor::from_floats([text], &device));
/// let query = tokens([[1.0, 0.0], [0.0, 1.0]]);
/// let (positive, negative) = (tokens([[2.0, 0.0], [0.0, 3.0]]), tokens([[1.0, 0.0], [0.0, 0.0]]));
/// let margin = Tensor::<1>::from_floats([3.5], &device);
///
/// // MaxSim: 2 + 3, and 1 + 0. (5 − 1 − 3.5)²
/// let loss = MultiVectorMarginMseLossConfig::new().init();
/// let value = loss.forward((query, positive, vec![negative], margin));
/// assert_eq!(value.into_scalar::<f32>(), 0.25);
/// ```
///
/// # References
///
/// - S. Hofstätter et al.: Improving Efficient Neural Ranking Models with Cross-Architecture
///   Knowledge Distillation, 2020, <https://arxiv.org/abs/2010.02666>
#[derive(Module, Debug)]
pub struct MultiVectorMarginMseLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: MultiVectorMarginMseLossConfig,
}

impl BatchLoss<TokenMarginBatch> for MultiVectorMarginMseLoss {
    #[track_caller]
    fn terms(&self, TokenMarginBatch { candidates, margins }: TokenMarginBatch) -> Terms {
        let TokenRetrievalBatch { query, documents } = candidates;
        let config = &self.config;
        // A column at a time, of which XTR retrieves.
        let groups = documents.into_iter().map(|column| vec![column]).collect();
        let own = super::own_scores(NAME, config.similarity, (query, groups), config.memory_budget);
        // (s(q, p) − s(q, nₖ) − yₖ)²
        let predicted = own.margins();
        Terms::all(squared_error(predicted, margins).flatten(0, 1))
    }
}

init!(MultiVectorMarginMseLossConfig => MultiVectorMarginMseLoss);
forward!(
    MultiVectorMarginMseLoss,
    TokenMarginBatch,
    "The loss of every query and negative, `[n k]`."
);
