//! Kernels for encoders: one pass over memory forward, one backward.

mod adam;
mod attention;
mod autodiff;
mod dropout;
mod gelu;
mod layer_norm;
mod mean_rows;
mod sum_of_squares;

use burn::backend::{Backend, Dispatch, Flex, backend_extension, tensor::FloatTensor};
use burn::prelude::*;

use super::suits;
use crate::kernels::fused::{Bags, DropoutMask, LayerNorm, Scores};

use layer_norm::{Inputs, Options};

pub(in crate::kernels) use adam::adam_step;
pub(in crate::kernels) use sum_of_squares::sum_of_squares;

/// `x · Φ(x)`, or `x` back.
#[allow(
    clippy::result_large_err,
    reason = "hands its argument back; a tensor is large by some features"
)]
pub(in crate::kernels) fn gelu<const D: usize>(x: Tensor<D>) -> Result<Tensor<D>, Tensor<D>> {
    if !suits(&x) {
        return Err(x);
    }
    Ok(Tensor::from_dispatch(<Dispatch as FusedKernels>::gelu(x.into_dispatch())))
}

/// The normalised sum, or everything back.
#[allow(
    clippy::result_large_err,
    reason = "hands its argument back; a tensor is large by some features"
)]
pub(in crate::kernels) fn layer_norm<const D: usize>(
    given: LayerNorm<D>,
) -> Result<Tensor<D>, LayerNorm<D>> {
    let LayerNorm { x, residual, gamma, beta, epsilon } = &given;
    let like_x = |other: &Tensor<D>| suits(other) && other.dims() == x.dims();
    let like_gamma = |other: &Tensor<1>| suits(other) && other.dims() == gamma.dims();
    let all = like_x(x) && residual.as_ref().is_none_or(like_x) && like_gamma(gamma);
    if !all || !beta.as_ref().is_none_or(like_gamma) {
        return Err(given);
    }
    let options = Options { epsilon: *epsilon, residual: residual.is_some(), beta: beta.is_some() };
    let LayerNorm { x, residual, gamma, beta, .. } = given;
    // Not looked at, and without a graph.
    let missing = || gamma.clone().inner().into_dispatch();
    let residual = residual.map_or_else(missing, Tensor::into_dispatch);
    let beta = beta.map_or_else(missing, Tensor::into_dispatch);
    let (x, gamma) = (x.into_dispatch(), gamma.into_dispatch());
    let y = <Dispatch as FusedKernels>::layer_norm(x, residual, gamma, beta, options);
    Ok(Tensor::from_dispatch(y))
}

/// The weights of attention, or everything back.
#[allow(
    clippy::result_large_err,
    reason = "hands its argument back; a tensor is large by some features"
)]
pub(in crate::kernels) fn attention_weights(given: Scores) -> Result<Tensor<4>, Scores> {
    let Scores { scores, bias, .. } = &given;
    let (all, own) = (scores.dims(), bias.dims());
    let fits = own[3] == all[3] && (0..3).all(|i| own[i] == all[i] || own[i] == 1);
    if !fits || !suits(scores) || !suits(bias) || bias.is_tracked() {
        return Err(given);
    }
    let Scores { scores, bias, dropout } = given;
    let mask = Dropped(dropout.cloned());
    let (scores, bias) = (scores.into_dispatch(), bias.into_dispatch());
    let weights = <Dispatch as FusedKernels>::attention_weights(scores, bias, mask);
    Ok(Tensor::from_dispatch(weights))
}

/// `x` with some numbers left out, or `x` back.
#[allow(
    clippy::result_large_err,
    reason = "hands its argument back; a tensor is large by some features"
)]
pub(in crate::kernels) fn dropout<const D: usize>(
    x: Tensor<D>,
    mask: &DropoutMask,
) -> Result<Tensor<D>, Tensor<D>> {
    if !suits(&x) {
        return Err(x);
    }
    let y = <Dispatch as FusedKernels>::dropout(x.into_dispatch(), mask.clone());
    Ok(Tensor::from_dispatch(y))
}

/// The mean of the rows of each bag, or the table back.
#[allow(
    clippy::result_large_err,
    reason = "hands its argument back; a tensor is large by some features"
)]
pub(in crate::kernels) fn mean_rows(table: Tensor<2>, bags: &Bags) -> Result<Tensor<2>, Tensor<2>> {
    if !suits(&table) {
        return Err(table);
    }
    let means = <Dispatch as FusedKernels>::mean_rows(table.into_dispatch(), bags.clone());
    Ok(Tensor::from_dispatch(means))
}

/// The dropout mask of the weights of attention, if there is one.
#[derive(Debug, Clone)]
struct Dropped(Option<DropoutMask>);

#[backend_extension(Flex, Autodiff)]
trait FusedKernels: Backend {
    fn attention_weights(
        scores: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        mask: Dropped,
    ) -> FloatTensor<Self>;

    fn dropout(x: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self>;

    fn gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn layer_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        options: Options,
    ) -> FloatTensor<Self>;

    fn mean_rows(table: FloatTensor<Self>, bags: Bags) -> FloatTensor<Self>;
}

impl FusedKernels for Flex {
    fn attention_weights(
        scores: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        mask: Dropped,
    ) -> FloatTensor<Self> {
        attention::weights(scores, &bias.to_contiguous(), mask.0).0
    }

    fn dropout(x: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
        dropout::apply(x, &mask)
    }

    fn gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        gelu::value(x)
    }

    fn layer_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        options: Options,
    ) -> FloatTensor<Self> {
        layer_norm::value(Inputs { x, residual, gamma, beta }, options)
    }

    fn mean_rows(table: FloatTensor<Self>, bags: Bags) -> FloatTensor<Self> {
        mean_rows::value(&table, &bags)
    }
}
