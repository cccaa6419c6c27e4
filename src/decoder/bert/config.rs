use burn::module::Param;
use burn::nn::{Embedding, EmbeddingConfig, Initializer, Linear, LinearConfig};
use burn::prelude::*;

use super::decoder::{BertDecoder, BertDecoderExtension};
use super::encoder::Bert;
use crate::error::{ConfigError, expect_valid};

/// Configuration of [`Bert`] and [`BertDecoder`], in the words of Hugging Face's `BertConfig`; its
/// defaults are those of BERT base.
#[derive(Config, Debug, PartialEq)]
pub struct BertConfig {
    /// Number of token ids; at least 1.
    pub vocab_size: usize,
    /// Dimension of the hidden states, and of the sentence embedding; a multiple of
    /// `num_attention_heads`.
    #[config(default = 768)]
    pub hidden_size: usize,
    /// Number of layers; at least 1.
    #[config(default = 12)]
    pub num_hidden_layers: usize,
    /// Number of heads of each attention; at least 1.
    #[config(default = 12)]
    pub num_attention_heads: usize,
    /// Dimension between the two linear layers after an attention; at least 1.
    #[config(default = 3072)]
    pub intermediate_size: usize,
    /// The longest sentence, in tokens; at least 1.
    #[config(default = 512)]
    pub max_position_embeddings: usize,
    /// Number of token types, of which the first is used; at least 1.
    #[config(default = 2)]
    pub type_vocab_size: usize,
    /// What is added to a variance before its root is taken; positive.
    #[config(default = 1e-12)]
    pub layer_norm_eps: f64,
    /// Standard deviation of new weights; 0 or more.
    #[config(default = 0.02)]
    pub initializer_range: f64,
}

impl BertConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If a size is 0, the hidden size is no multiple of the number of heads, or one of the two
    /// numbers is out of its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        const NAME: &str = "BertConfig";
        for (field, size) in [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("type_vocab_size", self.type_vocab_size),
        ] {
            ConfigError::unless(size > 0, NAME, field, "must be at least 1", size)?;
        }
        let (hidden, heads) = (self.hidden_size, self.num_attention_heads);
        let rule = format!("must be a multiple of {heads}, the number of heads");
        ConfigError::unless(hidden.is_multiple_of(heads), NAME, "hidden_size", &rule, hidden)?;
        let (eps, range) = (self.layer_norm_eps, self.initializer_range);
        let positive = eps > 0.0 && eps.is_finite();
        ConfigError::unless(positive, NAME, "layer_norm_eps", "must be positive", eps)?;
        let in_range = range >= 0.0 && range.is_finite();
        ConfigError::unless(in_range, NAME, "initializer_range", "must be 0 or more", range)
    }

    /// Builds an encoder with new weights.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init(&self, device: &Device) -> Bert {
        expect_valid(self.check());
        Bert::new(self, device)
    }

    /// Builds a decoder with weights of its own.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init_decoder(&self, device: &Device) -> BertDecoder {
        BertDecoder { bert: self.init(device), extension: self.init_extension(device) }
    }

    /// Builds what a decoder has beyond an encoder, to be
    /// [tied to one](BertDecoderExtension::tied_to).
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init_extension(&self, device: &Device) -> BertDecoderExtension {
        expect_valid(self.check());
        BertDecoderExtension::new(self, device)
    }

    fn initializer(&self) -> Initializer {
        Initializer::Normal { mean: 0.0, std: self.initializer_range }
    }

    pub(super) fn embedding(&self, rows: usize, device: &Device) -> Embedding {
        let config = EmbeddingConfig::new(rows, self.hidden_size);
        config.with_initializer(self.initializer()).init(device)
    }

    pub(super) fn linear(&self, inputs: usize, outputs: usize, device: &Device) -> Linear {
        let config = LinearConfig::new(inputs, outputs).with_bias(false);
        let layer = config.with_initializer(self.initializer()).init(device);
        Linear { bias: Some(zeros(outputs, device)), ..layer }
    }
}

/// New biases.
pub(super) fn zeros(size: usize, device: &Device) -> Param<Tensor<1>> {
    Initializer::Zeros.init([size], device)
}
