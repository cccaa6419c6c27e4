use super::columns::{Batch, ColumnMapper, Columns, Role};
use super::tokens::TokenEmbeddings;
use super::values::check_finite;
use crate::error::BatchError;

const NAME: &str = "TokenRetrievalBatch";

/// Queries with a positive document each and any number of hard negatives each, all with an embedding for each
/// token: the batch of the ranking loss of multi-vector models.
#[derive(Debug, Clone)]
pub struct TokenRetrievalBatch {
    pub(crate) query: TokenEmbeddings,
    /// The positives, then each column of hard negatives.
    pub(crate) documents: Vec<TokenEmbeddings>,
}

impl TokenRetrievalBatch {
    /// Queries, positives and each column of hard negatives. The number of places for tokens may differ between
    /// columns.
    ///
    /// # Panics
    ///
    /// If the columns differ in the number of texts, the dimension or the type.
    #[track_caller]
    pub fn new(
        query: impl Into<TokenEmbeddings>,
        positive: impl Into<TokenEmbeddings>,
        negatives: Vec<TokenEmbeddings>,
    ) -> Self {
        let mut documents = vec![positive.into()];
        documents.extend(negatives);
        Self::within([NAME, "documents"], query.into(), documents)
    }

    /// As [`new`](Self::new), with messages about the batch `owner` that calls the documents `field`.
    #[track_caller]
    pub(super) fn within(
        [owner, field]: [&str; 2],
        query: TokenEmbeddings,
        documents: Vec<TokenEmbeddings>,
    ) -> Self {
        let ([n, _, dim], dtype) = (query.dims(), query.dtype());
        for (index, column) in documents.iter().enumerate() {
            let ([rows, _, width], of) = (column.dims(), column.dtype());
            assert!(
                [rows, width] == [n, dim] && of == dtype,
                "{owner}: `{field}[{index}]` must have {n} texts and {dim} dimensions of the type {dtype:?} of \
                 `query`, got {rows} and {width} of {of:?}"
            );
        }
        Self { query, documents }
    }

    /// The queries.
    pub fn query(&self) -> &TokenEmbeddings {
        &self.query
    }

    /// The positive of each query.
    pub fn positive(&self) -> &TokenEmbeddings {
        &self.documents[0]
    }

    /// The hard negatives of each query; may be empty.
    pub fn negatives(&self) -> &[TokenEmbeddings] {
        &self.documents[1..]
    }

    /// Queries, and the columns of documents, the positives first.
    pub fn into_parts(self) -> (TokenEmbeddings, Vec<TokenEmbeddings>) {
        (self.query, self.documents)
    }

    /// Checks the values of the tokens, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite(NAME, self)
    }
}

impl Columns for TokenRetrievalBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let query = self.query.map(Role::Anchor, "query", mapper);
        let mut documents = self.documents.into_iter();
        let positive = documents.next().expect("a column of positives");
        let mut columns = vec![positive.map(Role::Positive, "positive", mapper)];
        columns.extend(documents.map(|column| column.map(Role::Negative, "negatives", mapper)));
        Self::within([NAME, "documents"], query, columns)
    }
}

impl Batch for TokenRetrievalBatch {}

impl<Q: Into<TokenEmbeddings>, P: Into<TokenEmbeddings>> From<(Q, P)> for TokenRetrievalBatch {
    #[track_caller]
    fn from((query, positive): (Q, P)) -> Self {
        Self::new(query, positive, Vec::new())
    }
}

impl<Q: Into<TokenEmbeddings>, P: Into<TokenEmbeddings>> From<(Q, P, Vec<TokenEmbeddings>)>
    for TokenRetrievalBatch
{
    #[track_caller]
    fn from((query, positive, negatives): (Q, P, Vec<TokenEmbeddings>)) -> Self {
        Self::new(query, positive, negatives)
    }
}
