use burn::module::Param;
use burn::nn::Initializer;
use burn::prelude::*;
use burn::tensor::module::layer_norm;

use super::config::{BertConfig, zeros};

/// Layer normalization: rows of mean 0 and variance 1, scaled and shifted.
///
/// Like [`burn::nn::LayerNorm`], but in the type of its input, whatever its weights are stored in.
#[derive(Module, Debug)]
pub struct BertLayerNorm {
    /// The scales, `[hidden]`.
    pub gamma: Param<Tensor<1>>,
    /// The shifts, `[hidden]`.
    pub beta: Param<Tensor<1>>,
    #[module(skip)]
    epsilon: f64,
}

impl BertLayerNorm {
    pub(super) fn new(config: &BertConfig, device: &Device) -> Self {
        Self {
            gamma: Initializer::Ones.init([config.hidden_size], device),
            beta: zeros(config.hidden_size, device),
            epsilon: config.layer_norm_eps,
        }
    }

    /// `[.., hidden] → [.., hidden]`
    pub(super) fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let dtype = x.dtype();
        let (gamma, beta) = (self.gamma.val().cast(dtype), self.beta.val().cast(dtype));
        layer_norm(x, gamma, Some(beta), self.epsilon)
    }
}
