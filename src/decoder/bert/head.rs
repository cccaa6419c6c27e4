use burn::module::Param;
use burn::nn::Linear;
use burn::prelude::*;

use super::config::{BertConfig, zeros};
use super::layer::gelu;
use super::layer_norm::BertLayerNorm;
use crate::kernels::project;

/// What makes hidden states ready to be compared with the word embeddings, which are the weight of
/// the last layer as well.
#[derive(Module, Debug)]
pub struct BertLmHead {
    /// A linear layer, before the GELU.
    pub dense: Linear,
    /// Normalizes what comes out of the GELU.
    pub layer_norm: BertLayerNorm,
    /// The bias of the last layer, `[vocab]`.
    pub bias: Param<Tensor<1>>,
}

impl BertLmHead {
    pub(super) fn new(config: &BertConfig, device: &Device) -> Self {
        Self {
            dense: config.linear(config.hidden_size, config.hidden_size, device),
            layer_norm: BertLayerNorm::new(config, device),
            bias: zeros(config.vocab_size, device),
        }
    }

    /// The last hidden states made ready for logits, `[n, len, hidden] → [n, len, hidden]`.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.layer_norm.forward(gelu(project(&self.dense, x)))
    }
}
