//! GELU and its derivative in one pass.

use burn::backend::flex::FlexTensor;

use crate::kernels::flex::exponential::exp;
use crate::kernels::flex::parallel::{PIECE, for_pieces, for_rows_with, owned, tensor};

/// `x · Φ(x)` for each element.
pub(super) fn value(x: FlexTensor) -> FlexTensor {
    let mut x = owned(x);
    for_pieces(x.storage_mut::<f32>(), |_, piece| piece.iter_mut().for_each(|x| *x = at(*x)[0]));
    x
}

/// The same with the derivative `Φ(x) + x φ(x)`.
pub(super) fn value_and_slope(x: FlexTensor) -> [FlexTensor; 2] {
    // Overwritten, so that no memory is touched for the first time but that of the value.
    let mut slope = owned(x);
    let shape = slope.layout().shape().clone();
    let numbers = slope.storage_mut::<f32>();
    let count = numbers.len();
    let mut value = vec![0f32; count];
    let mut pieces: Vec<_> = value.chunks_mut(PIECE).collect();
    for_rows_with(numbers, PIECE, &mut pieces, count, |_, x, value| {
        for (x, value) in x.iter_mut().zip(value.iter_mut()) {
            [*value, *x] = at(*x);
        }
    });
    [tensor(value, shape), slope]
}

/// `x Φ(x)` and its derivative.
///
/// `Φ(x) = ½ + x P(x²)` near 0. Elsewhere the smaller of `Φ(x)` and `1 − Φ(x)` is `exp(−x²/2) t Q(t)` with
/// `t = 1 / (1 + STEP |x|)`. `P` and `Q` have the smallest largest error; both are computed everywhere, so that
/// there is no branch.
#[inline(always)]
fn at(x: f32) -> [f32; 2] {
    let (length, square) = (x.abs(), x * x);
    let power = exp(-0.5 * square);
    let near = 0.5 + x * polynomial(&P, square);
    let t = 1.0 / (1.0 + STEP * length);
    let tail = power * t * polynomial(&Q, t);
    let far = if x > 0.0 { 1.0 - tail } else { tail };
    let below = if length < 1.0 { near } else { far };
    [x * below, below + x * (DENSITY_AT_0 * power)]
}

const STEP: f32 = 0.33;
/// `1 / √(2π)`.
const DENSITY_AT_0: f32 = 0.398_942_3;
const P: [f32; 6] =
    [-7.660_538e-6, 1.135_023e-4, -1.186_344e-3, 9.973_329e-3, -6.649_036e-2, 0.398_942_3];
const Q: [f32; 8] = [
    4.418_514_3e-2,
    -0.140_107_38,
    0.111_386_09,
    4.362_002_5e-3,
    0.101_646_93,
    0.115_078_084,
    0.131_865_43,
    0.131_642_16,
];

#[inline(always)]
fn polynomial<const N: usize>(coefficients: &[f32; N], x: f32) -> f32 {
    let mut sum = 0.0;
    for coefficient in coefficients {
        sum = sum * x + coefficient;
    }
    sum
}
