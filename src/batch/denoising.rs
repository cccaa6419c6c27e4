use burn::prelude::*;

use super::shape::{check_finite, first_true, leading};
use crate::error::BatchError;

/// Embeddings of damaged sentences with the tokens of the whole ones: the batch of
/// DenoisingAutoEncoderLoss.
#[derive(Debug, Clone)]
pub struct DenoisingBatch {
    /// The embedding of every damaged sentence, `[n, dim]`.
    pub embeddings: Tensor<2>,
    /// The token ids of every original sentence, from its first special token to its last, filled
    /// up with the padding token, `[n, len]`.
    pub tokens: Tensor<2, Int>,
}

impl DenoisingBatch {
    /// Embeddings `[n, dim]` and token ids `[n, len]`.
    ///
    /// # Panics
    ///
    /// If `embeddings` has no row or no column, or `tokens` does not have a row for each of them
    /// and at least two columns: a token to start from and one to predict.
    #[track_caller]
    pub fn new(embeddings: Tensor<2>, tokens: Tensor<2, Int>) -> Self {
        let embeddings = leading("DenoisingBatch", "embeddings", embeddings);
        let ([n, _], [rows, len]) = (embeddings.dims(), tokens.dims());
        assert!(
            rows == n && len >= 2,
            "DenoisingBatch: `tokens` must have {n} rows and at least two columns, got [{rows}, {len}]"
        );
        Self { embeddings, tokens }
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding is not finite or a token id is not in `0..vocabulary`.
    pub fn check(&self, vocabulary: usize) -> Result<(), BatchError> {
        check_finite("DenoisingBatch", "embeddings", &self.embeddings)?;
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
    first_true(outside.any_dim(1)).map_or(Ok(()), |row| {
        Err(BatchError::new(format!(
            "DenoisingBatch: `tokens` must be in 0..{vocabulary}, row {row} is not"
        )))
    })
}

impl From<(Tensor<2>, Tensor<2, Int>)> for DenoisingBatch {
    #[track_caller]
    fn from((embeddings, tokens): (Tensor<2>, Tensor<2, Int>)) -> Self {
        Self::new(embeddings, tokens)
    }
}
