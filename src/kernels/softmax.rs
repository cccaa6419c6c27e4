//! Softmax over the rows of several matrices at once.

use core::ops::Range;

use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;

use super::flex;

/// `factor · exp(z) / Σ exp(z)` over the rows of all blocks together, and `ln Σ exp(z)`, `[n, 1]`; no
/// graph.
///
/// # Numerical behavior
///
/// Shifted by the largest score of the row, so nothing overflows.
pub(crate) fn softmax(blocks: Vec<Tensor<2>>, factor: f64) -> (Vec<Tensor<2>>, Tensor<2>) {
    match flex::softmax(blocks, factor) {
        Ok(computed) => computed,
        Err(blocks) => plain(blocks, factor),
    }
}

fn plain(blocks: Vec<Tensor<2>>, factor: f64) -> (Vec<Tensor<2>>, Tensor<2>) {
    let shift = largest_in_row(&blocks);
    let exponential = |z: Tensor<2>| (z - shift.clone()).exp();
    let blocks: Vec<_> = blocks.into_iter().map(exponential).collect();
    let sums = blocks.iter().map(|e| e.clone().sum_dim(1));
    let total = sums.reduce(|total, sum| total + sum).expect("at least one block");
    let share = total.clone().recip().mul_scalar(factor);
    let slopes = blocks.into_iter().map(|e| e * share.clone()).collect();
    (slopes, total.log() + shift)
}

/// The number of matrices the size of `scores` that [`softmax`] has in memory: one if it works in place, else
/// scores, exponentials and slopes.
pub(crate) fn matrices_in_memory(scores: &Tensor<2>) -> usize {
    if flex::works_in_place(scores) { 1 } else { 3 }
}

/// `ln Σ exp(z)` over the rows of all blocks together, `[n, 1]`, in the graph of the scores.
///
/// # Numerical behavior
///
/// As [`softmax`]; the shift is a constant.
pub(crate) fn log_sum_exp(blocks: Vec<Tensor<2>>) -> Tensor<2> {
    let shift = largest_in_row(&blocks);
    let sums = blocks.into_iter().map(|z| (z - shift.clone()).exp().sum_dim(1));
    sums.reduce(|total, sum| total + sum).expect("at least one block").log() + shift
}

fn largest_in_row(blocks: &[Tensor<2>]) -> Tensor<2> {
    let largest = |z: &Tensor<2>| z.clone().inner().max_dim(1);
    blocks.iter().map(largest).reduce(Tensor::max_pair).expect("at least one block")
}

/// Adds `value` to column `start + i` of each row i; no graph.
pub(crate) fn add_to_diagonal(x: Tensor<2>, start: usize, value: f64) -> Tensor<2> {
    match flex::add_to_diagonal(x, start, value) {
        Ok(added) => added,
        Err(x) => plain_add_to_diagonal(x, start, value),
    }
}

fn plain_add_to_diagonal(x: Tensor<2>, start: usize, value: f64) -> Tensor<2> {
    let rows = x.dims()[0];
    let own = diagonal(start..start + rows, &x.device());
    let values = Tensor::full(own.dims(), value, (&x.device(), x.dtype()));
    x.scatter(1, own, values, IndexingUpdateOp::Add)
}

/// The numbers of a range as a column, `[rows, 1]`: the column of each row's own positive.
pub(crate) fn diagonal(range: Range<usize>, device: &Device) -> Tensor<2, Int> {
    let range = range.start as i64..range.end as i64;
    Tensor::<1, Int>::arange(range, device).unsqueeze_dim(1)
}
