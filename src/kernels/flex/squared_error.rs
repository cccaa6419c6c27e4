//! The sum of squared errors and its gradient in one pass.

use burn::backend::flex::FlexTensor;

use super::parallel::{Matrix, for_rows_with, sum_with, tensor};

/// `weight · Σ (x − y)²`, `[1]`.
pub(super) fn value([x, y]: [&FlexTensor; 2], weight: f64) -> FlexTensor {
    let (x, y) = (Matrix::new(x), Matrix::new(y));
    let (x, y) = (x.view(), y.view());
    let mut sums = vec![0f64; x.rows];
    let mut nothing = vec![(); x.rows];
    for_rows_with(&mut sums, 1, &mut nothing, x.rows * x.columns, |i, sum, ()| {
        sum[0] = squares(x.row(i), y.row(i));
    });
    total(&sums, weight)
}

/// The same with its gradient with respect to `x`; that with respect to `y` is the opposite.
pub(super) fn value_and_gradient([x, y]: [&FlexTensor; 2], weight: f64) -> [FlexTensor; 2] {
    let (x, y) = (Matrix::new(x), Matrix::new(y));
    let (x, y) = (x.view(), y.view());
    let factor = (2.0 * weight) as f32;
    let (mut gradient, mut sums) = (vec![0f32; x.rows * x.columns], vec![0f64; x.rows]);
    for_rows_with(&mut gradient, x.columns, &mut sums, x.rows * x.columns, |i, out, sum| {
        let (x, y) = (x.row(i), y.row(i));
        for (out, (&x, &y)) in out.iter_mut().zip(x.iter().zip(y)) {
            *out = factor * (x - y);
        }
        *sum = squares(x, y);
    });
    [total(&sums, weight), tensor(gradient, [x.rows, x.columns])]
}

/// Differences in `f32`, which are exact for close numbers.
#[inline(always)]
fn squares(x: &[f32], y: &[f32]) -> f64 {
    sum_with(x, y, |x, y| {
        let difference = f64::from(x - y);
        difference * difference
    })
}

fn total(sums: &[f64], weight: f64) -> FlexTensor {
    tensor(vec![(weight * sums.iter().sum::<f64>()) as f32], [1])
}
