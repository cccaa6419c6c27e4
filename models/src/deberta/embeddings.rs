//! Token ids to vectors: word, and where the configuration says so, position and token type.

use burn::module::Module;
use burn::nn::{Embedding, Linear};
use burn::tensor::{Device, Int, Tensor};

use super::config::DebertaConfig;
use crate::dropout::Dropout;
use crate::lora::Project;
use crate::transformer::{LayerNorm, linear_without_bias, of_types};

/// The vector of each token before the tokens see each other.
#[derive(Module, Debug)]
pub struct Embeddings {
    words: Embedding,
    positions: Option<Embedding>,
    token_types: Option<Embedding>,
    /// To the size of the hidden states.
    projection: Option<Linear>,
    norm: LayerNorm,
    dropout: Dropout,
}

impl Embeddings {
    pub(super) fn new(config: &DebertaConfig, device: &Device) -> Self {
        let (bert, size) = (&config.bert, config.embedding_size());
        let table = |rows| bert.embedding(rows, size, device);
        let (hidden, deviation) = (bert.hidden_size, bert.initializer_range);
        Self {
            words: table(bert.vocab_size),
            positions: config.position_biased_input.then(|| table(bert.max_position_embeddings)),
            token_types: (config.token_types > 0).then(|| table(config.token_types)),
            projection: (size != hidden)
                .then(|| linear_without_bias(size, hidden, deviation, device)),
            norm: bert.layer_norm(device),
            dropout: bert.hidden_dropout(),
        }
    }

    /// `[texts, tokens]` ids to `[texts, tokens, hidden]`; without `types`, all tokens are of type 0.
    #[track_caller]
    pub(super) fn forward(&self, ids: Tensor<2, Int>, types: Option<Tensor<2, Int>>) -> Tensor<3> {
        let [_, tokens] = ids.dims();
        let mut sum = self.words.forward(ids);
        if let Some(positions) = &self.positions {
            let table = positions.weight.val();
            let [longest, _] = table.dims();
            assert!(
                tokens <= longest,
                "Deberta: `ids` must have at most {longest} columns, got {tokens}"
            );
            sum = sum + table.slice(0..tokens).unsqueeze::<3>();
        }
        if let Some(table) = &self.token_types {
            sum = sum + of_types(table, types);
        }
        if let Some(projection) = &self.projection {
            sum = projection.project(sum);
        }
        self.dropout.forward(self.norm.forward(sum))
    }
}
