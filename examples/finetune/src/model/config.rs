//! `config.json`: the shape of a transformer of the BERT family.

use std::path::Path;

use burn::tensor::{Tensor, activation};
use burn_embedding_losses::decoder;
use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;

/// The architectures that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// BERT and the MiniLM models made from it.
    Bert,
    /// RoBERTa and XLM-RoBERTa: positions are counted from the padding token's id.
    Roberta,
    /// MPNet: a learned bias for the distance of two tokens, and no token types.
    Mpnet,
}

impl Family {
    /// Each family by the `model_type` of its configuration.
    const NAMES: [(&str, Self); 4] = [
        ("bert", Self::Bert),
        ("roberta", Self::Roberta),
        ("xlm-roberta", Self::Roberta),
        ("mpnet", Self::Mpnet),
    ];

    fn of(model_type: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == model_type);
        found.map(|(_, family)| *family).ok_or_else(|| {
            let names = Self::NAMES.map(|(name, _)| name).join(", ");
            format!("`model_type` {model_type:?} is not supported; supported are {names}")
        })
    }
}

/// The function between the two halves of the feed-forward part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Activation {
    /// `x · Φ(x)`, with the exact error function.
    #[serde(rename = "gelu")]
    Gelu,
    /// GELU with the hyperbolic tangent in place of the error function.
    #[serde(rename = "gelu_new", alias = "gelu_pytorch_tanh", alias = "gelu_fast")]
    GeluTanh,
    /// `max(x, 0)`.
    #[serde(rename = "relu")]
    Relu,
}

impl Activation {
    /// The function, for each element.
    pub fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Gelu => decoder::gelu(x),
            Self::GeluTanh => {
                let scale = (2.0 / std::f64::consts::PI).sqrt();
                let cube = x.clone() * x.clone() * x.clone();
                let inner = (x.clone() + cube * 0.044715) * scale;
                x * (inner.tanh() + 1.0) * 0.5
            }
            Self::Relu => activation::relu(x),
        }
    }
}

/// The shape of a transformer, by the names that `transformers` gives its parts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    /// The architecture, from `model_type`.
    #[serde(skip, default = "bert")]
    pub family: Family,
    /// Number of token ids.
    pub vocab_size: usize,
    /// Size of a token's embedding.
    pub hidden_size: usize,
    /// Transformer blocks.
    pub num_hidden_layers: usize,
    /// Attention heads of a block; they divide the hidden size.
    pub num_attention_heads: usize,
    /// Size between the two halves of the feed-forward part.
    pub intermediate_size: usize,
    /// The function between them.
    #[serde(default = "gelu")]
    pub hidden_act: Activation,
    /// Dropout of hidden states while training.
    #[serde(default = "dropout")]
    pub hidden_dropout_prob: f64,
    /// Dropout of attention weights while training.
    #[serde(default = "dropout")]
    pub attention_probs_dropout_prob: f64,
    /// Number of position embeddings.
    pub max_position_embeddings: usize,
    /// Number of token types; a single text is all of type 0.
    #[serde(default = "two")]
    pub type_vocab_size: usize,
    /// Keeps layer normalisation from dividing by zero.
    #[serde(default = "epsilon")]
    pub layer_norm_eps: f64,
    /// The id of the padding token.
    #[serde(default)]
    pub pad_token_id: Option<usize>,
    /// Number of learned biases for the distance of two tokens (MPNet).
    #[serde(default = "buckets")]
    pub relative_attention_num_buckets: usize,
}

fn bert() -> Family {
    Family::Bert
}

fn gelu() -> Activation {
    Activation::Gelu
}

fn dropout() -> f64 {
    0.1
}

fn two() -> usize {
    2
}

fn epsilon() -> f64 {
    1e-12
}

fn buckets() -> usize {
    super::relative::BUCKETS
}

impl Config {
    /// Reads the bytes of a `config.json`, and refuses what cannot be a transformer.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        Self::checked(bytes).map_err(|reason| Error::read(path, reason))
    }

    fn checked(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let model_type = value.get("model_type").and_then(Value::as_str);
        let family = Family::of(model_type.ok_or("it has no `model_type`")?)?;
        match value.get("position_embedding_type").and_then(Value::as_str) {
            None | Some("absolute") => {}
            Some(other) => {
                let reason = "is not supported; only \"absolute\" is";
                return Err(format!("`position_embedding_type` {other:?} {reason}"));
            }
        }
        if value.get("is_decoder").and_then(Value::as_bool) == Some(true) {
            return Err("`is_decoder` is true, but only encoders are supported".to_string());
        }
        let config: Self = serde_json::from_value(value).map_err(|error| error.to_string())?;
        let config = Self { family, ..config };
        config.check()?;
        Ok(config)
    }

    /// Sizes far beyond any model of the family are taken for damage before memory is asked for.
    fn check(&self) -> Result<(), String> {
        for (name, size, limit) in [
            ("vocab_size", self.vocab_size, 1 << 22),
            ("hidden_size", self.hidden_size, 1 << 14),
            ("num_hidden_layers", self.num_hidden_layers, 1 << 8),
            ("num_attention_heads", self.num_attention_heads, 1 << 10),
            ("intermediate_size", self.intermediate_size, 1 << 17),
            ("max_position_embeddings", self.max_position_embeddings, 1 << 17),
            ("type_vocab_size", self.type_vocab_size, 1 << 10),
            ("relative_attention_num_buckets", self.relative_attention_num_buckets, 1 << 10),
        ] {
            if size == 0 || size > limit {
                return Err(format!("`{name}` is {size}, expected 1 to {limit}"));
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            let (size, heads) = (self.hidden_size, self.num_attention_heads);
            return Err(format!("`hidden_size` {size} is no multiple of {heads} attention heads"));
        }
        if self.family == Family::Mpnet
            && self.relative_attention_num_buckets < super::relative::BUCKETS
        {
            let buckets = self.relative_attention_num_buckets;
            return Err(format!("`relative_attention_num_buckets` is {buckets}, expected 32"));
        }
        if self.max_tokens() == 0 {
            return Err("`max_position_embeddings` leaves no position for a token".to_string());
        }
        self.check_numbers()
    }

    fn check_numbers(&self) -> Result<(), String> {
        for (name, share) in [
            ("hidden_dropout_prob", self.hidden_dropout_prob),
            ("attention_probs_dropout_prob", self.attention_probs_dropout_prob),
        ] {
            if !(0.0..1.0).contains(&share) {
                return Err(format!("`{name}` is {share}, expected 0 to below 1"));
            }
        }
        if !(0.0..=0.1).contains(&self.layer_norm_eps) {
            return Err(format!("`layer_norm_eps` is {}, expected 0 to 0.1", self.layer_norm_eps));
        }
        Ok(())
    }

    /// The padding id that positions are counted from; `None` where they are counted from zero.
    pub fn padding_index(&self) -> Option<usize> {
        match self.family {
            Family::Bert => None,
            Family::Roberta => Some(self.pad_token_id.unwrap_or(1)),
            // MPNet's own code ignores the configured id here.
            Family::Mpnet => Some(1),
        }
    }

    /// The longest text that there are position embeddings for.
    pub fn max_tokens(&self) -> usize {
        let unused = self.padding_index().map_or(0, |index| index.saturating_add(1));
        self.max_position_embeddings.saturating_sub(unused)
    }
}
