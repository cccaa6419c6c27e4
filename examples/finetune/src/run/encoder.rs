//! A small sentence encoder: embeddings, transformer blocks, the mean over the tokens.

use burn::config::Config;
use burn::module::Module;
use burn::nn::transformer::{
    TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::nn::{Embedding, EmbeddingConfig, Initializer};
use burn::tensor::{Bool, Device, Int, Tensor};
use burn_embedding_models::TextEncoder;

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
    /// Longest text, in tokens; the rest of a longer one is not read.
    #[config(default = 64)]
    pub max_tokens: usize,
    /// The share of the blocks' output that is added to the word vectors. A small share lets the
    /// words learn first: on few rows the blocks would otherwise memorise the texts.
    #[config(default = 0.1)]
    pub block_share: f64,
    /// Dropout while training.
    #[config(default = 0.0)]
    pub dropout: f64,
}

impl EncoderConfig {
    /// Checks the sizes, which may come from any file.
    pub fn check(&self) -> Result<(), String> {
        const MOST: usize = 1 << 20;
        let sizes = [
            ("vocabulary", self.vocabulary),
            ("dimension", self.dimension),
            ("heads", self.heads),
            ("feed_forward", self.feed_forward),
            ("max_tokens", self.max_tokens),
        ];
        if let Some((name, size)) = sizes.iter().find(|(_, size)| !(1..=MOST).contains(size)) {
            return Err(format!("`{name}` is {size}, expected 1 to {MOST}"));
        }
        if self.layers > 1000 {
            return Err(format!("`layers` is {}, expected at most 1000", self.layers));
        }
        if !self.dimension.is_multiple_of(self.heads) {
            let (dimension, heads) = (self.dimension, self.heads);
            return Err(format!("`dimension` {dimension} is not divisible by {heads} `heads`"));
        }
        let shares = [("block_share", self.block_share), ("dropout", self.dropout)];
        match shares.iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            Some((name, share)) => Err(format!("`{name}` is {share}, expected 0 to 1")),
            None => Ok(()),
        }
    }

    /// The number of parameters in its matrices.
    pub fn parameters(&self) -> u128 {
        let Self { vocabulary, dimension, layers, feed_forward, max_tokens, .. } = *self;
        let sizes = [vocabulary + max_tokens, dimension, layers, feed_forward];
        let [embeddings, dimension, layers, hidden] = sizes.map(|size| size as u128);
        dimension * (embeddings + layers * (4 * dimension + 2 * hidden))
    }
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
        mean(tokens.clone() + (blocks - tokens) * self.block_share, padding)
    }

    /// Before the blocks, and after all of them.
    fn layers(&self) -> usize {
        2
    }

    fn layer_vectors(&self, tokens: Tensor<3>, padding: Tensor<2, Bool>) -> Option<Vec<Tensor<2>>> {
        let words = mean(tokens.clone(), padding.clone());
        Some(vec![words, self.sentence_vectors(tokens, padding)])
    }
}

/// The mean vector of each text, without padding.
fn mean(tokens: Tensor<3>, padding: Tensor<2, Bool>) -> Tensor<2> {
    let weights = padding.bool_not().float();
    let lengths = weights.clone().sum_dim(1);
    let sums = (tokens * weights.unsqueeze_dim(2)).sum_dim(1);
    sums.squeeze_dim::<2>(1) / lengths
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tolerance;
    use burn_embedding_models::TokenBatch;

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
