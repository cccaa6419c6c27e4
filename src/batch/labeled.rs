use burn::prelude::*;

use super::columns::{Batch, ColumnMapper, Columns, Role};
use super::shape::Leader;
use super::values::check_finite;
use crate::error::BatchError;

const NAME: &str = "LabeledBatch";

/// Embeddings with a class label each: the batch of the batch-triplet losses.
#[derive(Debug, Clone)]
pub struct LabeledBatch {
    pub(crate) embeddings: Tensor<2>,
    pub(crate) labels: Tensor<1, Int>,
}

impl LabeledBatch {
    /// Embeddings `[n, dim]` and a class each, `[n]`: integers of any type, of which only equality
    /// counts.
    ///
    /// # Panics
    ///
    /// If `embeddings` has no row or no column, or `labels` is not `[n]`.
    #[track_caller]
    pub fn new(embeddings: Tensor<2>, labels: Tensor<1, Int>) -> Self {
        let (leader, embeddings) = Leader::new(NAME, "embeddings", embeddings);
        Self { labels: leader.integers("labels", labels), embeddings }
    }

    /// The embeddings, `[n, dim]`.
    pub fn embeddings(&self) -> &Tensor<2> {
        &self.embeddings
    }

    /// The class labels, `[n]`.
    pub fn labels(&self) -> &Tensor<1, Int> {
        &self.labels
    }

    /// Embeddings and labels.
    pub fn into_parts(self) -> (Tensor<2>, Tensor<1, Int>) {
        (self.embeddings, self.labels)
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite(NAME, self)
    }
}

impl Columns for LabeledBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let embeddings = mapper.map(Role::Other, "embeddings", self.embeddings);
        Self::new(embeddings, mapper.map_integers("labels", self.labels))
    }
}

impl Batch for LabeledBatch {}

impl From<(Tensor<2>, Tensor<1, Int>)> for LabeledBatch {
    #[track_caller]
    fn from((embeddings, labels): (Tensor<2>, Tensor<1, Int>)) -> Self {
        Self::new(embeddings, labels)
    }
}
