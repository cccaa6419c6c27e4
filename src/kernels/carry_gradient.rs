//! A gradient that was computed without a graph, tied to the graph of its tensor.

use burn::prelude::*;

use super::flex;
use crate::numeric::zero;

/// The number 0, `[1]`, whose gradient with respect to `x` is `gradient`, a constant.
///
/// Add it to a value whose gradient is known in closed form.
pub fn carry_gradient<const D: usize>(x: Tensor<D>, gradient: Tensor<D>) -> Tensor<1> {
    flex::carry_gradient(&x, &gradient).unwrap_or_else(|| plain(x, gradient))
}

fn plain<const D: usize>(x: Tensor<D>, gradient: Tensor<D>) -> Tensor<1> {
    (zero(x) * gradient).sum()
}
