use burn::prelude::*;

use super::columns::ColumnMapper;
use super::integers::{signed, widest};
use super::shape::same_shape;

/// Numbers for the texts of a [`RetrievalBatch`](super::RetrievalBatch); only whether two of them are equal
/// counts.
///
/// Rows with the same id belong together: they hold the same query, or the same document. Nothing of
/// one is a negative of the other, so a batch may hold several positives of a query.
#[derive(Debug, Clone)]
pub struct RowIds {
    pub(crate) rows: Tensor<1, Int>,
    pub(crate) negatives: Vec<Tensor<1, Int>>,
}

impl RowIds {
    /// Ids of `n` rows.
    #[track_caller]
    pub(super) fn new(owner: &str, rows: Tensor<1, Int>, n: usize) -> Self {
        same_shape(owner, "ids", rows.dims(), [n]);
        // Ids are constants, even if they come with a graph.
        Self { rows: signed(rows).inner(), negatives: Vec::new() }
    }

    /// The same ids with those of `columns` columns of negatives.
    #[track_caller]
    pub(super) fn with_negatives(
        self,
        owner: &str,
        negatives: Vec<Tensor<1, Int>>,
        columns: usize,
    ) -> Self {
        let got = negatives.len();
        assert!(got == columns, "{owner}: `negative_ids` must have {columns} columns, got {got}");
        for (k, ids) in negatives.iter().enumerate() {
            same_shape(owner, &format!("negative_ids[{k}]"), ids.dims(), self.rows.dims());
        }
        let negatives = negatives.into_iter().map(|ids| signed(ids).inner());
        let all = widest(core::iter::once(self.rows).chain(negatives).collect());
        let mut all = all.into_iter();
        Self { rows: all.next().expect("the ids of rows"), negatives: all.collect() }
    }

    /// One for each anchor and its positive, `[n]`.
    pub fn rows(&self) -> &Tensor<1, Int> {
        &self.rows
    }

    /// One for each hard negative, `[n]` a column: it is no negative of rows with that id. Empty if
    /// hard negatives are negatives of everybody.
    pub fn negatives(&self) -> &[Tensor<1, Int>] {
        &self.negatives
    }

    /// What `mapper` makes of the ids.
    pub(super) fn map<M: ColumnMapper>(
        self,
        mapper: &mut M,
    ) -> (Tensor<1, Int>, Vec<Tensor<1, Int>>) {
        let rows = mapper.map_integers("ids", self.rows);
        let negatives = self.negatives.into_iter();
        (rows, negatives.map(|ids| mapper.map_integers("negative_ids", ids)).collect())
    }
}
