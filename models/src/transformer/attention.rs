//! Self-attention with several heads.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Device, Tensor, activation};

use super::config::TransformerConfig;

/// Each token becomes a weighted mean of all tokens of its text.
#[derive(Module, Debug)]
pub struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    dropout: Dropout,
    heads: usize,
}

impl Attention {
    pub(super) fn new(config: &TransformerConfig, device: &Device) -> Self {
        let linear = || config.linear(config.hidden_size, config.hidden_size, device);
        Self {
            query: linear(),
            key: linear(),
            value: linear(),
            output: linear(),
            dropout: DropoutConfig::new(config.attention_probs_dropout_prob).init(),
            heads: config.num_attention_heads,
        }
    }

    /// `bias` is added to the scores: very low where a token must not look, and whatever else the
    /// family adds.
    ///
    /// # Shapes
    ///
    /// - states: `[texts · tokens, hidden]`
    /// - bias: `[texts or 1, heads or 1, tokens or 1, tokens]`
    pub(super) fn forward(&self, states: Tensor<2>, bias: Tensor<4>) -> Tensor<2> {
        let [rows, size] = states.dims();
        let [_, _, _, tokens] = bias.dims();
        let split = |linear: &Linear| {
            let states = linear.forward(states.clone());
            let shape = [rows / tokens, tokens, self.heads, size / self.heads];
            states.reshape(shape).swap_dims(1, 2)
        };
        let (query, key, value) = (split(&self.query), split(&self.key), split(&self.value));
        let scale = ((size / self.heads) as f64).sqrt();
        // The query is smaller than the scores.
        let scores = (query / scale).matmul(key.swap_dims(2, 3)) + bias;
        let weights = self.dropout.forward(activation::softmax(scores, 3));
        let mixed = weights.matmul(value).swap_dims(1, 2).reshape([rows, size]);
        self.output.forward(mixed)
    }
}
