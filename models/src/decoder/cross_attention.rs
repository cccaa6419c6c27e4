//! Attention of a decoder to the embedding of the text.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};

use crate::transformer::{LayerNorm, TransformerConfig};

/// Attention of every token to one vector, the embedding of the text, added to the token's vector.
///
/// A softmax over one vector is 1, so queries and keys would change nothing: there are none.
#[derive(Module, Debug)]
pub struct CrossAttention {
    /// Makes a value of the embedding.
    pub value: Linear,
    /// Adds it to the token's vector.
    pub output: Residual,
}

impl CrossAttention {
    pub(super) fn new(config: &TransformerConfig, device: &Device) -> Self {
        let size = config.hidden_size;
        Self {
            value: config.linear(size, size, device),
            output: Residual {
                dense: config.linear(size, size, device),
                layer_norm: config.layer_norm(device),
            },
        }
    }

    /// The states `[texts, tokens, hidden]` and the embeddings `[texts, hidden]` to new states
    /// `[texts, tokens, hidden]`.
    pub fn forward(&self, states: Tensor<3>, embeddings: Tensor<2>) -> Tensor<3> {
        let found = self.value.forward(embeddings).unsqueeze_dim::<3>(1);
        self.output.forward(found, states)
    }
}

/// `LayerNorm(W y + b + x)`.
#[derive(Module, Debug)]
pub struct Residual {
    /// `W` and `b`.
    pub dense: Linear,
    /// Normalises the sum.
    pub layer_norm: LayerNorm,
}

impl Residual {
    fn forward(&self, y: Tensor<3>, x: Tensor<3>) -> Tensor<3> {
        self.layer_norm.forward(self.dense.forward(y) + x)
    }
}
