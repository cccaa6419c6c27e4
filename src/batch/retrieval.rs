use core::ops::Range;

use burn::prelude::*;

use super::shape::{check_finite, following, leading, same_shape};
use crate::error::BatchError;

/// Anchors (queries) with a positive each and any number of hard negatives each: the batch of the
/// ranking losses.
#[derive(Debug, Clone)]
pub struct RetrievalBatch {
    /// Anchors, `[n, dim]`.
    pub anchor: Tensor<2>,
    /// Positives, `[n, dim]`.
    pub positive: Tensor<2>,
    /// Hard negatives, `[n, dim]` each; may be empty.
    pub negatives: Vec<Tensor<2>>,
    /// Which rows belong together, if anybody knows.
    pub ids: Option<RowIds>,
    /// Whose losses are wanted: all rows, or, where the batch was [gathered](crate::gather) from
    /// several devices, those of this one. The others are candidates only.
    pub own_rows: Range<usize>,
}

/// What the texts of a batch are, by numbers of which only equality counts.
///
/// Rows with the same id belong together: they hold the same query, or the same document. Nothing of
/// one is a negative of the other, so a batch may hold several positives of a query.
#[derive(Debug, Clone)]
pub struct RowIds {
    /// One for each anchor and its positive, `[n]`.
    pub rows: Tensor<1, Int>,
    /// One for each hard negative, `[n]` a column: it is no negative of rows with that id. Empty if
    /// hard negatives are negatives of everybody.
    pub negatives: Vec<Tensor<1, Int>>,
}

impl RetrievalBatch {
    /// Anchors, positives and each column of hard negatives, `[n, dim]`.
    ///
    /// # Panics
    ///
    /// If `anchor` has no row or no column, or another part has another shape.
    #[track_caller]
    pub fn new(anchor: Tensor<2>, positive: Tensor<2>, negatives: Vec<Tensor<2>>) -> Self {
        let anchor = leading("RetrievalBatch", "anchor", anchor);
        let shape = anchor.dims();
        let positive = following("RetrievalBatch", "positive", positive, shape);
        let widen = |(k, negative)| {
            following("RetrievalBatch", &format!("negatives[{k}]"), negative, shape)
        };
        let negatives = negatives.into_iter().enumerate().map(widen).collect();
        Self { anchor, positive, negatives, ids: None, own_rows: 0..shape[0] }
    }

    /// The same batch, of whose rows it is known which belong together: see [`RowIds`].
    ///
    /// # Panics
    ///
    /// If `ids` is not `[n]`.
    #[track_caller]
    pub fn with_ids(mut self, ids: Tensor<1, Int>) -> Self {
        same_shape("RetrievalBatch", "ids", ids.dims(), [self.anchor.dims()[0]]);
        // Constants, whatever graph they came with.
        self.ids = Some(RowIds { rows: ids.inner(), negatives: Vec::new() });
        self
    }

    /// The same batch with ids of the hard negatives, a column for each column of them.
    ///
    /// # Panics
    ///
    /// If the rows have no ids yet, or the ids are not `[n]` for every column of negatives.
    #[track_caller]
    pub fn with_negative_ids(mut self, ids: Vec<Tensor<1, Int>>) -> Self {
        let (got, expected) = (ids.len(), self.negatives.len());
        assert!(
            got == expected,
            "RetrievalBatch: `negative_ids` must have {expected} columns, got {got}"
        );
        for (k, ids) in ids.iter().enumerate() {
            let field = format!("negative_ids[{k}]");
            same_shape("RetrievalBatch", &field, ids.dims(), [self.anchor.dims()[0]]);
        }
        let known = self.ids.as_mut();
        let known = known.expect("RetrievalBatch: `ids` must be given before `negative_ids`");
        known.negatives = ids.into_iter().map(Tensor::inner).collect();
        self
    }

    /// The same batch as the device sees it that has the rows `own_rows` of it; the others come from
    /// other devices. Anchors are the own rows, candidates all. See [`gather`](crate::gather).
    /// `diagnose` counts the terms of the own rows, and speaks of all rows otherwise.
    ///
    /// # Panics
    ///
    /// If `own_rows` is empty or not within the batch.
    #[track_caller]
    pub fn with_own_rows(self, own_rows: Range<usize>) -> Self {
        let [rows, _] = self.anchor.dims();
        assert!(
            !own_rows.is_empty() && own_rows.end <= rows,
            "RetrievalBatch: `own_rows` must be some of 0..{rows}, got {own_rows:?}"
        );
        Self { own_rows, ..self }
    }

    /// The share of the own rows in all rows, in `(0, 1]`.
    pub fn share(&self) -> f64 {
        self.own_rows.len() as f64 / self.anchor.dims()[0] as f64
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite("RetrievalBatch", "anchor", &self.anchor)?;
        check_finite("RetrievalBatch", "positive", &self.positive)?;
        self.negatives
            .iter()
            .try_for_each(|negative| check_finite("RetrievalBatch", "negatives", negative))
    }
}

impl From<(Tensor<2>, Tensor<2>)> for RetrievalBatch {
    #[track_caller]
    fn from((anchor, positive): (Tensor<2>, Tensor<2>)) -> Self {
        Self::new(anchor, positive, Vec::new())
    }
}

impl From<(Tensor<2>, Tensor<2>, Tensor<2>)> for RetrievalBatch {
    #[track_caller]
    fn from((anchor, positive, negative): (Tensor<2>, Tensor<2>, Tensor<2>)) -> Self {
        Self::new(anchor, positive, vec![negative])
    }
}

impl From<(Tensor<2>, Tensor<2>, Vec<Tensor<2>>)> for RetrievalBatch {
    #[track_caller]
    fn from((anchor, positive, negatives): (Tensor<2>, Tensor<2>, Vec<Tensor<2>>)) -> Self {
        Self::new(anchor, positive, negatives)
    }
}
