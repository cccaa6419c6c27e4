//! Running sums of exponentials, in the log domain.

use burn::prelude::*;

use crate::numeric::lowest_number;

/// `ln Σ_{k ≤ i} exp(x_k)` along each row, for every i, `[rows, n]`, by doubling the reach of each sum.
///
/// # Numerical behavior
///
/// `n log n`. The [lowest number](f32::MIN) of the type counts as the logarithm of 0.
pub fn running_log_sum_exp(x: Tensor<2>) -> Tensor<2> {
    let [rows, n] = x.dims();
    let mut sums = x;
    let mut reach = 1;
    while reach < n {
        let kept = sums.clone().slice([0..rows, 0..n - reach]);
        let before = Tensor::cat(vec![log_of_zero([rows, reach], &sums), kept], 1);
        sums = log_add_exp(sums, before);
        reach *= 2;
    }
    sums
}

/// `ln Σ_{k ≥ i} exp(x_k)` along each row, for every i, `[rows, n]`.
pub fn remaining_log_sum_exp(x: Tensor<2>) -> Tensor<2> {
    running_log_sum_exp(x.flip([1])).flip([1])
}

/// The logarithm of 0, as a finite number.
pub(super) fn log_of_zero<const D: usize>(shape: [usize; D], like: &Tensor<D>) -> Tensor<D> {
    Tensor::full(shape, lowest_number(like.dtype()), (&like.device(), like.dtype()))
}

/// `ln(eˣ + eʸ)`, element by element.
fn log_add_exp(x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
    let apart = (x.clone() - y.clone()).abs();
    x.max_pair(y) + apart.neg().exp().log1p()
}
