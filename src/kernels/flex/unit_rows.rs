//! Rows of length 1.

use burn::backend::flex::FlexTensor;

use super::parallel::{Matrix, for_rows, sum, tensor};
use super::row_comparison::inverse_length;
use crate::numeric::SHORTEST_UNIT;

/// `x / ‖x‖` row by row.
pub(super) fn forward(x: &FlexTensor) -> FlexTensor {
    let x = Matrix::new(x);
    let x = x.view();
    let mut out = vec![0f32; x.rows * x.columns];
    for_rows(&mut out, x.columns, x.rows * x.columns, |i, out| {
        let row = x.row(i);
        let inverse = inverse_length(sum(row, row, |x, y| x * y));
        for (out, &x) in out.iter_mut().zip(row) {
            *out = (f64::from(x) * inverse) as f32;
        }
    });
    tensor(out, [x.rows, x.columns])
}

/// The gradient with respect to `x`, given the gradient `slope` of the unit rows: the part of it
/// orthogonal to `x`, divided by `‖x‖`.
pub(super) fn backward(x: &FlexTensor, slope: &FlexTensor) -> FlexTensor {
    let (x, slope) = (Matrix::new(x), Matrix::new(slope));
    let (x, slope) = (x.view(), slope.view());
    let mut out = vec![0f32; x.rows * x.columns];
    for_rows(&mut out, x.columns, x.rows * x.columns, |i, out| {
        let (row, slope) = (x.row(i), slope.row(i));
        let square = sum(row, row, |x, y| x * y);
        let inverse = inverse_length(square);
        let along = match square >= SHORTEST_UNIT * SHORTEST_UNIT {
            true => sum(row, slope, |x, s| x * s) * inverse * inverse,
            // A row below the floor is only scaled.
            false => 0.0,
        };
        for ((out, &x), &s) in out.iter_mut().zip(row).zip(slope) {
            *out = (inverse * (f64::from(s) - along * f64::from(x))) as f32;
        }
    });
    tensor(out, [x.rows, x.columns])
}
