use burn::prelude::*;

use super::columns::{Batch, ColumnMapper, Columns, Role};
use super::shape::Leader;
use super::values::check_finite;
use crate::error::BatchError;

const NAME: &str = "TeacherScoresBatch";

/// Queries with the same number of documents each, and a teacher's score of every document: the batch of
/// DistillKLDivLoss.
#[derive(Debug, Clone)]
pub struct TeacherScoresBatch {
    pub(crate) query: Tensor<2>,
    pub(crate) documents: Vec<Tensor<2>>,
    pub(crate) scores: Tensor<2>,
}

impl TeacherScoresBatch {
    /// Queries and each of the m columns of documents, `[n, dim]`, and the score of each document, `[n, m]`.
    ///
    /// # Panics
    ///
    /// If the embeddings differ in shape or type, there are fewer than two columns of documents, or `scores` is not
    /// `[n, m]`.
    #[track_caller]
    pub fn new(query: Tensor<2>, documents: Vec<Tensor<2>>, scores: Tensor<2>) -> Self {
        let (leader, query) = Leader::new(NAME, "query", query);
        let (n, m) = (query.dims()[0], documents.len());
        assert!(m >= 2, "{NAME}: `documents` must hold at least two columns, got {m}");
        let documents = leader.columns("documents", 0, documents);
        let scores = leader.numbers("scores", scores, [n, m]);
        Self { query, documents, scores }
    }

    /// The queries, `[n, dim]`.
    pub fn query(&self) -> &Tensor<2> {
        &self.query
    }

    /// The documents, m columns of `[n, dim]`.
    pub fn documents(&self) -> &[Tensor<2>] {
        &self.documents
    }

    /// The teacher's score of each document, `[n, m]`, without a gradient.
    pub fn scores(&self) -> &Tensor<2> {
        &self.scores
    }

    /// Queries, documents and scores.
    pub fn into_parts(self) -> (Tensor<2>, Vec<Tensor<2>>, Tensor<2>) {
        (self.query, self.documents, self.scores)
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding or a score is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite(NAME, self)
    }
}

impl Columns for TeacherScoresBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let query = mapper.map(Role::Anchor, "query", self.query);
        let documents = self.documents.into_iter();
        let documents = documents.map(|rows| mapper.map(Role::Other, "documents", rows)).collect();
        Self::new(query, documents, mapper.map_numbers("scores", self.scores))
    }
}

impl Batch for TeacherScoresBatch {}

impl From<(Tensor<2>, Vec<Tensor<2>>, Tensor<2>)> for TeacherScoresBatch {
    #[track_caller]
    fn from((query, documents, scores): (Tensor<2>, Vec<Tensor<2>>, Tensor<2>)) -> Self {
        Self::new(query, documents, scores)
    }
}
