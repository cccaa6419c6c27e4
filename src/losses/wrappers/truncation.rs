use burn::prelude::*;

use crate::batch::{Batch, ColumnMapper, Role};
use crate::geometry::Similarity;

/// The batch with the first `dim` dimensions of all embeddings, scaled to length 1; a teacher's are only
/// shortened.
#[track_caller]
pub(super) fn truncated<B: Batch>(batch: B, loss: &'static str, dim: usize) -> B {
    batch.map_columns(&mut Truncation { loss, dim, whole: false })
}

struct Truncation {
    loss: &'static str,
    dim: usize,
    /// Whether the embeddings have no more dimensions than are wanted. They come before the teacher's, whose
    /// number of dimensions may differ if a layer lies between.
    whole: bool,
}

impl ColumnMapper for Truncation {
    #[track_caller]
    fn map<const D: usize>(&mut self, role: Role, name: &str, column: Tensor<D>) -> Tensor<D> {
        let width = column.dims()[D - 1];
        if role == Role::Guide {
            return column;
        }
        if role == Role::Target {
            let kept = if self.whole { width } else { self.dim.min(width) };
            return column.narrow(D - 1, 0, kept);
        }
        assert!(
            self.dim <= width,
            "{}: `dims` must be at most {width}, the width of `{name}`, got {}",
            self.loss,
            self.dim
        );
        self.whole = self.dim == width;
        unit(column.narrow(D - 1, 0, self.dim))
    }
}

fn unit<const D: usize>(rows: Tensor<D>) -> Tensor<D> {
    let shape = rows.dims();
    Similarity::Cosine.prepare(rows.flatten(0, D - 2)).reshape(shape)
}
