use burn::prelude::*;

use super::columns::{Batch, ColumnMapper, Columns};
use super::margin::{MarginTargets, margins_of};
use super::token_retrieval::TokenRetrievalBatch;
use super::tokens::TokenEmbeddings;
use super::values::check_finite;
use crate::error::BatchError;

const NAME: &str = "TokenMarginBatch";

/// Queries with a positive and one or more negatives, all with an embedding for each token, and the margins that a
/// teacher sees between them: the batch of the margin loss of multi-vector models.
#[derive(Debug, Clone)]
pub struct TokenMarginBatch {
    pub(crate) candidates: TokenRetrievalBatch,
    /// `[n, k]`.
    pub(crate) margins: Tensor<2>,
}

impl TokenMarginBatch {
    /// Queries, positives and each of the k columns of negatives, and a margin for each negative, `[n]` (with one
    /// negative) or `[n, k]`. Scores, `[n, k + 1]`, become margins.
    ///
    /// # Panics
    ///
    /// If the columns differ in the number of texts, the dimension or the type, there is no negative, or `targets` has
    /// another shape.
    #[track_caller]
    pub fn new(
        query: impl Into<TokenEmbeddings>,
        positive: impl Into<TokenEmbeddings>,
        negatives: Vec<TokenEmbeddings>,
        targets: impl Into<MarginTargets>,
    ) -> Self {
        Self::of(TokenRetrievalBatch::new(query, positive, negatives), targets.into())
    }

    #[track_caller]
    fn of(candidates: TokenRetrievalBatch, targets: MarginTargets) -> Self {
        let ([n, ..], k) = (candidates.query.dims(), candidates.negatives().len());
        assert!(k > 0, "{NAME}: `negatives` must hold at least one column, got none");
        let margins = margins_of(NAME, targets, [n, k]).cast(candidates.query.dtype()).inner();
        Self { candidates, margins }
    }

    /// Query, positive and the k negatives.
    pub fn candidates(&self) -> &TokenRetrievalBatch {
        &self.candidates
    }

    /// The target margin of each negative, `[n, k]`, without a gradient.
    pub fn margins(&self) -> &Tensor<2> {
        &self.margins
    }

    /// The candidates, and the target margin of each negative, `[n, k]`.
    pub fn into_parts(self) -> (TokenRetrievalBatch, Tensor<2>) {
        (self.candidates, self.margins)
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If the embedding of a token or a margin is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite(NAME, self)
    }
}

impl Columns for TokenMarginBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let candidates = self.candidates.map_columns(mapper);
        Self::of(candidates, mapper.map_numbers("margins", self.margins).into())
    }
}

impl Batch for TokenMarginBatch {}

impl<Q, P, T> From<(Q, P, Vec<TokenEmbeddings>, T)> for TokenMarginBatch
where
    Q: Into<TokenEmbeddings>,
    P: Into<TokenEmbeddings>,
    T: Into<MarginTargets>,
{
    #[track_caller]
    fn from((query, positive, negatives, targets): (Q, P, Vec<TokenEmbeddings>, T)) -> Self {
        Self::new(query, positive, negatives, targets)
    }
}
