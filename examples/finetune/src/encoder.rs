//! A small sentence encoder: embeddings, transformer blocks, the mean over the tokens.

use burn::config::Config;
use burn::module::{Module, ModuleDisplay};
use burn::nn::transformer::{
    TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::nn::{Embedding, EmbeddingConfig, Initializer};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

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
    /// Sentence embeddings `[texts, dimension]`.
    fn forward(&self, batch: TokenBatch) -> Tensor<2>;
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
        let length = rows.iter().map(|row| row.len()).max().unwrap_or(1);
        let mut ids = Vec::with_capacity(rows.len() * length);
        let mut padding = Vec::with_capacity(rows.len() * length);
        for row in rows {
            let missing = length - row.len();
            ids.extend(row.iter().map(|&id| id as i32));
            ids.extend(std::iter::repeat_n(Tokenizer::PADDING_ID as i32, missing));
            padding.extend(std::iter::repeat_n(false, row.len()));
            padding.extend(std::iter::repeat_n(true, missing));
        }
        let shape = [rows.len(), length];
        Self {
            ids: Tensor::from_data(TensorData::new(ids, shape), device),
            padding: Tensor::from_data(TensorData::new(padding, shape), device),
        }
    }
}

impl TextEncoder for Encoder {
    /// Not normalised.
    fn forward(&self, batch: TokenBatch) -> Tensor<2> {
        let [_, length] = batch.ids.dims();
        let device = batch.ids.device();
        let positions = Tensor::arange(0..length as i64, &device).unsqueeze::<2>();
        // Scaled as in "Attention is all you need", so that words weigh more than positions.
        let tokens = self.tokens.forward(batch.ids) * (self.dimension as f64).sqrt();
        let embedded = tokens + self.positions.forward(positions);
        let input = TransformerEncoderInput::new(embedded.clone());
        let blocks = self.blocks.forward(input.mask_pad(batch.padding.clone()));
        let hidden = embedded.clone() + (blocks - embedded) * self.block_share;
        let weights = batch.padding.bool_not().float();
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
    fn the_order_of_the_tokens_matters() {
        let device = Device::flex();
        let encoder = EncoderConfig::new(20).with_dimension(8).with_block_share(1.0).init(&device);
        let rows: [&[u32]; 2] = [&[3, 4, 5], &[5, 4, 3]];
        let embeddings = encoder.forward(TokenBatch::new(&rows, &device));
        let [first, second] = [0, 1].map(|row| embeddings.clone().slice(row..row + 1));
        assert!((first - second).abs().max().into_scalar::<f32>() > 1e-5);
    }
}
