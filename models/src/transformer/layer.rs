//! One layer: attention, then two linear layers at every token.

use burn::module::Module;
use burn::nn::{Dropout, LayerNorm, Linear};
use burn::tensor::{Device, Tensor};

use super::activation::Activation;
use super::attention::Attention;
use super::config::TransformerConfig;

/// One layer of a transformer.
#[derive(Module, Debug)]
pub struct Layer {
    attention: Attention,
    attention_norm: LayerNorm,
    intermediate: Linear,
    output: Linear,
    output_norm: LayerNorm,
    dropout: Dropout,
    #[module(skip)]
    activation: Activation,
}

impl Layer {
    pub(super) fn new(config: &TransformerConfig, device: &Device) -> Self {
        let (size, wide) = (config.hidden_size, config.intermediate_size);
        Self {
            attention: Attention::new(config, device),
            attention_norm: config.layer_norm(device),
            intermediate: config.linear(size, wide, device),
            output: config.linear(wide, size, device),
            output_norm: config.layer_norm(device),
            dropout: config.hidden_dropout(),
            activation: config.hidden_act,
        }
    }

    /// The first half, `[texts · tokens, hidden]` to the same; for `bias` see [`Attention`].
    pub(super) fn attend(&self, states: Tensor<2>, bias: Tensor<4>) -> Tensor<2> {
        let attended = self.dropout.forward(self.attention.forward(states.clone(), bias));
        self.attention_norm.forward(attended + states)
    }

    /// The second half, `[texts · tokens, hidden]` to the same.
    pub(super) fn feed_forward(&self, states: Tensor<2>) -> Tensor<2> {
        let wide = self.activation.forward(self.intermediate.forward(states.clone()));
        let narrow = self.dropout.forward(self.output.forward(wide));
        self.output_norm.forward(narrow + states)
    }
}
