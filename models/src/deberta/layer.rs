//! One layer: attention, then two linear layers at every token.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::attention::{DisentangledAttention, Relative};
use super::config::DebertaConfig;
use crate::dropout::Dropout;
use crate::transformer::{FeedForward, LayerNorm};

/// One layer of a DeBERTa.
#[derive(Module, Debug)]
pub struct Layer {
    attention: DisentangledAttention,
    attention_norm: LayerNorm,
    feed_forward: FeedForward,
    dropout: Dropout,
}

impl Layer {
    pub(super) fn new(config: &DebertaConfig, device: &Device) -> Self {
        Self {
            attention: DisentangledAttention::new(config, device),
            attention_norm: config.bert.layer_norm(device),
            feed_forward: FeedForward::new(&config.bert, device),
            dropout: config.bert.hidden_dropout(),
        }
    }

    /// `[texts · tokens, hidden]` to the same; for `mask` see [`DisentangledAttention`].
    pub(super) fn forward(
        &self,
        states: Tensor<2>,
        mask: Tensor<4>,
        relative: Option<&Relative>,
    ) -> Tensor<2> {
        let attended = self.attention.forward(states.clone(), mask, relative);
        let attended = self.dropout.forward(attended);
        self.feed_forward.forward(self.attention_norm.forward_sum(attended, states))
    }
}
