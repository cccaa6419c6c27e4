//! Self-attention by content and by distance.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Int, Tensor};

use super::config::DebertaConfig;
use crate::dropout::Dropout;
use crate::lora::Project;
use crate::transformer::{split_heads, weighted_means};

/// The distances in a text.
#[derive(Debug)]
pub(super) struct Relative {
    /// A vector for each, `[distances, hidden]`.
    pub vectors: Tensor<2>,
    /// The row of the table that the first of them is.
    pub first: usize,
    /// The distance of each pair of tokens, `[tokens, tokens]`.
    pub places: Tensor<2, Int>,
}

/// Each token becomes a weighted mean of all tokens of its text. Its score for another one compares
/// the two, the token with the distance, and the distance with the other.
#[derive(Module, Debug)]
pub struct DisentangledAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    position_key: Option<Linear>,
    position_query: Option<Linear>,
    dropout: Dropout,
    position_dropout: Dropout,
    heads: usize,
    content_to_position: bool,
    position_to_content: bool,
}

impl DisentangledAttention {
    pub(super) fn new(config: &DebertaConfig, device: &Device) -> Self {
        let bert = &config.bert;
        let linear = || bert.linear(bert.hidden_size, bert.hidden_size, device);
        let content_to_position = config.compares("c2p");
        let position_to_content = config.compares("p2c");
        let own = config.relative_attention && !config.share_att_key;
        Self {
            query: linear(),
            key: linear(),
            value: linear(),
            output: linear(),
            position_key: (own && content_to_position).then(linear),
            position_query: (own && position_to_content).then(linear),
            dropout: Dropout::new(bert.attention_probs_dropout_prob),
            position_dropout: bert.hidden_dropout(),
            heads: bert.num_attention_heads,
            content_to_position,
            position_to_content,
        }
    }

    /// `mask` is very low where a token must not look.
    ///
    /// # Shapes
    ///
    /// - states: `[texts · tokens, hidden]`
    /// - mask: `[texts, 1, 1, tokens]`
    pub(super) fn forward(
        &self,
        states: Tensor<2>,
        mask: Tensor<4>,
        relative: Option<&Relative>,
    ) -> Tensor<2> {
        let [_, _, _, tokens] = mask.dims();
        let split =
            |linear: &Linear| split_heads(linear.project(states.clone()), tokens, self.heads);
        let (query, key, value) = (split(&self.query), split(&self.key), split(&self.value));
        let scale = self.scale(query.dims()[3]);
        let query = query / scale;
        let mut scores = query.clone().matmul(key.clone().swap_dims(2, 3));
        if let Some(relative) = relative {
            scores = self.by_distance(scores, query, key / scale, relative);
        }
        let weights = self.dropout.of_attention(scores, mask);
        self.output.project(weighted_means(weights, value))
    }

    /// The square root of the numbers that are added up for a score, whether there are vectors for
    /// distances or not.
    fn scale(&self, size: usize) -> f64 {
        let compared = [true, self.content_to_position, self.position_to_content];
        let terms = compared.into_iter().filter(|it| *it).count();
        ((size * terms) as f64).sqrt()
    }

    /// `scores` with those that compare a token and a distance; `query` and `key` are scaled already.
    fn by_distance(
        &self,
        mut scores: Tensor<4>,
        query: Tensor<4>,
        key: Tensor<4>,
        relative: &Relative,
    ) -> Tensor<4> {
        let shape = scores.dims();
        let [distances, _] = relative.vectors.dims();
        let vectors =
            self.position_dropout.forward_shared(relative.vectors.clone(), relative.first);
        let split = |own: &Option<Linear>, shared: &Linear| {
            let linear = own.as_ref().unwrap_or(shared);
            split_heads(linear.project(vectors.clone()), distances, self.heads).swap_dims(2, 3)
        };
        let places = |places: Tensor<2, Int>| places.unsqueeze::<4>().expand(shape);
        if self.content_to_position {
            let compared = query.matmul(split(&self.position_key, &self.key));
            scores = scores + compared.gather(3, places(relative.places.clone()));
        }
        if self.position_to_content {
            let compared = key.matmul(split(&self.position_query, &self.query));
            // A row for each token that is looked at.
            let places = places(relative.places.clone().transpose());
            scores = scores + compared.gather(3, places).swap_dims(2, 3);
        }
        scores
    }
}
