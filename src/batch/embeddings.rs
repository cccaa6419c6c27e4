use burn::prelude::*;

use super::columns::{Batch, ColumnMapper, Columns, Role};
use super::shape::Leader;
use super::values::check_finite;
use crate::error::BatchError;

const NAME: &str = "EmbeddingsBatch";

/// Embeddings of one or more columns of texts, and nothing else: the batch of GlobalOrthogonalRegularizationLoss.
#[derive(Debug, Clone)]
pub struct EmbeddingsBatch {
    pub(crate) columns: Vec<Tensor<2>>,
}

impl EmbeddingsBatch {
    /// Columns `[n, dim]`.
    ///
    /// # Panics
    ///
    /// If there is no column, or the columns differ in shape or type.
    #[track_caller]
    pub fn new(columns: Vec<Tensor<2>>) -> Self {
        let (_, columns) = Leader::of_columns(NAME, columns);
        Self { columns }
    }

    /// The embeddings, `[n, dim]` for each column of texts.
    pub fn columns(&self) -> &[Tensor<2>] {
        &self.columns
    }

    /// The embeddings of each column of texts.
    pub fn into_parts(self) -> Vec<Tensor<2>> {
        self.columns
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

impl Columns for EmbeddingsBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let columns = self.columns.into_iter();
        Self::new(columns.map(|rows| mapper.map(Role::Other, "columns", rows)).collect())
    }
}

impl Batch for EmbeddingsBatch {}

impl From<Tensor<2>> for EmbeddingsBatch {
    #[track_caller]
    fn from(embeddings: Tensor<2>) -> Self {
        Self::new(vec![embeddings])
    }
}

impl From<Vec<Tensor<2>>> for EmbeddingsBatch {
    #[track_caller]
    fn from(columns: Vec<Tensor<2>>) -> Self {
        Self::new(columns)
    }
}
