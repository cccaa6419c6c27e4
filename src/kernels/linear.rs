//! The linear layers that some losses own.

use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::module::linear;

use super::{PairFeatures, flex};
use crate::numeric::accumulate;

/// `x W + b`, `[.., in] → [.., out]`, in the type of `x`: at least `f32`, whatever the layer is
/// stored in.
pub fn project<const D: usize>(layer: &Linear, x: Tensor<D>) -> Tensor<D> {
    let x = accumulate(x);
    let dtype = x.dtype();
    let bias = layer.bias.as_ref().map(|bias| bias.val().cast(dtype));
    linear(x, layer.weight.val().cast(dtype), bias)
}

/// [`project`] of the [features](PairFeatures) of two rows, `[n, dim]`, `[n, dim] → [n, out]`.
pub fn project_pairs(
    layer: &Linear,
    left: Tensor<2>,
    right: Tensor<2>,
    features: PairFeatures,
) -> Tensor<2> {
    let (left, right) = (accumulate(left), accumulate(right));
    let parameters = layer.bias.as_ref().map(|bias| (layer.weight.val(), bias.val()));
    let by_kernel = parameters
        .and_then(|(weight, bias)| flex::project_pairs([&left, &right], &weight, &bias, features));
    by_kernel.unwrap_or_else(|| project(layer, features.of(left, right)))
}
