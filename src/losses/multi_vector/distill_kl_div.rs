use burn::prelude::*;

use crate::batch::TokenTeacherScoresBatch;
use crate::error::ConfigError;
use crate::geometry::TokenSimilarity;
use crate::losses::{BatchLoss, config, forward, init};
use crate::objective::divergence::kl_divergence;
use crate::reduction::{Reduction, Terms};

const NAME: &str = "MultiVectorDistillKLDivLoss";

config! {
    /// Configuration of [`MultiVectorDistillKlDivLoss`].
    pub struct MultiVectorDistillKlDivLossConfig {
        /// Similarity of query and document.
        #[serde(alias = "similarity_fct")]
        pub similarity: TokenSimilarity = TokenSimilarity::MaxSim, set by with_similarity;
        /// Divisor of the scores of student and teacher; positive. A higher temperature makes both distributions
        /// flatter, so that documents far down count more.
        pub temperature: f64 = 1.0, set by with_temperature;
        /// Divisor of the similarities instead; positive.
        pub student_temperature: Option<f64> = None, set by with_student_temperature;
        /// Divisor of the teacher's scores instead; positive.
        pub teacher_temperature: Option<f64> = None, set by with_teacher_temperature;
        /// Memory for the similarities of tokens in one block of queries, in bytes; at least enough for one query: 12
        /// bytes for each of its tokens and each token of its documents, and a little more (24 in `f64`; with `Xtr`,
        /// 20 for each token of all documents). Affects memory only, never the result. `None` means
        /// [`default_budget`](crate::blocks::default_budget).
        pub memory_budget: Option<usize> = None, set by with_memory_budget;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl MultiVectorDistillKlDivLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If a temperature is not positive and finite, or `top_k` is 0.
    pub fn check(&self) -> Result<(), ConfigError> {
        let [student, teacher] = self.temperatures();
        ConfigError::unless_positive(NAME, "temperature", self.temperature)?;
        ConfigError::unless_positive(NAME, "student_temperature", student)?;
        ConfigError::unless_positive(NAME, "teacher_temperature", teacher)?;
        super::check_similarity(NAME, self.similarity)
    }

    /// The temperature of the student and that of the teacher.
    fn temperatures(&self) -> [f64; 2] {
        [self.student_temperature, self.teacher_temperature]
            .map(|own| own.unwrap_or(self.temperature))
    }
}

/// Makes the distribution of a query's scores over its documents, compared token by token, equal to a teacher's.
///
/// ```text
/// ℓᵢ = t² Σₖ pᵢₖ (ln pᵢₖ − ln qᵢₖ)          pᵢ = softmax(yᵢ / t′),  qᵢₖ = softmaxₖ(s(xᵢ, dᵢₖ) / t)          L = 1/n Σᵢ ℓᵢ
/// ```
///
/// `x` are the queries, `d` their documents, `y` the scores that a teacher, usually a cross-encoder, gives the
/// documents, `t` the student's temperature and `t′` the teacher's. `s` is the [similarity](TokenSimilarity), by
/// default MaxSim, `Σ_t max_u x_t·d_u`. With `Xtr` a token of a query retrieves from all documents of the batch.
///
/// Only the most similar tokens are compared in a graph. A document without a token has the similarity −1e9, so the
/// probability 0.
///
/// # Terms
///
/// One per query, `[n]`.
///
/// # Differences
///
/// From sentence-transformers: as [those of the ranking loss](super::MultiVectorMultipleNegativesRankingLoss#differences);
/// a teacher's score of −∞ is the probability 0 (there, the loss is NaN).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::TokenEmbeddings;
/// use burn_embedding_losses::multi_vector::MultiVectorDistillKlDivLossConfig;
///
/// let device = Device::flex();
/// let tokens = |text: [[f32; 2]; 2]| TokenEmbeddings::unmasked(Tensor::from_floats([text], &device));
/// let query = tokens([[1.0, 0.0], [0.0, 1.0]]);
/// let documents = vec![tokens([[2.0, 0.0], [0.0, 3.0]]), tokens([[4.0, 1.0], [0.0, 0.0]])];
/// let teacher = Tensor::<2>::from_floats([[1.0, 0.0]], &device);
///
/// // MaxSim 5 and 5: q = (½, ½). p = (e, 1) / (e + 1). Σ p ln p + ln 2
/// let loss = MultiVectorDistillKlDivLossConfig::new().init();
/// let value = loss.forward((query, documents, teacher)).into_scalar::<f32>();
/// assert!((value - 0.110944).abs() < 1e-6);
/// ```
///
/// # References
///
/// - K. Santhanam et al.: ColBERTv2: Effective and Efficient Retrieval via Lightweight Late Interaction, 2022,
///   <https://arxiv.org/abs/2112.01488>
#[derive(Module, Debug)]
pub struct MultiVectorDistillKlDivLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: MultiVectorDistillKlDivLossConfig,
}

impl BatchLoss<TokenTeacherScoresBatch> for MultiVectorDistillKlDivLoss {
    #[track_caller]
    fn terms(&self, batch: TokenTeacherScoresBatch) -> Terms {
        let TokenTeacherScoresBatch { query, documents, scores } = batch;
        let config = &self.config;
        // s(x, d)
        let columns = (query, vec![documents]);
        let own = super::own_scores(NAME, config.similarity, columns, config.memory_budget);
        // t² Σ p (ln p − ln q)
        Terms::all(kl_divergence(own.scores(), scores, config.temperatures()))
    }
}

init!(MultiVectorDistillKlDivLossConfig => MultiVectorDistillKlDivLoss);
forward!(
    MultiVectorDistillKlDivLoss,
    TokenTeacherScoresBatch,
    "The divergence of every query, `[n]`."
);
