//! The linear layers that some losses own.

use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::module::linear;

use crate::pairwise::PairFeatures;
#[cfg(feature = "flex")]
use crate::pairwise::flex;
use crate::pairwise::norm::accumulate;

/// `x W + b`, `[.., in] → [.., out]`, in the type of `x`: at least `f32`, whatever the layer is
/// stored in.
pub fn project<const D: usize>(layer: &Linear, x: Tensor<D>) -> Tensor<D> {
    let x = accumulate(x);
    let dtype = x.dtype();
    let bias = layer.bias.as_ref().map(|bias| bias.val().cast(dtype));
    linear(x, layer.weight.val().cast(dtype), bias)
}

/// [`project`] of what the layer sees of two rows, `[n, dim]`, `[n, dim] → [n, out]`.
pub fn project_pairs(
    layer: &Linear,
    left: Tensor<2>,
    right: Tensor<2>,
    features: PairFeatures,
) -> Tensor<2> {
    let (left, right) = (accumulate(left), accumulate(right));
    #[cfg(feature = "flex")]
    if let Some(bias) = &layer.bias {
        let (weight, bias) = (layer.weight.val(), bias.val());
        let suits = [&left, &right, &weight].into_iter().all(flex::suits) && flex::suits(&bias);
        if suits && weight.dims()[1] <= flex::MOST_CLASSES {
            return flex::classify([left, right], weight, bias, features);
        }
    }
    project(layer, features.of(left, right))
}
