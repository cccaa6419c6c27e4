//! One layer: attention, then two linear layers at every token.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::attention::Attention;
use super::config::TransformerConfig;
use super::feed_forward::FeedForward;
use super::layer_norm::LayerNorm;
use crate::dropout::Dropout;

/// One layer of a transformer.
#[derive(Module, Debug)]
pub struct Layer {
    attention: Attention,
    attention_norm: LayerNorm,
    feed_forward: FeedForward,
    dropout: Dropout,
}

impl Layer {
    pub(super) fn new(config: &TransformerConfig, device: &Device) -> Self {
        let drops = config.family.drops_attention();
        let dropout = if drops { config.hidden_dropout_prob } else { 0.0 };
        Self {
            attention: Attention::new(config, device),
            attention_norm: config.layer_norm(device),
            feed_forward: FeedForward::new(config, device),
            dropout: Dropout::new(dropout),
        }
    }

    /// The first half, `[texts · tokens, hidden]` to the same; for `bias` see [`Attention`].
    pub(super) fn attend(&self, states: Tensor<2>, bias: Tensor<4>) -> Tensor<2> {
        let attended = self.dropout.forward(self.attention.forward(states.clone(), bias));
        self.attention_norm.forward_sum(attended, states)
    }

    /// The second half, `[texts · tokens, hidden]` to the same.
    pub(super) fn feed_forward(&self, states: Tensor<2>) -> Tensor<2> {
        self.feed_forward.forward(states)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Family;
    use super::*;

    #[test]
    fn a_family_drops_out_what_it_does_in_python() {
        for (family, attention, feed_forward) in [
            (Family::Bert, 0.25, 0.25),
            (Family::Electra, 0.25, 0.25),
            (Family::Distilbert, 0.0, 0.25),
            (Family::Albert, 0.25, 0.0),
        ] {
            let config = TransformerConfig { family, ..TransformerConfig::bert(9) };
            let layer = Layer::new(&config.with_dropout(0.25), &Device::flex());
            assert_eq!(layer.dropout.share(), attention, "{family}");
            assert_eq!(layer.feed_forward.dropout.share(), feed_forward, "{family}");
        }
    }
}
