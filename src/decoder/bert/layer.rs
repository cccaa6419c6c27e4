use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use burn::nn::Linear;
use burn::prelude::*;

use super::attention::BertAttention;
use super::config::BertConfig;
use super::layer_norm::BertLayerNorm;
use crate::kernels::project;
use crate::numeric::tangent;

/// `LayerNorm(W y + b + x)`: how every part of a layer adds what it found to what there was.
#[derive(Module, Debug)]
pub struct BertResidual {
    /// `W` and `b`.
    pub dense: Linear,
    /// Normalizes the sum.
    pub layer_norm: BertLayerNorm,
}

impl BertResidual {
    pub(super) fn new(config: &BertConfig, inputs: usize, device: &Device) -> Self {
        Self {
            dense: config.linear(inputs, config.hidden_size, device),
            layer_norm: BertLayerNorm::new(config, device),
        }
    }

    pub(super) fn forward(&self, found: Tensor<3>, x: Tensor<3>) -> Tensor<3> {
        self.layer_norm.forward(project(&self.dense, found) + x)
    }
}

/// A layer of BERT: attention, then two linear layers at every position.
#[derive(Module, Debug)]
pub struct BertLayer {
    /// Attention of the sentence to itself.
    pub attention: BertAttention,
    /// The first of the two linear layers, before the GELU.
    pub intermediate: Linear,
    /// The second.
    pub output: BertResidual,
}

impl BertLayer {
    pub(super) fn new(config: &BertConfig, device: &Device) -> Self {
        Self {
            attention: BertAttention::new(config, device),
            intermediate: config.linear(config.hidden_size, config.intermediate_size, device),
            output: BertResidual::new(config, config.intermediate_size, device),
        }
    }

    /// What follows the attention, `[n, len, hidden] → [n, len, hidden]`.
    pub(super) fn feed_forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.output.forward(gelu(project(&self.intermediate, x.clone())), x)
    }
}

/// `x Φ(x)`, with Φ the distribution function of the normal distribution.
///
/// Burn's own has this value, but on most backends the derivative of its approximation by a tanh.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let fixed = x.clone().inner();
    let y = fixed.clone().mul_scalar(FRAC_1_SQRT_2);
    let below = y.clone().erf().mul_scalar(0.5).add_scalar(0.5);
    let value = fixed * below.clone();
    if !x.is_tracked() {
        return value;
    }
    // x φ(x) = y exp(−y²) / √π for y = x / √2
    let density = (y.clone() * y.clone()).neg().exp();
    let slope = density * y.mul_scalar(FRAC_2_SQRT_PI / 2.0) + below;
    tangent(x, value, slope)
}
