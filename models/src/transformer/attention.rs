//! Self-attention with several heads.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Bool, DType, Device, Tensor};
use burn_embedding_losses::numeric::lowest_number;

use super::config::TransformerConfig;
use crate::dropout::Dropout;
use crate::lora::Project;

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
            dropout: Dropout::new(config.attention_probs_dropout_prob),
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
        let [_, _, _, tokens] = bias.dims();
        let split =
            |linear: &Linear| split_heads(linear.project(states.clone()), tokens, self.heads);
        let (query, key, value) = (split(&self.query), split(&self.key), split(&self.value));
        let [_, _, _, size] = query.dims();
        // The query is smaller than the scores.
        let scores = (query / (size as f64).sqrt()).matmul(key.swap_dims(2, 3));
        let weights = self.dropout.of_attention(scores, bias);
        self.output.project(weighted_means(weights, value))
    }
}

/// `[texts · tokens, heads · size]` to `[texts, heads, tokens, size]`.
pub(crate) fn split_heads(states: Tensor<2>, tokens: usize, heads: usize) -> Tensor<4> {
    let [rows, size] = states.dims();
    states.reshape([rows / tokens, tokens, heads, size / heads]).swap_dims(1, 2)
}

/// The mean of the values, `[texts, heads, tokens, size]`, for each token by its weights, `[texts, heads,
/// tokens, tokens]`: `[texts · tokens, heads · size]`.
pub(crate) fn weighted_means(weights: Tensor<4>, value: Tensor<4>) -> Tensor<2> {
    let [texts, heads, tokens, size] = value.dims();
    weights.matmul(value).swap_dims(1, 2).reshape([texts * tokens, heads * size])
}

/// What is added to scores so that nothing is left of the weight of a token that must not be seen.
pub(crate) fn mask_bias(hidden_from: Tensor<4, Bool>, dtype: DType) -> Tensor<4> {
    hidden_from.float().cast(dtype) * lowest_number(dtype)
}
