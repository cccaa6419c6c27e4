//! The linear layers that some losses own.

use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::module::linear;

use crate::pairwise::norm::accumulate;

/// `x W + b`, `[n, in] → [n, out]`, in the type of `x`: at least `f32`, whatever the layer is
/// stored in.
pub fn project(layer: &Linear, x: Tensor<2>) -> Tensor<2> {
    let x = accumulate(x);
    let dtype = x.dtype();
    let bias = layer.bias.as_ref().map(|bias| bias.val().cast(dtype));
    linear(x, layer.weight.val().cast(dtype), bias)
}
