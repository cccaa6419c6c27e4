//! Token ids to vectors: word, position and token type.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Int, Tensor};

use super::config::{Config, Family};

/// The sum of what is known of a token before the tokens see each other.
#[derive(Module, Debug)]
pub struct Embeddings {
    words: Embedding,
    positions: Embedding,
    token_types: Option<Embedding>,
    norm: LayerNorm,
    dropout: Dropout,
    padding_index: Option<usize>,
}

impl Embeddings {
    /// With parameters still to be read.
    pub fn new(config: &Config, device: &Device) -> Self {
        let table = |rows| EmbeddingConfig::new(rows, config.hidden_size).init(device);
        Self {
            words: table(config.vocab_size),
            positions: table(config.max_position_embeddings),
            token_types: (config.family != Family::Mpnet).then(|| table(config.type_vocab_size)),
            norm: LayerNormConfig::new(config.hidden_size)
                .with_epsilon(config.layer_norm_eps)
                .init(device),
            dropout: DropoutConfig::new(config.hidden_dropout_prob).init(),
            padding_index: config.padding_index(),
        }
    }

    /// `[texts, tokens]` ids to `[texts, tokens, hidden]`.
    pub fn forward(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let positions = self.positions.forward(self.position_ids(&ids));
        let mut sum = self.words.forward(ids) + positions;
        if let Some(types) = &self.token_types {
            sum = sum + types.weight.val().slice(0..1).unsqueeze::<3>();
        }
        self.dropout.forward(self.norm.forward(sum))
    }

    /// A vector for each token id.
    pub fn words(&self) -> Tensor<2> {
        self.words.weight.val()
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
