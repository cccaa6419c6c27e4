//! The encoder of T5, mT5 and UMT5: normalisation before each part, no bias in linear layers, and
//! learned biases for the distance of two tokens in place of positions.

mod attention;
mod config;
mod feed_forward;
mod layer;
mod shape;

use burn::module::Module;
use burn::nn::{Embedding, RmsNorm};
use burn::tensor::{Bool, Device, Int, Tensor};

pub use attention::Attention;
pub use config::{T5Config, Variant};
pub use feed_forward::{FeedForward, Gated, Wide};
pub use layer::Layer;

use crate::dropout::Dropout;
use crate::transformer::{AfterLayer, Buckets, embedding, mask_bias, require_padding};

/// Token ids to one vector for each token, in the light of the others.
#[derive(Module, Debug)]
pub struct T5 {
    words: Embedding,
    layers: Vec<Layer>,
    norm: RmsNorm,
    dropout: Dropout,
    #[module(skip)]
    buckets: Buckets,
}

impl T5 {
    /// A network with new parameters, which are only drawn if they are used before others are
    /// loaded.
    pub(crate) fn new(config: &T5Config, device: &Device) -> Self {
        let layer = |index| {
            let biased = index == 0 || config.variant == Variant::Umt5;
            Layer::new(config, biased, device)
        };
        Self {
            words: embedding(config.vocab_size, config.d_model, config.initializer_factor, device),
            layers: (0..config.num_layers).map(layer).collect(),
            norm: config.norm(device),
            dropout: Dropout::new(config.dropout_rate),
            buckets: config.buckets(),
        }
    }

    /// `[texts, tokens]` ids to a vector for each as it is alone, `[texts, tokens, d_model]`.
    pub fn token_vectors(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.dropout.forward(self.words.forward(ids))
    }

    /// Such vectors, and which of them are padding, to vectors in the light of each other;
    /// `after_layer` sees what each layer gives.
    ///
    /// # Panics
    ///
    /// If `padding` is not `[texts, tokens]`.
    #[track_caller]
    pub fn forward_with(
        &self,
        start: Tensor<3>,
        padding: Tensor<2, Bool>,
        after_layer: AfterLayer,
    ) -> Tensor<3> {
        let [texts, tokens, size] = start.dims();
        require_padding(&padding, [texts, tokens]);
        let mask = mask_bias(padding.reshape([texts, 1, 1, tokens]), start.dtype());
        let buckets = self.buckets.of_text(tokens, &start.device());
        let mut bias = mask.clone();
        let mut states = start.reshape([texts * tokens, size]);
        for layer in &self.layers {
            // A layer without biases of its own uses those of the last one that has some.
            if let Some(learned) = layer.position_bias(buckets.clone()) {
                bias = mask.clone() + learned;
            }
            states = layer.forward(states, bias.clone());
            after_layer(&states);
        }
        let states = self.dropout.forward(self.norm.forward(states));
        states.reshape([texts, tokens, size])
    }
}
