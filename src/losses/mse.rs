use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;

use super::{BatchLoss, config, forward};
use crate::batch::DistillationBatch;
use crate::error::{ConfigError, expect_valid};
use crate::kernels::project;
use crate::objective::regression::{squared_error, squared_error_sum};
use crate::reduction::{Reduced, Reduction, Terms};

config! {
    /// A trainable map from the student's dimension to the teacher's.
    pub struct ProjectionConfig(
        /// Dimension of the student's embeddings; at least 1.
        pub embedding_dimension: usize,
        /// Dimension of the teacher's embeddings; at least 1. `projection_dim` of
        /// sentence-transformers.
        #[serde(alias = "projection_dim")]
        pub target_dimension: usize,
    ) {}
}

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
        let Some(projection) = &self.projection else {
            return Ok(());
        };
        for (field, size) in [
            ("embedding_dimension", projection.embedding_dimension),
            ("target_dimension", projection.target_dimension),
        ] {
            ConfigError::unless(size > 0, "MseLoss", field, "must be at least 1", size)?;
            ConfigError::unless_layer_fits("MseLoss", field, 1, size)?;
        }
        let [inputs, outputs] = [projection.embedding_dimension, projection.target_dimension];
        ConfigError::unless_layer_fits("MseLoss", "target_dimension", inputs, outputs)
    }

    /// Builds the loss, with its projection on `device`.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init(&self, device: &Device) -> MseLoss {
        expect_valid(self.check());
        let linear =
            |p: &ProjectionConfig| LinearConfig::new(p.embedding_dimension, p.target_dimension);
        MseLoss {
            projection: self.projection.as_ref().map(|p| linear(p).init(device)),
            config: self.clone(),
        }
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
        Terms::all(Tensor::cat(self.pairs(batch).map(error).collect(), 0))
    }

    #[track_caller]
    fn reduced(&self, batch: DistillationBatch, reduction: Reduction) -> Reduced {
        let columns = batch.columns.len();
        // Σ ‖e − y‖²
        let sum = |(e, y): (Tensor<2>, Tensor<2>)| {
            let weight = reduction.weight(columns * e.shape().num_elements());
            squared_error_sum(e, y, weight)
        };
        let sums = self.pairs(batch).map(sum).reduce(|total, sum| total + sum);
        Reduced::new(sums.expect("a batch has at least one column"))
    }
}

impl MseLoss {
    /// Embeddings, projected, and their targets.
    #[track_caller]
    fn pairs(
        &self,
        DistillationBatch { columns, targets }: DistillationBatch,
    ) -> impl Iterator<Item = (Tensor<2>, Tensor<2>)> {
        let mut pairs = Vec::with_capacity(columns.len());
        for (embeddings, target) in columns.into_iter().zip(targets) {
            let embeddings = match &self.projection {
                Some(projection) => project(projection, embeddings),
                None => embeddings,
            };
            let (got, expected) = (embeddings.dims(), target.dims());
            assert!(
                got == expected,
                "MseLoss: `embeddings` must have the shape {expected:?} of `targets`, got {got:?}"
            );
            pairs.push((embeddings, target));
        }
        pairs.into_iter()
    }
}

forward!(MseLoss, DistillationBatch, "The squared errors, `[columns · n · dim]`.");
