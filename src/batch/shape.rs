//! The rules of shape and type that batches and evaluators share, and the one place where their
//! messages are made.

use burn::prelude::*;
use burn::tensor::DType;

use super::integers::signed;
use crate::numeric::accumulate;

/// The shape and type that the first embeddings of a batch set for the rest.
pub(super) struct Leader {
    owner: &'static str,
    field: &'static str,
    dims: [usize; 2],
    dtype: DType,
}

impl Leader {
    /// Takes embeddings `[n, dim]` with `n ≥ 1` and `dim ≥ 1`, and returns them widened.
    #[track_caller]
    pub fn new(
        owner: &'static str,
        field: &'static str,
        embeddings: Tensor<2>,
    ) -> (Self, Tensor<2>) {
        let dims = embeddings.dims();
        require_rows(owner, field, dims);
        let embeddings = accumulate(embeddings);
        (Self { owner, field, dims, dtype: embeddings.dtype() }, embeddings)
    }

    /// Takes the columns of a batch that has nothing else to lead it, at least one, and returns them widened.
    #[track_caller]
    pub fn of_columns(owner: &'static str, columns: Vec<Tensor<2>>) -> (Self, Vec<Tensor<2>>) {
        let mut rest = columns.into_iter();
        let first = rest.next();
        let first = first.unwrap_or_else(|| {
            panic!("{owner}: `columns` must hold at least one column, got none")
        });
        let (leader, first) = Self::new(owner, "columns[0]", first);
        let mut columns = vec![first];
        columns.extend(leader.columns("columns", 1, rest.collect()));
        (leader, columns)
    }

    /// Embeddings of the same shape and type, widened.
    #[track_caller]
    pub fn embeddings(&self, field: &str, embeddings: Tensor<2>) -> Tensor<2> {
        let Self { owner, field: leader, dims, dtype } = *self;
        same_shape(owner, field, embeddings.dims(), dims);
        let embeddings = accumulate(embeddings);
        same_type(owner, field, embeddings.dtype(), (leader, dtype));
        embeddings
    }

    /// Columns of embeddings of the same shape and type, widened. The first of them is called
    /// `field[first]` in a message.
    #[track_caller]
    pub fn columns(&self, field: &str, first: usize, columns: Vec<Tensor<2>>) -> Vec<Tensor<2>> {
        // A loop, because a panic inside a closure would not point at the caller.
        let mut checked = Vec::with_capacity(columns.len());
        for (k, column) in columns.into_iter().enumerate() {
            checked.push(self.embeddings(&format!("{field}[{}]", first + k), column));
        }
        checked
    }

    /// Labels, scores or targets of the shape `dims`: constants in the type of the embeddings.
    #[track_caller]
    pub fn numbers<const D: usize>(
        &self,
        field: &str,
        numbers: Tensor<D>,
        dims: [usize; D],
    ) -> Tensor<D> {
        same_shape(self.owner, field, numbers.dims(), dims);
        accumulate(numbers).cast(self.dtype).inner()
    }

    /// One integer for each row: constants of a signed type.
    #[track_caller]
    pub fn integers(&self, field: &str, integers: Tensor<1, Int>) -> Tensor<1, Int> {
        same_shape(self.owner, field, integers.dims(), [self.dims[0]]);
        signed(integers).inner()
    }
}

/// Panics unless there is at least one row and one column.
#[track_caller]
pub(crate) fn require_rows(owner: &str, field: &str, dims: [usize; 2]) {
    assert!(
        dims.iter().all(|&size| size > 0),
        "{owner}: `{field}` must have at least one row and one column, got {dims:?}"
    );
}

/// Panics unless a type is that of the field `like`.
#[track_caller]
pub(crate) fn same_type(owner: &str, field: &str, got: DType, (like, expected): (&str, DType)) {
    assert!(
        got == expected,
        "{owner}: `{field}` must have the type {expected:?} of `{like}`, got {got:?}"
    );
}

/// Panics unless the two shapes are equal.
#[track_caller]
pub(crate) fn same_shape<const D: usize>(
    owner: &str,
    field: &str,
    got: [usize; D],
    expected: [usize; D],
) {
    assert!(got == expected, "{owner}: `{field}` must have shape {expected:?}, got {got:?}");
}
