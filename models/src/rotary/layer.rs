//! One layer: attention, then two linear layers at every token.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::attention::Attention;
use super::config::RotaryConfig;
use super::feed_forward::FeedForward;
use super::norm::Norm;
use super::positions::Positions;
use crate::dropout::Dropout;

/// One layer of a network.
#[derive(Module, Debug)]
pub struct Layer {
    attention: Attention,
    attention_norms: Norms,
    attention_dropout: Dropout,
    feed_forward: FeedForward,
    feed_forward_norms: Norms,
    feed_forward_dropout: Dropout,
}

/// The normalisations around one half of a layer, whose result is added to what it was given.
#[derive(Module, Debug)]
pub struct Norms {
    before: Option<Norm>,
    of_result: Option<Norm>,
    after_sum: Option<Norm>,
}

impl Layer {
    pub(super) fn new(config: &RotaryConfig, index: usize, device: &Device) -> Self {
        let dropout = |share| Dropout::new(share);
        Self {
            attention: Attention::new(config, device),
            attention_norms: Norms::new(config, index > 0 || config.first_norm, device),
            attention_dropout: dropout(config.dropout.attention),
            feed_forward: FeedForward::new(config, device),
            feed_forward_norms: Norms::new(config, true, device),
            feed_forward_dropout: dropout(config.dropout.feed_forward),
        }
    }

    /// `[texts · tokens, hidden]` to the same.
    pub(super) fn forward(&self, states: Tensor<2>, positions: &Positions) -> Tensor<2> {
        let states = self.attention_norms.around(states, |states| {
            self.attention_dropout.forward(self.attention.forward(states, positions))
        });
        self.feed_forward_norms.around(states, |states| {
            self.feed_forward_dropout.forward(self.feed_forward.forward(states))
        })
    }
}

impl Norms {
    fn new(config: &RotaryConfig, before: bool, device: &Device) -> Self {
        let places = config.places;
        let norm = |there: bool| there.then(|| config.norm(config.hidden_size, device));
        Self {
            before: norm(places.before() && before),
            of_result: norm(places.of_result()),
            after_sum: norm(places.after_sum()),
        }
    }

    fn around(&self, states: Tensor<2>, half: impl FnOnce(Tensor<2>) -> Tensor<2>) -> Tensor<2> {
        let result = half(forward(self.before.as_ref(), states.clone()));
        let sum = states + forward(self.of_result.as_ref(), result);
        forward(self.after_sum.as_ref(), sum)
    }
}

fn forward(norm: Option<&Norm>, states: Tensor<2>) -> Tensor<2> {
    match norm {
        Some(norm) => norm.forward(states),
        None => states,
    }
}
