//! Sums over all pairs of rows, a block of anchors at a time, without a matrix of all pairs.
//!
//! An in-batch loss is a sum over anchors of a function of that anchor's row of scores. Each block
//! gives its value **and its gradient at once** and is let go; what is kept are gradients of the
//! rows, `[n, dim]`.

use core::ops::Range;

use burn::prelude::*;

use crate::kernels::{Accumulated, carry_gradient};

pub use crate::budget::{Blocks, DEFAULT_BUDGET, default_budget};

/// The sum of `part` over all blocks, `[1]`, with its gradient with respect to `rows`, and whatever
/// else the parts give.
///
/// `part` takes the anchors of a block and all rows, and gives one number, `[1]`, that is derived
/// by a graph of its own. Without a gradient to compute there is no graph.
pub(crate) fn sum<const K: usize, T>(
    rows: [Tensor<2>; K],
    blocks: Blocks,
    part: impl Fn(Range<usize>, [Tensor<2>; K]) -> (Tensor<1>, T),
) -> (Tensor<1>, Vec<T>) {
    if !rows.iter().any(Tensor::is_tracked) {
        let (values, others): (Vec<_>, _) =
            blocks.ranges().map(|range| part(range, rows.clone())).unzip();
        return (total(values), others);
    }
    let mut gradients = wanted(&rows, blocks);
    let (mut values, mut others) = (Vec::new(), Vec::new());
    for range in blocks.ranges() {
        let leaves = rows.each_ref().map(|rows| {
            let leaf = Tensor::from_inner(rows.clone().inner());
            if rows.is_tracked() { leaf.require_grad() } else { leaf }
        });
        let (value, other) = part(range, leaves.clone());
        let mut found = value.backward();
        for (gradient, leaf) in gradients.iter_mut().zip(&leaves) {
            if let Some((gradient, part)) = gradient.as_mut().zip(leaf.grad_remove(&mut found)) {
                gradient.add(part);
            }
        }
        values.push(value.inner());
        others.push(other);
    }
    (carry_all(total(values), rows, gradients), others)
}

/// The sum over all blocks of values that `part` gives with their gradients, both without a graph.
///
/// `part` takes the anchors of a block, gives its value, `[1]`, and adds to the gradients that are
/// wanted.
pub(crate) fn closed_sum<const K: usize>(
    rows: [Tensor<2>; K],
    blocks: Blocks,
    mut part: impl FnMut(Range<usize>, &mut [Option<Accumulated>; K]) -> Tensor<1>,
) -> Tensor<1> {
    let mut gradients = wanted(&rows, blocks);
    let values = blocks.ranges().map(|range| part(range, &mut gradients)).collect();
    carry_all(total(values), rows, gradients)
}

fn total(values: Vec<Tensor<1>>) -> Tensor<1> {
    values.into_iter().reduce(|sum, value| sum + value).expect("a batch has at least one row")
}

/// A place for the gradient of each of the rows that have one.
fn wanted<const K: usize>(rows: &[Tensor<2>; K], blocks: Blocks) -> [Option<Accumulated>; K] {
    let place = |rows: &Tensor<2>| Accumulated::new(rows.dims()[0], blocks);
    rows.each_ref().map(|rows| rows.is_tracked().then(|| place(rows)))
}

fn carry_all<const K: usize>(
    value: Tensor<1>,
    rows: [Tensor<2>; K],
    gradients: [Option<Accumulated>; K],
) -> Tensor<1> {
    rows.into_iter().zip(gradients).fold(value, |value, (rows, gradient)| {
        match gradient.and_then(Accumulated::into_gradient) {
            Some(gradient) => {
                let dtype = value.dtype();
                value + carry_gradient(rows, gradient).cast(dtype)
            }
            None => value,
        }
    })
}
