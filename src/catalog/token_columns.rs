//! Batches of token embeddings, made of columns.

use super::columns::Check;
use super::{AnyBatch, BatchKind, Targets};
use crate::batch::{
    TokenEmbeddings, TokenMarginBatch, TokenRetrievalBatch, TokenTeacherScoresBatch,
};
use crate::error::BatchError;

impl BatchKind {
    /// Whether its columns hold an embedding for each token, so that [`token_batch`](Self::token_batch) makes it.
    pub fn takes_tokens(self) -> bool {
        matches!(self, Self::TokenRankings | Self::ScoredTokenRankings | Self::TokenTeacherScores)
    }

    /// As [`batch`](Self::batch), for a kind that [takes tokens](Self::takes_tokens): from the token embeddings of
    /// each column of texts.
    ///
    /// # Errors
    ///
    /// If columns or targets do not fit; the message names loss, field, rule and value.
    pub fn token_batch(
        self,
        loss: &str,
        columns: Vec<TokenEmbeddings>,
        targets: Targets,
    ) -> Result<AnyBatch, BatchError> {
        let check = Check { loss };
        check.count(self, columns.len())?;
        check.tokens(self, true)?;
        check.token_columns(&columns)?;
        check.rows(&targets, columns[0].dims()[0])?;
        let (count, mut columns) = (columns.len(), columns.into_iter());
        let mut next = || columns.next().expect("counted above");
        Ok(match (self, targets) {
            (Self::TokenRankings, Targets::None) => {
                TokenRetrievalBatch::new(next(), next(), columns.collect()).into()
            }
            (Self::ScoredTokenRankings, Targets::Numbers(margin)) => {
                check.margins(count - 2, 1)?;
                TokenMarginBatch::new(next(), next(), vec![next()], margin).into()
            }
            (Self::ScoredTokenRankings, Targets::Matrix(margins)) => {
                check.margins(count - 2, margins.dims()[1])?;
                TokenMarginBatch::new(next(), next(), columns.collect(), margins).into()
            }
            (Self::TokenTeacherScores, Targets::Matrix(scores)) => {
                check.scores(count - 1, &scores)?;
                TokenTeacherScoresBatch::new(next(), columns.collect(), scores).into()
            }
            (kind, targets) => return Err(check.wrong(kind, &targets)),
        })
    }
}

impl Check<'_> {
    /// As many texts in every column, of one dimension and type.
    fn token_columns(&self, columns: &[TokenEmbeddings]) -> Result<(), BatchError> {
        let ([n, _, dim], dtype) = (columns[0].dims(), columns[0].dtype());
        columns.iter().enumerate().try_for_each(|(index, column)| {
            let ([rows, _, width], of) = (column.dims(), column.dtype());
            self.rule(
                [rows, width] == [n, dim] && of == dtype,
                format_args!("columns[{index}]"),
                format_args!("be {} [{n}, tokens, {dim}]", dtype.name()),
                format_args!("{} [{rows}, tokens, {width}]", of.name()),
            )
        })
    }
}
