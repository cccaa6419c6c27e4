//! What `check` looks for. Everything here reads from the device.

use core::ops::RangeInclusive;

use burn::prelude::*;

use super::columns::{ColumnVisitor, Columns, Role};
use crate::error::BatchError;

/// An error naming the first field and row of a batch that holds a number which is not finite.
pub(super) fn check_finite<C: Columns>(owner: &str, batch: &C) -> Result<(), BatchError> {
    let mut finite = Finite { owner, found: Ok(()) };
    batch.visit_columns(&mut finite);
    finite.found
}

struct Finite<'a> {
    owner: &'a str,
    found: Result<(), BatchError>,
}

impl Finite<'_> {
    fn check<const D: usize>(&mut self, name: &str, tensor: &Tensor<D>) {
        if self.found.is_ok() {
            let bad = finite_rows(tensor).bool_not();
            self.found = none_of(bad, self.owner, name, "finite");
        }
    }
}

impl ColumnVisitor for Finite<'_> {
    fn visit<const D: usize>(&mut self, _: Role, name: &str, column: &Tensor<D>) {
        self.check(name, column);
    }

    fn visit_numbers<const D: usize>(&mut self, name: &str, numbers: &Tensor<D>) {
        self.check(name, numbers);
    }
}

/// Whether all numbers of a row are finite, `[n]`.
pub(crate) fn finite_rows<const D: usize>(tensor: &Tensor<D>) -> Tensor<1, Bool> {
    let rows = tensor.dims()[0];
    let width = tensor.dims()[1..].iter().product::<usize>();
    tensor.clone().reshape([rows, width]).is_finite().all_dim(1).squeeze_dim(1)
}

/// An error naming the first row whose label is not in `range`.
pub(super) fn within(
    labels: &Tensor<1>,
    owner: &str,
    range: RangeInclusive<f64>,
) -> Result<(), BatchError> {
    let (low, high) = range.into_inner();
    let outside = labels.clone().lower_elem(low).bool_or(labels.clone().greater_elem(high));
    none_of(outside, owner, "labels", format_args!("in {low}..={high}"))
}

/// An error naming the first row for which `bad` holds: ``owner: `field` must be rule, row 2 is
/// not``.
pub(super) fn none_of(
    bad: Tensor<1, Bool>,
    owner: &str,
    field: &str,
    rule: impl core::fmt::Display,
) -> Result<(), BatchError> {
    match bad.into_data().iter::<bool>().position(|bad| bad) {
        None => Ok(()),
        Some(row) => {
            Err(BatchError::new(format!("{owner}: `{field}` must be {rule}, row {row} is not")))
        }
    }
}
