use burn::prelude::*;

use crate::batch::TokenRetrievalBatch;
use crate::blocks::Blocks;
use crate::error::ConfigError;
use crate::geometry::TokenSimilarity;
use crate::losses::{BatchLoss, config, forward, init};
use crate::objective::ranking::{Candidates, Contest, Ranking, Scale};
use crate::reduction::{Reduced, Reduction, Terms};
use crate::scores::{Comparison, TokenScores};

const NAME: &str = "MultiVectorMultipleNegativesRankingLoss";

config! {
    /// Configuration of [`MultiVectorMultipleNegativesRankingLoss`].
    pub struct MultiVectorMultipleNegativesRankingLossConfig {
        /// Factor on the similarities; positive. 1 suits `MaxSim`, the number of tokens of a query `MeanMaxSim`.
        pub scale: f64 = 1.0, set by with_scale;
        /// Similarity of query and document.
        #[serde(alias = "similarity_fct")]
        pub similarity: TokenSimilarity = TokenSimilarity::MaxSim, set by with_similarity;
        /// Memory for the similarities of tokens in one block of queries, in bytes; at least enough for one query: 12
        /// bytes for each of its tokens and each token of the documents, and a little more (24 in `f64`, 20 with
        /// `Xtr`). Affects memory only, never the result. `None` means
        /// [`default_budget`](crate::blocks::default_budget).
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl MultiVectorMultipleNegativesRankingLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `scale` is not positive and finite, or `top_k` is 0.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::unless_positive(NAME, "scale", self.scale)?;
        super::check_similarity(NAME, self.similarity)
    }
}

/// Late interaction with in-batch negatives: each query must find its own positive among the documents of the whole
/// batch, compared token by token.
///
/// ```text
/// zᵢⱼ = t s(qᵢ, dⱼ)          ℓᵢ = ln Σⱼ exp(zᵢⱼ) − zᵢᵢ          L = 1/n Σᵢ ℓᵢ
/// ```
///
/// `d` are the positives of all queries, then their hard negatives, if any; `t` is the scale and `s` the
/// [similarity](TokenSimilarity), by default MaxSim, `Σ_t max_u q_t·d_u`.
///
/// The similarities of all tokens of all texts are never in memory together: a block of queries gives its value and
/// its gradients at once, and is freed. The gradient reaches the tokens of a query, and of each document the one that
/// is most similar to each of them.
///
/// # Terms
///
/// One per query, `[n]`. [`forward_no_reduction`](Self::forward_no_reduction) keeps the similarities of all tokens in
/// memory where a gradient is wanted.
///
/// # Differences
///
/// From sentence-transformers: tokens need a mask (there, without one, zero rows count as padding); with `Xtr`, all
/// tokens that are as similar as the last of `top_k` are retrieved (there, some of them). The cached form of the loss
/// is this loss in a [`GradCache`](crate::GradCache).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::TokenEmbeddings;
/// use burn_embedding_losses::multi_vector::MultiVectorMultipleNegativesRankingLossConfig;
///
/// let device = Device::flex();
/// let queries = Tensor::<3>::from_floats([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [5.0, 5.0]]], &device);
/// let mask = Tensor::from_bool([[true, true], [true, false]], &device);
/// let queries = TokenEmbeddings::new(queries, mask);
/// let documents = TokenEmbeddings::unmasked(Tensor::from_floats(
///     [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 2.0], [0.0, -1.0]]],
///     &device,
/// ));
///
/// // MaxSim: 1 + 1 and 0 + 2; 1 and 2. The mean of ln(e² + e²) − 2 and ln(e¹ + e²) − 2.
/// let loss = MultiVectorMultipleNegativesRankingLossConfig::new().init();
/// let value = loss.forward((queries, documents)).into_scalar::<f32>();
/// assert!((value - (2f32.ln() + (-1f32).exp().ln_1p()) / 2.0).abs() < 1e-6);
/// ```
///
/// # References
///
/// - O. Khattab, M. Zaharia: ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction over
///   BERT, 2020, <https://arxiv.org/abs/2004.12832>
/// - J. Lee et al.: Rethinking the Role of Token Retrieval in Multi-Vector Retrieval (XTR), 2023,
///   <https://arxiv.org/abs/2304.01982>
#[derive(Module, Debug)]
pub struct MultiVectorMultipleNegativesRankingLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: MultiVectorMultipleNegativesRankingLossConfig,
}

impl BatchLoss<TokenRetrievalBatch> for MultiVectorMultipleNegativesRankingLoss {
    #[track_caller]
    fn terms(&self, batch: TokenRetrievalBatch) -> Terms {
        let (candidates, ranking, blocks) = self.prepare(batch);
        // ln Σ exp(z) − zᵢᵢ
        candidates.terms(&ranking, blocks)
    }

    #[track_caller]
    fn reduced(&self, batch: TokenRetrievalBatch, reduction: Reduction) -> Reduced {
        let (candidates, ranking, blocks) = self.prepare(batch);
        // Σ (ln Σ exp(z) − zᵢᵢ), a block of queries at a time
        candidates.reduced(&ranking, reduction, blocks)
    }
}

impl MultiVectorMultipleNegativesRankingLoss {
    #[track_caller]
    fn prepare(
        &self,
        TokenRetrievalBatch { query, documents }: TokenRetrievalBatch,
    ) -> (Candidates<TokenScores>, Ranking, Blocks) {
        let config = &self.config;
        let scores = TokenScores::new(config.similarity, query, documents);
        let anchors = scores.anchors();
        let candidates = Candidates::new(scores, Scale::Fixed(config.scale));
        let comparisons = vec![Comparison::QUERY_TO_DOCUMENT];
        let ranking = Ranking {
            comparisons,
            contest: Contest::Joint,
            penalty: None,
            decoupled: false,
            false_negatives: None,
        };
        let bytes = candidates.bytes_per_query(&ranking);
        let blocks = anchors.blocks(NAME, config.memory_budget, bytes);
        (candidates, ranking, blocks)
    }
}

init!(MultiVectorMultipleNegativesRankingLossConfig => MultiVectorMultipleNegativesRankingLoss);
forward!(
    MultiVectorMultipleNegativesRankingLoss,
    TokenRetrievalBatch,
    "The loss of every query, `[n]`; where a gradient is wanted, all similarities are in memory at once."
);
