//! Token ids to vectors: word, position and token type.

use burn::module::Module;
use burn::nn::{Embedding, Linear};
use burn::tensor::{Device, Int, Tensor};

use super::config::TransformerConfig;
use super::layer_norm::LayerNorm;
use crate::dropout::Dropout;
use crate::lora::Project;

/// The vectors of token types, which all texts share where all tokens are of type 0.
pub(crate) fn of_types(table: &Embedding, types: Option<Tensor<2, Int>>) -> Tensor<3> {
    match types {
        Some(types) => table.forward(types),
        None => table.weight.val().slice(0..1).unsqueeze::<3>(),
    }
}

/// The vector of each token before the tokens see each other.
#[derive(Module, Debug)]
pub struct Embeddings {
    words: Embedding,
    positions: Embedding,
    token_types: Option<Embedding>,
    norm: LayerNorm,
    dropout: Dropout,
    /// To the size of the hidden states.
    projection: Option<Linear>,
    padding_index: Option<usize>,
}

impl Embeddings {
    pub(super) fn new(config: &TransformerConfig, device: &Device) -> Self {
        let size = config.embedding_size();
        let table = |rows| config.embedding(rows, size, device);
        let types = config.family.has_token_types();
        Self {
            words: table(config.vocab_size),
            positions: table(config.max_position_embeddings),
            token_types: types.then(|| table(config.type_vocab_size)),
            norm: config.layer_norm_of(size, device),
            dropout: config.hidden_dropout(),
            projection: (config.projects_embeddings())
                .then(|| config.linear(size, config.hidden_size, device)),
            padding_index: config.padding_index(),
        }
    }

    /// `[texts, tokens]` ids to `[texts, tokens, hidden]`; without `types`, all tokens are of type 0.
    #[track_caller]
    pub(super) fn forward(&self, ids: Tensor<2, Int>, types: Option<Tensor<2, Int>>) -> Tensor<3> {
        self.require_positions(&ids);
        let positions = self.positions.forward(self.position_ids(&ids));
        let mut sum = self.words.forward(ids) + positions;
        if let Some(table) = &self.token_types {
            sum = sum + of_types(table, types);
        }
        let normal = self.dropout.forward(self.norm.forward(sum));
        match &self.projection {
            Some(projection) => projection.project(normal),
            None => normal,
        }
    }

    /// A vector for each token id, `[vocab, embedding]`.
    pub(super) fn words(&self) -> Tensor<2> {
        self.words.weight.val()
    }

    #[track_caller]
    fn require_positions(&self, ids: &Tensor<2, Int>) {
        let unused = self.padding_index.map_or(0, |index| index + 1);
        let longest = self.positions.weight.dims()[0] - unused;
        let [_, tokens] = ids.dims();
        assert!(
            tokens <= longest,
            "Transformer: `ids` must have at most {longest} columns, got {tokens}"
        );
    }

    /// From zero; or from the padding id plus one, counting only tokens that are no padding.
    fn position_ids(&self, ids: &Tensor<2, Int>) -> Tensor<2, Int> {
        match self.padding_index {
            None => {
                let [_, tokens] = ids.dims();
                Tensor::arange(0..tokens as i64, &ids.device()).unsqueeze::<2>()
            }
            Some(index) => {
                let counted = ids.clone().not_equal_elem(index as i64).int();
                counted.clone().cumsum(1) * counted + index as i64
            }
        }
    }
}
