//! A model without layers: a table with a vector for each token, and the mean over the tokens of a
//! text.

mod config;
mod read;

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::{Device, Int, Tensor};
use burn_embedding_losses::fused::{Bags, mean_rows};

pub use config::StaticConfig;
pub(crate) use read::read;

/// A vector for each token, whatever the other tokens are.
///
/// Source: `sentence_transformers.sentence_transformer.modules.static_embedding`.
#[derive(Module, Debug)]
pub struct StaticEmbedding {
    pub(crate) embedding: Embedding,
}

impl StaticEmbedding {
    /// A table of random vectors, which are only drawn if they are used before others are loaded.
    pub(crate) fn new(config: &StaticConfig, device: &Device) -> Self {
        // Burn's initializer is PyTorch's: the standard normal distribution.
        Self { embedding: EmbeddingConfig::new(config.tokens, config.dimension).init(device) }
    }

    /// `[texts, tokens]` ids to a vector for each, `[texts, tokens, dimension]`.
    pub fn token_vectors(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.embedding.forward(ids)
    }

    /// The mean of the vectors of each text, `[texts, dimension]`; zeros for a text without tokens.
    pub(crate) fn means(&self, rows: &[&[u32]]) -> Tensor<2> {
        mean_rows(self.embedding.weight.val(), &Bags::new(rows.iter().copied()))
    }
}
