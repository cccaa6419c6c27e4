//! The trainable layer between a student's embeddings and those of a teacher of another dimension.

use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;

use super::config;
use crate::batch::DistillationBatch;
use crate::error::ConfigError;
use crate::kernels::project;

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

impl ProjectionConfig {
    /// Checks every field against its rule, for the loss that owns the layer.
    pub(super) fn check(&self, loss: &str) -> Result<(), ConfigError> {
        let [inputs, outputs] = [self.embedding_dimension, self.target_dimension];
        for (field, size) in [("embedding_dimension", inputs), ("target_dimension", outputs)] {
            ConfigError::unless(size > 0, loss, field, "must be at least 1", size)?;
            ConfigError::unless_layer_fits(loss, field, 1, size)?;
        }
        ConfigError::unless_layer_fits(loss, "target_dimension", inputs, outputs)
    }

    /// The layer on `device`.
    pub(super) fn init(&self, device: &Device) -> Linear {
        LinearConfig::new(self.embedding_dimension, self.target_dimension).init(device)
    }
}

/// The embeddings of each column, projected if there is a layer, and their targets.
#[track_caller]
pub(super) fn projected(
    loss: &str,
    layer: Option<&Linear>,
    DistillationBatch { columns, targets }: DistillationBatch,
) -> Vec<(Tensor<2>, Tensor<2>)> {
    // A loop, because a panic inside a closure would not point at the caller.
    let mut pairs = Vec::with_capacity(columns.len());
    for (embeddings, target) in columns.into_iter().zip(targets) {
        let embeddings = match layer {
            Some(layer) => project(layer, embeddings),
            None => embeddings,
        };
        let (got, expected) = (embeddings.dims(), target.dims());
        assert!(
            got == expected,
            "{loss}: `embeddings` must have the shape {expected:?} of `targets`, got {got:?}"
        );
        pairs.push((embeddings, target));
    }
    pairs
}
