//! One layer: attention, then linear layers at every token, each after a normalisation.

use burn::module::Module;
use burn::nn::RmsNorm;
use burn::tensor::{Device, Int, Tensor};

use super::attention::Attention;
use super::config::T5Config;
use super::feed_forward::FeedForward;
use crate::dropout::Dropout;

/// One layer of a T5 encoder.
#[derive(Module, Debug)]
pub struct Layer {
    attention_norm: RmsNorm,
    attention: Attention,
    feed_forward_norm: RmsNorm,
    feed_forward: FeedForward,
    dropout: Dropout,
}

impl Layer {
    pub(super) fn new(config: &T5Config, biased: bool, device: &Device) -> Self {
        Self {
            attention_norm: config.norm(device),
            attention: Attention::new(config, biased, device),
            feed_forward_norm: config.norm(device),
            feed_forward: FeedForward::new(config, device),
            dropout: Dropout::new(config.dropout_rate),
        }
    }

    /// See [`Attention`].
    pub(super) fn position_bias(&self, buckets: Tensor<2, Int>) -> Option<Tensor<4>> {
        self.attention.position_bias(buckets)
    }

    /// `[texts · tokens, d_model]` to the same; for `bias` see [`Attention`].
    pub(super) fn forward(&self, states: Tensor<2>, bias: Tensor<4>) -> Tensor<2> {
        let attended = self.attention.forward(self.attention_norm.forward(states.clone()), bias);
        let states = states + self.dropout.forward(attended);
        let wide = self.feed_forward.forward(self.feed_forward_norm.forward(states.clone()));
        states + self.dropout.forward(wide)
    }
}
