use burn::prelude::*;

use super::columns::{Batch, ColumnMapper, Columns, Role};
use super::shape::same_shape;
use super::token_retrieval::TokenRetrievalBatch;
use super::tokens::TokenEmbeddings;
use super::values::check_finite;
use crate::error::BatchError;
use crate::numeric::accumulate;

const NAME: &str = "TokenTeacherScoresBatch";

/// Queries with the same number of documents each, all with an embedding for each token, and a teacher's score of
/// every document: the batch of the distillation loss of multi-vector models.
#[derive(Debug, Clone)]
pub struct TokenTeacherScoresBatch {
    pub(crate) query: TokenEmbeddings,
    pub(crate) documents: Vec<TokenEmbeddings>,
    /// `[n, m]`.
    pub(crate) scores: Tensor<2>,
}

impl TokenTeacherScoresBatch {
    /// Queries, each of the m columns of documents, and the score of each document, `[n, m]`.
    ///
    /// # Panics
    ///
    /// If the columns differ in the number of texts, the dimension or the type, there are fewer than two columns of
    /// documents, or `scores` is not `[n, m]`.
    #[track_caller]
    pub fn new(
        query: impl Into<TokenEmbeddings>,
        documents: Vec<TokenEmbeddings>,
        scores: Tensor<2>,
    ) -> Self {
        let m = documents.len();
        assert!(m >= 2, "{NAME}: `documents` must hold at least two columns, got {m}");
        let TokenRetrievalBatch { query, documents } =
            TokenRetrievalBatch::within([NAME, "documents"], query.into(), documents);
        same_shape(NAME, "scores", scores.dims(), [query.dims()[0], m]);
        let scores = accumulate(scores).cast(query.dtype()).inner();
        Self { query, documents, scores }
    }

    /// The queries.
    pub fn query(&self) -> &TokenEmbeddings {
        &self.query
    }

    /// The documents, m columns.
    pub fn documents(&self) -> &[TokenEmbeddings] {
        &self.documents
    }

    /// The teacher's score of each document, `[n, m]`, without a gradient.
    pub fn scores(&self) -> &Tensor<2> {
        &self.scores
    }

    /// Queries, documents and scores.
    pub fn into_parts(self) -> (TokenEmbeddings, Vec<TokenEmbeddings>, Tensor<2>) {
        (self.query, self.documents, self.scores)
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If the embedding of a token or a score is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite(NAME, self)
    }
}

impl Columns for TokenTeacherScoresBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let query = self.query.map(Role::Anchor, "query", mapper);
        let documents = self.documents.into_iter();
        let documents = documents.map(|column| column.map(Role::Other, "documents", mapper));
        let documents = documents.collect();
        Self::new(query, documents, mapper.map_numbers("scores", self.scores))
    }
}

impl Batch for TokenTeacherScoresBatch {}

impl<Q: Into<TokenEmbeddings>> From<(Q, Vec<TokenEmbeddings>, Tensor<2>)>
    for TokenTeacherScoresBatch
{
    #[track_caller]
    fn from((query, documents, scores): (Q, Vec<TokenEmbeddings>, Tensor<2>)) -> Self {
        Self::new(query, documents, scores)
    }
}
