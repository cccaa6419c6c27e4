//! The shape rules of every batch, and the one place where their messages are made.

use burn::prelude::*;

use crate::error::BatchError;
use crate::numeric::accumulate;

/// Embeddings that set the shape of a batch: `[n, dim]` with `n ≥ 1` and `dim ≥ 1`, widened.
#[track_caller]
pub(super) fn leading(batch: &str, field: &str, embeddings: Tensor<2>) -> Tensor<2> {
    let dims = embeddings.dims();
    assert!(
        dims.iter().all(|&size| size > 0),
        "{batch}: `{field}` must have at least one row and one column, got {dims:?}"
    );
    accumulate(embeddings)
}

/// Embeddings or targets that must have exactly the shape `expected`, widened.
#[track_caller]
pub(super) fn following<const D: usize>(
    batch: &str,
    field: &str,
    tensor: Tensor<D>,
    expected: [usize; D],
) -> Tensor<D> {
    same_shape(batch, field, tensor.dims(), expected);
    accumulate(tensor)
}

/// Panics unless the two shapes are equal.
#[track_caller]
pub(super) fn same_shape<const D: usize>(
    batch: &str,
    field: &str,
    got: [usize; D],
    expected: [usize; D],
) {
    assert!(got == expected, "{batch}: `{field}` must have shape {expected:?}, got {got:?}");
}

/// An error naming the first row that holds a number which is not finite.
pub(super) fn check_finite<const D: usize>(
    batch: &str,
    field: &str,
    tensor: &Tensor<D>,
) -> Result<(), BatchError> {
    let width = tensor.dims()[1..].iter().product::<usize>();
    let rows = tensor.clone().reshape([tensor.dims()[0], width]);
    let bad = rows.is_finite().bool_not().any_dim(1);
    first_true(bad).map_or(Ok(()), |row| {
        Err(BatchError::new(format!("{batch}: `{field}` must be finite, row {row} is not")))
    })
}

/// The first place at which the column of flags holds; reads from the device.
pub(super) fn first_true(flags: Tensor<2, Bool>) -> Option<usize> {
    let flags: Vec<bool> = flags.into_data().iter::<bool>().collect();
    flags.iter().position(|&flag| flag)
}
