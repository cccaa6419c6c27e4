//! A model without layers: a table with a vector for each token, and the mean over the tokens of a
//! text.

mod config;
mod read;

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};

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
    ///
    /// Nothing is padded: `rows` are the ids of texts in the order of their length, and those of one
    /// length are one block of the vectors of all tokens.
    pub(crate) fn means(&self, rows: &[&[u32]], device: &Device) -> Tensor<2> {
        let table = self.embedding.weight.val();
        let [_, dimension] = table.dims();
        let ids: Vec<i32> = rows.iter().copied().flatten().map(|&id| id as i32).collect();
        let tokens = ids.len();
        let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [tokens]), device);
        let vectors = (tokens > 0).then(|| table.select(0, ids));
        let mut end = 0;
        let means = rows.chunk_by(|one, next| one.len() == next.len()).map(|texts| {
            let (count, length) = (texts.len(), texts[0].len());
            let block = end..end + count * length;
            end = block.end;
            match &vectors {
                Some(vectors) if length > 0 => {
                    let block = vectors.clone().slice(block).reshape([count, length, dimension]);
                    block.mean_dim(1).reshape([count, dimension])
                }
                _ => Tensor::zeros([count, dimension], device),
            }
        });
        Tensor::cat(means.collect(), 0)
    }
}
