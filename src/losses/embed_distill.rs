use burn::nn::Linear;
use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::projection::{ProjectionConfig, projected};
use super::{BatchLoss, config, forward};
use crate::batch::DistillationBatch;
use crate::error::{ConfigError, expect_valid};
use crate::geometry::Distance;
use crate::objective::regression::squared_error;
use crate::reduction::{Reduction, Terms};

const NAME: &str = "EmbedDistillLoss";

/// How far an embedding is from that of the teacher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TeacherDistance {
    /// `1 − cos(e, y)`: only the direction counts.
    #[serde(alias = "cosine")]
    Cosine,
    /// `‖e − y‖`.
    #[serde(alias = "l2")]
    Euclidean,
    /// `(eⱼ − yⱼ)²` for every coordinate, as in [`MseLoss`](crate::MseLoss).
    #[serde(alias = "mse")]
    SquaredError,
}

config! {
    /// Configuration of [`EmbedDistillLoss`].
    pub struct EmbedDistillLossConfig {
        /// Distance of an embedding from its target.
        #[serde(alias = "distance_metric")]
        pub distance: TeacherDistance = TeacherDistance::Cosine, set by with_distance;
        /// A projection of the student's embeddings for a teacher of another dimension, owned and trained
        /// by the loss.
        pub projection: Option<ProjectionConfig> = None, set by with_projection;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl EmbedDistillLossConfig {
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
    pub fn init(&self, device: &Device) -> EmbedDistillLoss {
        expect_valid(self.check());
        let projection = self.projection.as_ref().map(|projection| projection.init(device));
        EmbedDistillLoss { projection, config: self.clone() }
    }
}

/// Brings embeddings close to those of a teacher: [`MseLoss`](crate::MseLoss) with a choice of the distance.
///
/// ```text
/// ℓₖᵢ = d(eₖᵢ, yₖᵢ)          L = 1/(columns · n) Σₖᵢ ℓₖᵢ
/// ```
///
/// `e` is an embedding of the student, projected if a projection is configured. The target is the same for all
/// columns of texts (`[n, dim]`: a sentence and its translation both learn the teacher's vector) or one for each
/// column (`[n, columns, dim]`).
///
/// | [`TeacherDistance`] | `d(e, y)` |
/// | :-- | :-- |
/// | `Cosine` | `1 − e·y / (‖e‖ ‖y‖)` |
/// | `Euclidean` | `‖e − y‖` |
/// | `SquaredError` | `(eⱼ − yⱼ)²`, one for every coordinate |
///
/// Embeddings that are compared by their cosine need only the teacher's directions: take `Cosine`. The gradient of
/// `Euclidean` has the same length for close rows as for distant ones, and is 0 between equal rows.
///
/// # Terms
///
/// One per column and row, `[columns · n]`; with `SquaredError` one per coordinate, `[columns · n · dim]`.
///
/// # Differences
///
/// From sentence-transformers: targets must have one row for every embedding (there, a single row silently
/// serves for all); the cosine of short rows is right down to a length of 1e-12 (there, 1e-8), and a zero row gets
/// a zero gradient under it.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::{EmbedDistillLossConfig, TeacherDistance};
///
/// let device = Device::flex();
/// let student = Tensor::<2>::from_floats([[3.0, 4.0], [1.0, 0.0]], &device);
/// let teacher = Tensor::<2>::from_floats([[0.0, 2.0], [1.0, 0.0]], &device);
///
/// // Cosines ⅘ and 1, distances √13 and 0
/// let config = EmbedDistillLossConfig::new();
/// let loss = config.init(&device).forward((student.clone(), teacher.clone()));
/// assert!((loss.into_scalar::<f32>() - 0.1).abs() < 1e-6);
/// let loss = config.with_distance(TeacherDistance::Euclidean).init(&device);
/// assert!((loss.forward((student, teacher)).into_scalar::<f32>() - 13f32.sqrt() / 2.0).abs() < 1e-6);
/// ```
///
/// # References
///
/// - S. Kim et al.: EmbedDistill: A Geometric Knowledge Distillation for Information Retrieval, 2023,
///   <https://arxiv.org/abs/2301.12005>
#[derive(Module, Debug)]
pub struct EmbedDistillLoss {
    /// The trainable projection, if one is configured.
    pub projection: Option<Linear>,
    /// The configuration of the loss.
    #[module(skip)]
    pub config: EmbedDistillLossConfig,
}

impl BatchLoss<DistillationBatch> for EmbedDistillLoss {
    #[track_caller]
    fn terms(&self, batch: DistillationBatch) -> Terms {
        // d(e, y)
        let distances = |(e, y)| match self.config.distance {
            TeacherDistance::Cosine => Distance::Cosine.paired(e, y),
            TeacherDistance::Euclidean => Distance::Euclidean.paired(e, y),
            TeacherDistance::SquaredError => squared_error(e, y).flatten(0, 1),
        };
        let pairs = projected(NAME, self.projection.as_ref(), batch);
        Terms::all(Tensor::cat(pairs.into_iter().map(distances).collect(), 0))
    }
}

forward!(
    EmbedDistillLoss,
    DistillationBatch,
    "The distances, `[columns · n]` or `[columns · n · dim]`."
);
