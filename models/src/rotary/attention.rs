//! Self-attention with rotary positions, in which several heads may share keys and values.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};

use super::config::RotaryConfig;
use super::norm::Norm;
use super::positions::Positions;
use super::sizes::Heads;
use crate::dropout::Dropout;
use crate::lora::Project;
use crate::transformer::split_heads;

/// Each token becomes a weighted mean of the tokens that it sees.
#[derive(Module, Debug)]
pub struct Attention {
    /// To queries, keys and values: one matrix for all three, or one each.
    inputs: Vec<Linear>,
    query_norm: Option<Norm>,
    key_norm: Option<Norm>,
    output: Linear,
    dropout: Dropout,
    #[module(skip)]
    heads: Heads,
}

impl Attention {
    pub(super) fn new(config: &RotaryConfig, device: &Device) -> Self {
        let heads = config.heads;
        let widths = heads.widths();
        let inputs = if heads.fused { vec![widths.iter().sum()] } else { widths.to_vec() };
        let linear = |inputs, outputs, bias| config.linear([inputs, outputs], bias, device);
        let norm = || heads.norms.then(|| config.norm(heads.size, device));
        Self {
            inputs: inputs
                .into_iter()
                .map(|it| linear(config.hidden_size, it, heads.bias))
                .collect(),
            query_norm: norm(),
            key_norm: norm(),
            output: linear(widths[0], config.hidden_size, heads.output_bias),
            dropout: Dropout::new(config.dropout.weights),
            heads,
        }
    }

    /// `[texts · tokens, hidden]` to the same.
    pub(super) fn forward(&self, states: Tensor<2>, positions: &Positions) -> Tensor<2> {
        let [_, _, _, tokens] = positions.bias.dims();
        let [rows, _] = states.dims();
        let Heads { query: heads, key_value, size, scale, soft_cap, .. } = self.heads;
        let [query, key, value] = self.projected(states);
        let split = |states, heads, norm: &Option<Norm>| {
            let states = split_heads(states, tokens, heads);
            norm.as_ref().map_or(states.clone(), |norm| norm.forward(states))
        };
        let query = positions.turned(split(query, heads, &self.query_norm)) * scale;
        let key = positions.turned(split(key, key_value, &self.key_norm));
        let value = split_heads(value, tokens, key_value);
        // The queries of heads that share keys are rows of one matrix.
        let texts = rows / tokens;
        let shared = [texts, key_value, heads / key_value * tokens];
        let scores = query.reshape([shared[0], shared[1], shared[2], size]).matmul(key.transpose());
        let mut scores = scores.reshape([texts, heads, tokens, tokens]);
        if let Some(cap) = soft_cap {
            scores = (scores / cap).tanh() * cap;
        }
        let weights = self.dropout.of_attention(scores, positions.bias.clone());
        let means = weights.reshape([shared[0], shared[1], shared[2], tokens]).matmul(value);
        let means = means.reshape([texts, heads, tokens, size]).swap_dims(1, 2);
        self.output.project(means.reshape([rows, heads * size]))
    }

    /// Queries, keys and values, `[texts · tokens, heads · size]`.
    fn projected(&self, states: Tensor<2>) -> [Tensor<2>; 3] {
        match self.inputs.as_slice() {
            [query, key, value] => [query, key, value].map(|it| it.project(states.clone())),
            all => {
                let all = all[0].project(states);
                let [query, key, value] = self.heads.widths();
                let ends = [query, query + key, query + key + value];
                let starts = [0, ends[0], ends[1]];
                [0, 1, 2].map(|it| all.clone().slice_dim(1, starts[it]..ends[it]))
            }
        }
    }
}
