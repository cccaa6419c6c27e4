//! From the last states of a decoder to those that logits are made of.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use burn_embedding_losses::fused::gelu;

use crate::transformer::{LayerNorm, TransformerConfig, zeros};

/// The head of BERT's language model, up to the last layer, whose weights are the word embeddings.
#[derive(Module, Debug)]
pub struct LanguageModelHead {
    /// The linear layer before the GELU.
    pub dense: Linear,
    /// Normalises the output of the GELU.
    pub layer_norm: LayerNorm,
    /// The bias of the last layer, `[vocab]`.
    pub bias: Param<Tensor<1>>,
}

impl LanguageModelHead {
    pub(super) fn new(config: &TransformerConfig, device: &Device) -> Self {
        Self {
            dense: config.linear(config.hidden_size, config.hidden_size, device),
            layer_norm: config.layer_norm(device),
            bias: zeros(config.vocab_size, device),
        }
    }

    /// `[texts, tokens, hidden]` to states that are compared with the word embeddings, of the same
    /// shape.
    pub fn forward(&self, states: Tensor<3>) -> Tensor<3> {
        self.layer_norm.forward(gelu(self.dense.forward(states)))
    }
}
