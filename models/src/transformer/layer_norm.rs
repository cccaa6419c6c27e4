//! Layer normalisation of hidden states.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use burn_embedding_losses::fused::layer_norm;

use super::parts::zeros;

/// As Burn's `LayerNorm`, which has no kernel for the backward pass and none for the sum before it.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// The scale, `[size]`.
    pub gamma: Param<Tensor<1>>,
    /// The shift, `[size]`.
    pub beta: Option<Param<Tensor<1>>>,
    epsilon: f64,
}

impl LayerNorm {
    pub(super) fn new(size: usize, epsilon: f64, device: &Device) -> Self {
        let gamma = Initializer::Ones.init([size], device);
        Self { gamma, beta: Some(zeros(size, device)), epsilon }
    }

    /// The vectors in the last dimension with mean 0 and variance 1, scaled and shifted.
    pub(crate) fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.of(x, None)
    }

    /// The same of `x + residual`.
    pub(crate) fn forward_sum<const D: usize>(
        &self,
        x: Tensor<D>,
        residual: Tensor<D>,
    ) -> Tensor<D> {
        self.of(x, Some(residual))
    }

    fn of<const D: usize>(&self, x: Tensor<D>, residual: Option<Tensor<D>>) -> Tensor<D> {
        let beta = self.beta.as_ref().map(|beta| beta.val());
        layer_norm(x, residual, self.gamma.val(), beta, self.epsilon)
    }
}
