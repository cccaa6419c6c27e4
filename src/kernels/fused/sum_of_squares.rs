//! The squared length of a tensor.

use burn::prelude::*;

use crate::kernels::flex;

/// `Σ x²` over all elements, `[1]`, without a graph.
///
/// # Numerical behavior
///
/// Summed up in `f64` on Flex.
pub fn sum_of_squares<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    let x = x.inner();
    flex::sum_of_squares(&x).unwrap_or_else(|| plain(x))
}

fn plain<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    // A power would be slower.
    (x.clone() * x).sum()
}
