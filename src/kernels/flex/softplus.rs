//! Sigmoids of rows and the sums of their logarithms, in place.

use burn::backend::Flex;
use burn::prelude::*;

use super::exponential::exp;
use super::parallel::{LANES, for_rows_with, tensor};
use super::softmax::Block;
use super::suits;

/// `factor · σ(z)` and the sum of each row, whose own column is `start + i`; the logits themselves if they do not suit.
#[allow(
    clippy::result_large_err,
    reason = "hands its argument back; a tensor is large by some features"
)]
pub(in crate::kernels) fn answers(
    z: Tensor<2>,
    start: usize,
    factor: f64,
) -> Result<(Tensor<2>, Tensor<2>), Tensor<2>> {
    if !suits(&z) {
        return Err(z);
    }
    let [rows, columns] = z.dims();
    let (mut block, mut sums) = (Block::new(z), vec![0f64; rows]);
    let numbers = block.numbers();
    let work = numbers.len();
    for_rows_with(numbers, columns, &mut sums, work, |i, row, sum| {
        // ln(1 + e⁻ᶻ) = ln(1 + eᶻ) − z, without a difference.
        let own = softplus(-row[start + i]).1;
        let twin = softplus(row[start + i]).1;
        *sum = answer(row, factor as f32) + f64::from(own) - f64::from(twin);
    });
    let sums = sums.into_iter().map(|sum| sum as f32).collect();
    Ok((block.into_tensor(), Tensor::from_primitive::<Flex>(tensor(sums, [rows, 1]))))
}

/// Replaces logits by `factor · σ(z)` and returns `Σ ln(1 + eᶻ)`.
#[inline(always)]
fn answer(row: &mut [f32], factor: f32) -> f64 {
    let (wide, rest) = row.as_chunks_mut::<LANES>();
    let mut sums = [0f64; LANES];
    for z in wide {
        for lane in 0..LANES {
            let (sigmoid, logarithm) = softplus(z[lane]);
            z[lane] = factor * sigmoid;
            sums[lane] += f64::from(logarithm);
        }
    }
    let mut sum = sums.iter().sum::<f64>();
    for z in rest {
        let (sigmoid, logarithm) = softplus(*z);
        *z = factor * sigmoid;
        sum += f64::from(logarithm);
    }
    sum
}

/// `σ(z)` and `ln(1 + eᶻ)`.
#[inline(always)]
fn softplus(z: f32) -> (f32, f32) {
    let e = exp(-z.abs());
    let inverse = 1.0 / (1.0 + e);
    let sigmoid = if z >= 0.0 { inverse } else { e * inverse };
    (sigmoid, if z > 0.0 { z } else { 0.0 } + log_one_plus(e))
}

/// `ln(1 + e)` for `0 ≤ e ≤ 1`: `2 artanh(e / (2 + e))`, whose series has nothing left after eight terms.
#[inline(always)]
fn log_one_plus(e: f32) -> f32 {
    let s = e / (2.0 + e);
    let square = s * s;
    let mut sum = 1.0 / 15.0;
    for odd in [13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        sum = sum * square + 1.0 / odd;
    }
    2.0 * s * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_right_to_two_units_in_the_last_place() {
        for step in 0..=1_000_000 {
            let e = step as f32 / 1e6;
            let (got, expected) = (f64::from(log_one_plus(e)), f64::from(e).ln_1p());
            assert!(
                (got - expected).abs() <= 2.0 * f64::from(f32::EPSILON) * expected,
                "{e}: {got}"
            );
        }
        assert_eq!(softplus(f32::MIN), (0.0, 0.0));
        assert_eq!(softplus(1e30), (1.0, 1e30));
    }
}
