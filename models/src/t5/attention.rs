//! Self-attention whose scores are not scaled.

use burn::module::Module;
use burn::nn::{Embedding, Linear};
use burn::tensor::{Device, Int, Tensor};

use super::config::T5Config;
use crate::dropout::Dropout;
use crate::lora::Project;
use crate::transformer::{embedding, linear_without_bias, split_heads, weighted_means};

/// Each token becomes a weighted mean of all tokens of its text.
#[derive(Module, Debug)]
pub struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    /// A bias for each head and distance of two tokens.
    relative_bias: Option<Embedding>,
    dropout: Dropout,
    heads: usize,
}

impl Attention {
    pub(super) fn new(config: &T5Config, biased: bool, device: &Device) -> Self {
        let (size, inner) = (config.d_model, config.num_heads * config.d_kv);
        let deviation = |inputs: usize| config.initializer_factor / (inputs as f64).sqrt();
        let linear = |deviation| linear_without_bias(size, inner, deviation, device);
        let buckets = config.relative_attention_num_buckets;
        Self {
            query: linear(deviation(size * config.d_kv)),
            key: linear(deviation(size)),
            value: linear(deviation(size)),
            output: linear_without_bias(inner, size, deviation(inner), device),
            relative_bias: biased
                .then(|| embedding(buckets, config.num_heads, deviation(size), device)),
            dropout: Dropout::new(config.dropout_rate),
            heads: config.num_heads,
        }
    }

    /// The learned bias of each score, `[1, heads, tokens, tokens]`, by the bucket of each pair of
    /// tokens, `[tokens, tokens]`.
    pub(super) fn position_bias(&self, buckets: Tensor<2, Int>) -> Option<Tensor<4>> {
        let table = self.relative_bias.as_ref()?;
        Some(table.forward(buckets).permute([2, 0, 1]).unsqueeze::<4>())
    }

    /// `bias` is added to the scores.
    ///
    /// # Shapes
    ///
    /// - states: `[texts · tokens, d_model]`
    /// - bias: `[texts, heads, tokens, tokens]`
    pub(super) fn forward(&self, states: Tensor<2>, bias: Tensor<4>) -> Tensor<2> {
        let [_, _, _, tokens] = bias.dims();
        let split =
            |linear: &Linear| split_heads(linear.project(states.clone()), tokens, self.heads);
        let (query, key, value) = (split(&self.query), split(&self.key), split(&self.value));
        let scores = query.matmul(key.swap_dims(2, 3));
        let weights = self.dropout.of_attention(scores, bias);
        self.output.project(weighted_means(weights, value))
    }
}
