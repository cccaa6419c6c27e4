//! A small sentence encoder: embeddings, transformer blocks, the mean over the tokens.

use std::iter::repeat;

use burn::config::Config;
use burn::module::{Module, ModuleDisplay};
use burn::nn::transformer::{
    TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::nn::{Embedding, EmbeddingConfig, Initializer};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use crate::lengths;
use crate::model::Transformer;
use crate::model::config::Config as ModelConfig;
use crate::tokenizer::Tokenizer;

/// The shape of an [`Encoder`].
#[derive(Config, Debug)]
pub struct EncoderConfig {
    /// Number of token ids.
    pub vocabulary: usize,
    /// Size of a sentence embedding.
    #[config(default = 128)]
    pub dimension: usize,
    /// Attention heads of a block; they divide the dimension.
    #[config(default = 4)]
    pub heads: usize,
    /// Transformer blocks.
    #[config(default = 1)]
    pub layers: usize,
    /// Hidden size of a block's feed-forward part.
    #[config(default = 256)]
    pub feed_forward: usize,
    /// Longest text, in tokens; what is beyond is not read.
    #[config(default = 64)]
    pub max_tokens: usize,
    /// How much of what the blocks add is taken. A small share leaves the start to the words: on
    /// few rows the blocks would otherwise learn the texts by heart before they learn the words.
    #[config(default = 0.1)]
    pub block_share: f64,
    /// Dropout while training.
    #[config(default = 0.0)]
    pub dropout: f64,
}

/// Turns token ids into one embedding for each text.
#[derive(Module, Debug)]
pub struct Encoder {
    tokens: Embedding,
    positions: Embedding,
    blocks: TransformerEncoder,
    dimension: usize,
    block_share: f64,
}

impl EncoderConfig {
    /// An encoder with random parameters, the same for the same seed of the device.
    pub fn init(&self, device: &Device) -> Encoder {
        let normal = |std| Initializer::Normal { mean: 0.0, std };
        Encoder {
            tokens: EmbeddingConfig::new(self.vocabulary, self.dimension)
                .with_initializer(normal(0.05))
                .init(device),
            positions: EmbeddingConfig::new(self.max_tokens, self.dimension)
                .with_initializer(normal(0.02))
                .init(device),
            blocks: TransformerEncoderConfig::new(
                self.dimension,
                self.feed_forward,
                self.heads,
                self.layers,
            )
            .with_norm_first(true)
            .with_dropout(self.dropout)
            .with_initializer(normal(0.02))
            .init(device),
            dimension: self.dimension,
            block_share: self.block_share,
        }
    }
}

/// What turns token ids into one embedding for each text, and can be trained to do it better.
pub trait TextEncoder: Module + ModuleDisplay {
    /// A vector for each token as it is alone, `[texts, tokens, dimension]`.
    fn token_vectors(&self, ids: Tensor<2, Int>) -> Tensor<3>;

    /// Sentence embeddings `[texts, dimension]` of such vectors.
    fn sentence_vectors(&self, tokens: Tensor<3>, padding: Tensor<2, Bool>) -> Tensor<2>;

    /// Sentence embeddings `[texts, dimension]`, all texts together.
    fn forward(&self, batch: TokenBatch) -> Tensor<2> {
        self.sentence_vectors(self.token_vectors(batch.ids), batch.padding)
    }

    /// The same of token ids in rows of different lengths, texts of like length together.
    fn embed(&self, rows: &[&[u32]], device: &Device) -> Tensor<2> {
        let lengths: Vec<_> = rows.iter().map(|row| row.len()).collect();
        let groups = lengths::groups(&lengths);
        let order = groups.concat();
        let sorted: Vec<_> = order.iter().map(|&index| rows[index]).collect();
        let batch = TokenBatch::new(&sorted, device);
        // All at once: the gradient of a look-up is as large as the table.
        let tokens = self.token_vectors(batch.ids);
        let mut start = 0;
        let group = |group: &Vec<usize>| {
            let rows = start..start + group.len();
            start = rows.end;
            let longest = group.iter().map(|&index| lengths[index]).max().unwrap_or(1);
            let tokens = tokens.clone().slice([rows.clone(), 0..longest]);
            let padding = batch.padding.clone().slice([rows, 0..longest]);
            self.sentence_vectors(tokens, padding)
        };
        let embeddings = Tensor::cat(groups.iter().map(group).collect(), 0);
        embeddings.select(0, Tensor::from_data(lengths::places(&order).as_slice(), device))
    }

    /// The layers that a decoder can be made of, if there are any.
    fn transformer(&self) -> Option<(&Transformer, &ModelConfig)> {
        None
    }
}

/// Texts as token ids, all as long as the longest one.
#[derive(Debug, Clone)]
pub struct TokenBatch {
    /// `[texts, tokens]`.
    pub ids: Tensor<2, Int>,
    /// Which of them only fill a row up.
    pub padding: Tensor<2, Bool>,
}

impl TokenBatch {
    /// Pads the rows to a common length.
    pub fn new(rows: &[&[u32]], device: &Device) -> Self {
        let length = longest(rows);
        let padding = rows.iter().flat_map(|row| (0..length).map(|index| index >= row.len()));
        let padding = TensorData::new(padding.collect(), [rows.len(), length]);
        Self {
            ids: padded(rows, Tokenizer::PADDING_ID, device),
            padding: Tensor::from_data(padding, device),
        }
    }
}

/// Rows filled up with one id, `[rows, longest row]`.
pub fn padded(rows: &[&[u32]], padding: u32, device: &Device) -> Tensor<2, Int> {
    let length = longest(rows);
    let ids = rows.iter().flat_map(|row| row.iter().copied().chain(repeat(padding)).take(length));
    let ids = ids.map(|id| id as i32);
    Tensor::from_data(TensorData::new(ids.collect(), [rows.len(), length]), device)
}

fn longest(rows: &[&[u32]]) -> usize {
    rows.iter().map(|row| row.len()).max().unwrap_or(1)
}

impl TextEncoder for Encoder {
    fn token_vectors(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let [_, length] = ids.dims();
        let positions = Tensor::arange(0..length as i64, &ids.device()).unsqueeze::<2>();
        // Scaled as in "Attention is all you need", so that words weigh more than positions.
        let tokens = self.tokens.forward(ids) * (self.dimension as f64).sqrt();
        tokens + self.positions.forward(positions)
    }

    /// Not normalised.
    fn sentence_vectors(&self, tokens: Tensor<3>, padding: Tensor<2, Bool>) -> Tensor<2> {
        let input = TransformerEncoderInput::new(tokens.clone());
        let blocks = self.blocks.forward(input.mask_pad(padding.clone()));
        let hidden = tokens.clone() + (blocks - tokens) * self.block_share;
        let weights = padding.bool_not().float();
        let lengths = weights.clone().sum_dim(1);
        let sums = (hidden * weights.unsqueeze_dim(2)).sum_dim(1);
        sums.squeeze_dim::<2>(1) / lengths
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tolerance;

    use super::*;

    #[test]
    fn padding_changes_no_embedding() {
        let device = Device::flex();
        let encoder = EncoderConfig::new(20).with_dimension(8).init(&device);
        let alone = encoder.forward(TokenBatch::new(&[&[3, 4, 5]], &device));
        let padded = encoder.forward(TokenBatch::new(&[&[3, 4, 5], &[6; 9]], &device));
        let tolerance = Tolerance::<f32>::absolute(1e-5);
        padded.slice(0..1).into_data().assert_approx_eq(&alone.into_data(), tolerance);
    }

    #[test]
    fn texts_of_different_lengths_keep_their_order() {
        let device = Device::flex();
        let encoder = EncoderConfig::new(20).with_dimension(8).init(&device);
        let rows: [&[u32]; 4] = [&[3; 60], &[4, 5], &[6; 50], &[7]];
        let together = encoder.embed(&rows, &device);
        let alone = rows.map(|row| encoder.forward(TokenBatch::new(&[row], &device)));
        let alone = Tensor::cat(alone.to_vec(), 0);
        let tolerance = Tolerance::<f32>::absolute(1e-5);
        together.into_data().assert_approx_eq(&alone.into_data(), tolerance);
    }

    #[test]
    fn the_order_of_the_tokens_matters() {
        let device = Device::flex();
        let encoder = EncoderConfig::new(20).with_dimension(8).with_block_share(1.0).init(&device);
        let rows: [&[u32]; 2] = [&[3, 4, 5], &[5, 4, 3]];
        let embeddings = encoder.forward(TokenBatch::new(&rows, &device));
        let [first, second] = [0, 1].map(|row| embeddings.clone().slice(row..row + 1));
        assert!((first - second).abs().max().into_scalar::<f32>() > 1e-5);
    }
}
