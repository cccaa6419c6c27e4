use burn::prelude::*;

use super::columns::{Batch, ColumnMapper, Columns, Role};
use super::integers::signed;
use super::shape::Leader;
use super::values::{check_finite, none_of};
use crate::error::BatchError;

const NAME: &str = "DenoisingBatch";

/// Embeddings of damaged sentences with the tokens of the whole ones: the batch of
/// DenoisingAutoEncoderLoss.
#[derive(Debug, Clone)]
pub struct DenoisingBatch {
    pub(crate) embeddings: Tensor<2>,
    pub(crate) tokens: Tensor<2, Int>,
}

impl DenoisingBatch {
    /// Embeddings of damaged sentences, `[n, dim]`, and the token ids of the original sentences,
    /// `[n, len]`, integers of any type: each from its first special token to its last, filled up
    /// with the padding token.
    ///
    /// # Panics
    ///
    /// If `embeddings` has no row or no column, or `tokens` does not have a row for each of them
    /// and at least two columns: a token to start from and one to predict.
    #[track_caller]
    pub fn new(embeddings: Tensor<2>, tokens: Tensor<2, Int>) -> Self {
        let (_, embeddings) = Leader::new(NAME, "embeddings", embeddings);
        let ([n, _], [rows, len]) = (embeddings.dims(), tokens.dims());
        assert!(
            rows == n && len >= 2,
            "{NAME}: `tokens` must have {n} rows and at least two columns, got [{rows}, {len}]"
        );
        Self { embeddings, tokens: signed(tokens).inner() }
    }

    /// The embedding of every damaged sentence, `[n, dim]`.
    pub fn embeddings(&self) -> &Tensor<2> {
        &self.embeddings
    }

    /// The token ids of every original sentence, `[n, len]`.
    pub fn tokens(&self) -> &Tensor<2, Int> {
        &self.tokens
    }

    /// Embeddings and token ids.
    pub fn into_parts(self) -> (Tensor<2>, Tensor<2, Int>) {
        (self.embeddings, self.tokens)
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding is not finite or a token id is not in `0..vocabulary`.
    pub fn check(&self, vocabulary: usize) -> Result<(), BatchError> {
        check_finite(NAME, self)?;
        check_token_ids(&self.tokens, vocabulary)
    }
}

/// An error naming the first row that holds a token id out of range; reads from the device.
pub(crate) fn check_token_ids(
    tokens: &Tensor<2, Int>,
    vocabulary: usize,
) -> Result<(), BatchError> {
    let outside =
        tokens.clone().lower_elem(0).bool_or(tokens.clone().greater_equal_elem(vocabulary as i64));
    let outside = outside.any_dim(1).squeeze_dim(1);
    none_of(outside, NAME, "tokens", format_args!("in 0..{vocabulary}"))
}

impl Columns for DenoisingBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let embeddings = mapper.map(Role::Other, "embeddings", self.embeddings);
        Self::new(embeddings, mapper.map_integers("tokens", self.tokens))
    }
}

impl Batch for DenoisingBatch {}

impl From<(Tensor<2>, Tensor<2, Int>)> for DenoisingBatch {
    #[track_caller]
    fn from((embeddings, tokens): (Tensor<2>, Tensor<2, Int>)) -> Self {
        Self::new(embeddings, tokens)
    }
}
