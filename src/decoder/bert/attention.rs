use burn::nn::Linear;
use burn::prelude::*;
use burn::tensor::activation::softmax;

use super::config::BertConfig;
use super::layer::BertResidual;
use crate::kernels::project;

/// Attention of a sentence to itself, added to the sentence.
#[derive(Module, Debug)]
pub struct BertAttention {
    /// What a position looks for.
    pub query: Linear,
    /// What a position is found by.
    pub key: Linear,
    /// What a position gives to those who find it.
    pub value: Linear,
    /// What becomes of it.
    pub output: BertResidual,
    #[module(skip)]
    heads: usize,
}

impl BertAttention {
    pub(super) fn new(config: &BertConfig, device: &Device) -> Self {
        let hidden = config.hidden_size;
        Self {
            query: config.linear(hidden, hidden, device),
            key: config.linear(hidden, hidden, device),
            value: config.linear(hidden, hidden, device),
            output: BertResidual::new(config, hidden, device),
            heads: config.num_attention_heads,
        }
    }

    /// `[n, len, hidden] → [n, len, hidden]`; `hidden_from[.., i, j]` says that position i must not
    /// look at position j, `[n, len, len]`.
    pub(super) fn forward(&self, x: Tensor<3>, hidden_from: Tensor<3, Bool>) -> Tensor<3> {
        let [query, key, value] = [&self.query, &self.key, &self.value]
            .map(|layer| self.split_heads(project(layer, x.clone())));
        let [n, heads, len, size] = query.dims();
        // softmax(Q Kᵀ / √size) V
        let scores = query.matmul(key.transpose()).mul_scalar((size as f64).powf(-0.5));
        let lowest = scores.dtype().finfo().map_or(f64::MIN, |info| info.min);
        let hidden_from = hidden_from.unsqueeze_dim::<4>(1).expand([n, heads, len, len]);
        let weights = softmax(scores.mask_fill(hidden_from, lowest), 3);
        let found = weights.matmul(value).swap_dims(1, 2).reshape([n, len, heads * size]);
        self.output.forward(found, x)
    }

    /// `[n, len, hidden] → [n, heads, len, hidden / heads]`
    fn split_heads(&self, x: Tensor<3>) -> Tensor<4> {
        let [n, len, hidden] = x.dims();
        x.reshape([n, len, self.heads, hidden / self.heads]).swap_dims(1, 2)
    }
}

/// Attention of every position to one vector, the sentence embedding, added to the position.
///
/// A softmax over one vector is 1, so neither query nor key makes a difference: there are none.
#[derive(Module, Debug)]
pub struct BertCrossAttention {
    /// What the sentence embedding gives.
    pub value: Linear,
    /// What becomes of it.
    pub output: BertResidual,
}

impl BertCrossAttention {
    pub(super) fn new(config: &BertConfig, device: &Device) -> Self {
        let hidden = config.hidden_size;
        Self {
            value: config.linear(hidden, hidden, device),
            output: BertResidual::new(config, hidden, device),
        }
    }

    /// The states `x`, `[n, len, hidden]`, with what every position gets from the embedding of its
    /// sentence, `[n, hidden]`: `[n, len, hidden]`.
    pub fn forward(&self, x: Tensor<3>, memory: Tensor<2>) -> Tensor<3> {
        let found = project(&self.value, memory).unsqueeze_dim::<3>(1);
        self.output.forward(found, x)
    }
}
