//! Rows without a NaN or an infinity.

use burn::prelude::*;

use crate::batch::columns::map_all_alike;
use crate::batch::values::finite_rows;
use crate::batch::{ColumnMapper, ColumnVisitor, Columns, Role};

/// Whether all embeddings of a row are finite, for every row of the batch.
pub(super) fn rows<C: Columns>(batch: &C) -> Vec<bool> {
    let mut finite = Finite(None);
    batch.visit_columns(&mut finite);
    finite.0.map_or_else(Vec::new, |finite| finite.into_data().iter::<bool>().collect())
}

struct Finite(Option<Tensor<1, Bool>>);

impl ColumnVisitor for Finite {
    fn visit<const D: usize>(&mut self, _: Role, _: &str, column: &Tensor<D>) {
        let finite = finite_rows(column);
        self.0 = Some(match self.0.take() {
            Some(others) => others.bool_and(finite),
            None => finite,
        });
    }
}

/// The batch of the rows for which `keep` holds; `None` if there are none.
pub(super) fn only<C: Columns>(batch: C, keep: &[bool]) -> Option<C> {
    if keep.iter().all(|&keep| keep) {
        return Some(batch);
    }
    let kept: Vec<i64> = (0..).zip(keep).filter_map(|(row, &keep)| keep.then_some(row)).collect();
    (!kept.is_empty()).then(|| batch.map_columns(&mut Select(&kept)))
}

struct Select<'a>(&'a [i64]);

map_all_alike!(Select<'_>, |self, tensor| {
    let rows = Tensor::<1, Int>::from_data(self.0, &tensor.device());
    tensor.select(0, rows)
});
