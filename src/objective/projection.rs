//! The linear layers that some losses own.

use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::module::linear;

use crate::pairwise::norm::accumulate;

/// `x W + b`, `[.., in] → [.., out]`, in the type of `x`: at least `f32`, whatever the layer is
/// stored in.
pub fn project<const D: usize>(layer: &Linear, x: Tensor<D>) -> Tensor<D> {
    let x = accumulate(x);
    let dtype = x.dtype();
    let bias = layer.bias.as_ref().map(|bias| bias.val().cast(dtype));
    linear(x, layer.weight.val().cast(dtype), bias)
}
