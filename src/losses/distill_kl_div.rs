use burn::prelude::*;

use super::{BatchLoss, config, forward, init};
use crate::batch::TeacherScoresBatch;
use crate::error::ConfigError;
use crate::geometry::Similarity;
use crate::objective::divergence::{kl_divergence, kl_divergence_sum};
use crate::reduction::{Reduced, Reduction, Terms};

const NAME: &str = "DistillKLDivLoss";

config! {
    /// Configuration of [`DistillKlDivLoss`].
    pub struct DistillKlDivLossConfig {
        /// Similarity of query and document.
        #[serde(alias = "similarity_fct")]
        pub similarity: Similarity = Similarity::Dot, set by with_similarity;
        /// Divisor of the scores of student and teacher; positive. A higher temperature makes both distributions flatter,
        /// so that documents far down count more.
        pub temperature: f64 = 1.0, set by with_temperature;
        /// Divisor of the similarities instead; positive.
        pub student_temperature: Option<f64> = None, set by with_student_temperature;
        /// Divisor of the teacher's scores instead; positive.
        pub teacher_temperature: Option<f64> = None, set by with_teacher_temperature;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl DistillKlDivLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If a temperature is not positive and finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        let [student, teacher] = self.temperatures();
        ConfigError::unless_positive(NAME, "temperature", self.temperature)?;
        ConfigError::unless_positive(NAME, "student_temperature", student)?;
        ConfigError::unless_positive(NAME, "teacher_temperature", teacher)
    }

    /// The temperature of the student and that of the teacher.
    fn temperatures(&self) -> [f64; 2] {
        [self.student_temperature, self.teacher_temperature]
            .map(|own| own.unwrap_or(self.temperature))
    }
}

/// Makes the distribution of a query's scores over its documents equal to a teacher's.
///
/// ```text
/// ℓᵢ = t² Σₖ pᵢₖ (ln pᵢₖ − ln qᵢₖ)          pᵢ = softmax(yᵢ / t′),  qᵢₖ = softmaxₖ(s(xᵢ, dᵢₖ) / t)          L = 1/n Σᵢ ℓᵢ
/// ```
///
/// `x` are the queries, `d` their documents, `y` the scores that a teacher, usually a cross-encoder, gives the
/// documents, `t` the student's temperature and `t′` the teacher's. What a query's scores have in common does
/// not matter, only their differences; unlike [`MarginMseLoss`](crate::MarginMseLoss) it compares all documents of a query at once, and
/// those that the teacher thinks likely count most. The factor `t²` keeps the size of the gradients.
///
/// # Terms
///
/// One per query, `[n]`.
///
/// # Differences
///
/// From sentence-transformers: a NaN among the teacher's scores is found by
/// [`check`](crate::batch::TeacherScoresBatch::check) (there, in the first batch); a zero row gets a zero gradient
/// under the cosine.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::DistillKlDivLossConfig;
///
/// let device = Device::flex();
/// let rows = |row| Tensor::<2>::from_floats([row], &device);
/// let (query, documents) = (rows([1.0, 2.0]), vec![rows([3.0, 1.0]), rows([1.0, 2.0])]);
/// let teacher = rows([1.0, 0.0]);
///
/// // Scores 5 and 5: q = (½, ½). p = (e, 1) / (e + 1). Σ p ln p + ln 2
/// let loss = DistillKlDivLossConfig::new().init();
/// let value = loss.forward((query, documents, teacher)).into_scalar::<f32>();
/// assert!((value - 0.110944).abs() < 1e-6);
/// ```
///
/// # References
///
/// - S.-C. Lin, J.-H. Yang, J. Lin: Distilling Dense Representations for Ranking using Tightly-Coupled Teachers, 2020,
///   <https://arxiv.org/abs/2010.11386>
#[derive(Module, Debug)]
pub struct DistillKlDivLoss {
    /// The configuration of the loss.
    #[module(skip)]
    pub config: DistillKlDivLossConfig,
}

impl BatchLoss<TeacherScoresBatch> for DistillKlDivLoss {
    fn terms(&self, TeacherScoresBatch { query, documents, scores }: TeacherScoresBatch) -> Terms {
        // s(x, d)
        let of_document = |rows| self.config.similarity.paired(query.clone(), rows);
        let similarities = Tensor::stack(documents.into_iter().map(of_document).collect(), 1);
        // t² Σ p (ln p − ln q)
        Terms::all(kl_divergence(similarities, scores, self.config.temperatures()))
    }

    #[track_caller]
    fn reduced(&self, batch: TeacherScoresBatch, reduction: Reduction) -> Reduced {
        let DistillKlDivLossConfig { similarity, .. } = self.config;
        if !similarity.is_bilinear() {
            return self.terms(batch).reduce(reduction);
        }
        let TeacherScoresBatch { query, documents, scores } = batch;
        let (weight, query) = (reduction.weight(query.dims()[0]), similarity.prepare(query));
        let documents = documents.into_iter().map(|rows| similarity.prepare(rows)).collect();
        let temperatures = self.config.temperatures();
        Reduced::new(kl_divergence_sum(query, documents, scores, temperatures, weight))
    }
}

init!(DistillKlDivLossConfig => DistillKlDivLoss);
forward!(DistillKlDivLoss, TeacherScoresBatch, "The divergence of every query, `[n]`.");
