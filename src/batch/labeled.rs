use burn::prelude::*;

use super::shape::{check_finite, leading, same_shape};
use crate::error::BatchError;

/// Embeddings with a class label each: the batch of the batch-triplet losses.
#[derive(Debug, Clone)]
pub struct LabeledBatch {
    /// Embeddings, `[n, dim]`.
    pub embeddings: Tensor<2>,
    /// Class labels, `[n]`. Any integers; only equality counts.
    pub labels: Tensor<1, Int>,
}

impl LabeledBatch {
    /// Embeddings `[n, dim]` and a class each, `[n]`.
    ///
    /// # Panics
    ///
    /// If `embeddings` has no row or no column, or `labels` is not `[n]`.
    #[track_caller]
    pub fn new(embeddings: Tensor<2>, labels: Tensor<1, Int>) -> Self {
        let embeddings = leading("LabeledBatch", "embeddings", embeddings);
        same_shape("LabeledBatch", "labels", labels.dims(), [embeddings.dims()[0]]);
        Self { embeddings, labels }
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite("LabeledBatch", "embeddings", &self.embeddings)
    }
}

impl From<(Tensor<2>, Tensor<1, Int>)> for LabeledBatch {
    #[track_caller]
    fn from((embeddings, labels): (Tensor<2>, Tensor<1, Int>)) -> Self {
        Self::new(embeddings, labels)
    }
}
