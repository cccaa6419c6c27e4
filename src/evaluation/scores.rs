//! Similarities, from the device.

use burn::prelude::*;

use crate::batch::shape::{require_rows, same_shape, same_type};
use crate::error::BatchError;
use crate::geometry::Similarity;
use crate::numeric::accumulate;

/// Panics unless there is one value for each row.
#[track_caller]
pub(super) fn expect_length(owner: &str, field: &str, got: usize, rows: usize) {
    assert!(
        got == rows,
        "{owner}: `{field}` must have one value for each of {rows} rows, got {got}"
    );
}

/// The similarities of pairs of rows, without a gradient, `[n]`.
#[track_caller]
pub(super) fn paired(
    owner: &str,
    [left, right]: [(&str, Tensor<2>); 2],
    similarity: Similarity,
) -> Tensor<1> {
    require_rows(owner, left.0, left.1.dims());
    same_shape(owner, right.0, right.1.dims(), left.1.dims());
    let (left, like) = (accumulate(left.1.inner()), left.0);
    let rows = accumulate(right.1.inner());
    same_type(owner, right.0, rows.dtype(), (like, left.dtype()));
    similarity.paired(left, rows)
}

/// The numbers of a tensor, all finite.
pub(super) fn read<const D: usize>(owner: &str, tensor: Tensor<D>) -> Result<Vec<f64>, BatchError> {
    let values: Vec<f64> = tensor.into_data().iter().collect();
    check_finite(owner, "similarity", &values)?;
    Ok(values)
}

/// An error that names the first value which is not finite.
pub(super) fn check_finite(owner: &str, field: &str, values: &[f64]) -> Result<(), BatchError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(row) => {
            let got = values[row];
            let message = format!("{owner}: `{field}` must be finite, value {row} is {got}");
            Err(BatchError::new(message))
        }
    }
}

/// The share of `count` in `all`.
pub(super) fn share(count: usize, all: usize) -> f64 {
    count as f64 / all as f64
}

/// The indices of values from high to low, equal values in their order.
pub(super) fn descending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| descending_order(values[a], values[b]));
    order
}

/// High before low; negative zero equals zero.
pub(super) fn descending_order(a: f64, b: f64) -> core::cmp::Ordering {
    (b + 0.0).total_cmp(&(a + 0.0))
}
