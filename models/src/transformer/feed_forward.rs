//! Two linear layers at every token.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};

use super::activation::Activation;
use super::config::TransformerConfig;
use super::layer_norm::LayerNorm;
use crate::dropout::Dropout;
use crate::lora::Project;

/// The second half of a layer: two linear layers at every token, added to what came in.
#[derive(Module, Debug)]
pub struct FeedForward {
    intermediate: Linear,
    output: Linear,
    norm: LayerNorm,
    pub(super) dropout: Dropout,
    #[module(skip)]
    activation: Activation,
}

impl FeedForward {
    pub(crate) fn new(config: &TransformerConfig, device: &Device) -> Self {
        let (size, wide) = (config.hidden_size, config.intermediate_size);
        let drops = config.family.drops_feed_forward();
        let dropout = if drops { config.hidden_dropout_prob } else { 0.0 };
        Self {
            intermediate: config.linear(size, wide, device),
            output: config.linear(wide, size, device),
            norm: config.layer_norm(device),
            dropout: Dropout::new(dropout),
            activation: config.hidden_act,
        }
    }

    /// `[texts · tokens, hidden]` to the same.
    pub(crate) fn forward(&self, states: Tensor<2>) -> Tensor<2> {
        let wide = self.activation.forward(self.intermediate.project(states.clone()));
        let narrow = self.dropout.forward(self.output.project(wide));
        self.norm.forward_sum(narrow, states)
    }
}
