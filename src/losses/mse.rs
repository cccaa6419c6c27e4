use burn::nn::Linear;
use burn::prelude::*;

use super::projection::{ProjectionConfig, projected};
use super::{BatchLoss, config, forward};
use crate::batch::DistillationBatch;
use crate::error::{ConfigError, expect_valid};
use crate::objective::regression::{squared_error, squared_error_sum};
use crate::reduction::{Reduced, Reduction, Terms};

const NAME: &str = "MseLoss";

config! {
    /// Configuration of [`MseLoss`].
    pub struct MseLossConfig {
        /// A projection of the student's embeddings for a teacher of another dimension, owned and trained
        /// by the loss.
        pub projection: Option<ProjectionConfig> = None, set by with_projection;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl MseLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If a dimension of the projection is 0, or it would have more than 2²⁸ weights.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.projection.as_ref().map_or(Ok(()), |projection| projection.check(NAME))
    }

    /// Builds the loss, with its projection on `device`.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init(&self, device: &Device) -> MseLoss {
        expect_valid(self.check());
        let projection = self.projection.as_ref().map(|projection| projection.init(device));
        MseLoss { projection, config: self.clone() }
    }
}

/// Makes embeddings equal to those of a teacher, for instance to teach a model another language or
/// a small model what a large one knows.
///
/// ```text
/// ℓₖᵢⱼ = (eₖᵢⱼ − yₖᵢⱼ)²          L = 1/(columns · n · dim) Σₖᵢⱼ ℓₖᵢⱼ
/// ```
///
/// `e` is an embedding of the student, projected if a projection is configured. The target is the
/// same for all columns of texts (`[n, dim]`: a sentence and its translation both learn the
/// teacher's vector) or one for each column (`[n, columns, dim]`).
///
/// # Terms
///
/// One per column, row and coordinate, `[columns · n · dim]`.
///
/// # Differences
///
/// From sentence-transformers: targets must have one row for every embedding (there, a single row
/// silently serves for all).
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::MseLossConfig;
///
/// let device = Device::flex();
/// let student = Tensor::<2>::from_floats([[1.0, 2.0]], &device);
/// let teacher = Tensor::<2>::from_floats([[1.0, 4.0]], &device);
///
/// // (0² + 2²) / 2
/// let loss = MseLossConfig::new().init(&device).forward((student, teacher));
/// assert_eq!(loss.into_scalar::<f32>(), 2.0);
/// ```
///
/// # References
///
/// - N. Reimers, I. Gurevych: Making Monolingual Sentence Embeddings Multilingual using Knowledge
///   Distillation, 2020, <https://arxiv.org/abs/2004.09813>
#[derive(Module, Debug)]
pub struct MseLoss {
    /// The trainable projection, if one is configured.
    pub projection: Option<Linear>,
    /// The configuration of the loss.
    #[module(skip)]
    pub config: MseLossConfig,
}

impl BatchLoss<DistillationBatch> for MseLoss {
    #[track_caller]
    fn terms(&self, batch: DistillationBatch) -> Terms {
        // (e − y)²
        let error = |(e, y)| squared_error(e, y).flatten(0, 1);
        let pairs = projected(NAME, self.projection.as_ref(), batch);
        Terms::all(Tensor::cat(pairs.into_iter().map(error).collect(), 0))
    }

    #[track_caller]
    fn reduced(&self, batch: DistillationBatch, reduction: Reduction) -> Reduced {
        let columns = batch.columns.len();
        // Σ ‖e − y‖²
        let sum = |(e, y): (Tensor<2>, Tensor<2>)| {
            let weight = reduction.weight(columns * e.shape().num_elements());
            squared_error_sum(e, y, weight)
        };
        let pairs = projected(NAME, self.projection.as_ref(), batch);
        let sums = pairs.into_iter().map(sum).reduce(|total, sum| total + sum);
        Reduced::new(sums.expect("a batch has at least one column"))
    }
}

forward!(MseLoss, DistillationBatch, "The squared errors, `[columns · n · dim]`.");
