//! `config.json`: the shape of a transformer.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::fields::parsed;

use super::activation::Activation;
use super::family::Family;
use super::relative;
use super::rules::{check_deviation, check_epsilon, check_share, check_size, require_encoder};

/// The shape of a transformer. The fields have the names that `transformers` gives them.
///
/// ```
/// use burn_embedding_models::TransformerConfig;
///
/// let small = TransformerConfig {
///     hidden_size: 384,
///     num_hidden_layers: 6,
///     intermediate_size: 1536,
///     ..TransformerConfig::bert(30522)
/// };
/// assert_eq!(small.max_tokens(), 512);
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TransformerConfig {
    /// The architecture, from `model_type`.
    #[serde(skip, default = "bert")]
    pub family: Family,
    /// Number of token ids.
    pub vocab_size: usize,
    /// Size of a token's vector; a multiple of `num_attention_heads`.
    pub hidden_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Attention heads of a layer.
    pub num_attention_heads: usize,
    /// Size between the two halves of the feed-forward part.
    pub intermediate_size: usize,
    /// The function between them.
    #[serde(default = "gelu")]
    pub hidden_act: Activation,
    /// Dropout of hidden states while training, from 0 to below 1.
    #[serde(default = "dropout")]
    pub hidden_dropout_prob: f64,
    /// Dropout of attention weights while training, from 0 to below 1.
    #[serde(default = "dropout")]
    pub attention_probs_dropout_prob: f64,
    /// Number of position embeddings.
    pub max_position_embeddings: usize,
    /// Number of token types; a single text is all of type 0.
    #[serde(default = "token_types")]
    pub type_vocab_size: usize,
    /// Added to a variance before its root is taken, from 0 to 0.1.
    #[serde(default = "epsilon")]
    pub layer_norm_eps: f64,
    /// The id of the padding token.
    #[serde(default)]
    pub pad_token_id: Option<usize>,
    /// Number of learned biases for the distance of two tokens; MPNet only, at least 32.
    #[serde(default = "buckets")]
    pub relative_attention_num_buckets: usize,
    /// Size of the word embeddings; ELECTRA and ALBERT only, 128 if not given.
    #[serde(default)]
    pub embedding_size: Option<usize>,
    /// Groups of layers that share their parameters; ALBERT only.
    #[serde(default = "one")]
    pub num_hidden_groups: usize,
    /// Layers of a group; ALBERT only.
    #[serde(default = "one")]
    pub inner_group_num: usize,
    /// Standard deviation of new weights, 0 or more.
    #[serde(default = "deviation")]
    pub initializer_range: f64,
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

fn token_types() -> usize {
    2
}

fn epsilon() -> f64 {
    1e-12
}

fn buckets() -> usize {
    relative::MPNET.count
}

fn one() -> usize {
    1
}

fn deviation() -> f64 {
    0.02
}

impl TransformerConfig {
    /// BERT base for `vocab_size` token ids.
    pub fn bert(vocab_size: usize) -> Self {
        Self {
            family: Family::Bert,
            vocab_size,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            hidden_act: Activation::Gelu,
            hidden_dropout_prob: dropout(),
            attention_probs_dropout_prob: dropout(),
            max_position_embeddings: 512,
            type_vocab_size: token_types(),
            layer_norm_eps: epsilon(),
            pad_token_id: Some(0),
            relative_attention_num_buckets: buckets(),
            embedding_size: None,
            num_hidden_groups: one(),
            inner_group_num: one(),
            initializer_range: deviation(),
        }
    }

    /// Sets the dropout of both hidden states and attention weights.
    pub fn with_dropout(self, dropout: f64) -> Self {
        Self { hidden_dropout_prob: dropout, attention_probs_dropout_prob: dropout, ..self }
    }

    /// Reads the fields of a `config.json`, and refuses what cannot be a transformer.
    pub(crate) fn read(family: Family, fields: Map<String, Value>) -> Result<Self, String> {
        match fields.get("position_embedding_type").and_then(Value::as_str) {
            None | Some("absolute") => {}
            Some(other) => {
                let reason = "is not supported; only \"absolute\" is";
                return Err(format!("`position_embedding_type` {other:?} {reason}"));
            }
        }
        require_encoder(&fields)?;
        let own_words = |reason: String| family.in_own_words(reason);
        let config = Self::of(Value::Object(family.as_bert(fields))).map_err(own_words)?;
        let config = Self { family, ..config };
        config.check().map_err(own_words)?;
        Ok(config)
    }

    /// The fields under BERT's names, not checked yet.
    pub(crate) fn of(fields: Value) -> Result<Self, String> {
        parsed(fields)
    }

    /// Checks every field against its rule.
    ///
    /// A size far beyond any model of the family is an error too: it is refused before memory is
    /// asked for.
    ///
    /// # Errors
    ///
    /// Names the field, its value and the rule.
    pub fn check(&self) -> Result<(), String> {
        self.check_sizes()?;
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            let (size, heads) = (self.hidden_size, self.num_attention_heads);
            return Err(format!("`hidden_size` {size} is no multiple of {heads} attention heads"));
        }
        let buckets = self.relative_attention_num_buckets;
        let expected = relative::MPNET.count;
        if self.family == Family::Mpnet && buckets < expected {
            return Err(format!(
                "`relative_attention_num_buckets` is {buckets}, expected {expected}"
            ));
        }
        if self.max_tokens() == 0 {
            return Err("`max_position_embeddings` leaves no position for a token".to_string());
        }
        self.check_numbers()
    }

    fn check_sizes(&self) -> Result<(), String> {
        for (name, size, limit) in [
            ("vocab_size", self.vocab_size, 1 << 22),
            ("hidden_size", self.hidden_size, 1 << 14),
            ("num_hidden_layers", self.num_hidden_layers, 1 << 8),
            ("num_attention_heads", self.num_attention_heads, 1 << 10),
            ("intermediate_size", self.intermediate_size, 1 << 17),
            ("max_position_embeddings", self.max_position_embeddings, 1 << 17),
            ("type_vocab_size", self.type_vocab_size, 1 << 10),
            ("relative_attention_num_buckets", self.relative_attention_num_buckets, 1 << 10),
            ("embedding_size", self.embedding_size(), 1 << 14),
            ("num_hidden_groups", self.num_hidden_groups, 1 << 8),
            ("inner_group_num", self.inner_group_num, 1 << 5),
        ] {
            check_size(name, size, limit)?;
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<(), String> {
        check_share("hidden_dropout_prob", self.hidden_dropout_prob)?;
        check_share("attention_probs_dropout_prob", self.attention_probs_dropout_prob)?;
        check_epsilon("layer_norm_eps", self.layer_norm_eps)?;
        check_deviation("initializer_range", self.initializer_range)
    }

    /// The size of word embeddings.
    pub(super) fn embedding_size(&self) -> usize {
        match self.family.has_embedding_size() {
            true => self.embedding_size.unwrap_or(128),
            false => self.hidden_size,
        }
    }

    /// Whether word embeddings are brought to the size of hidden states.
    pub(super) fn projects_embeddings(&self) -> bool {
        self.family == Family::Albert || self.embedding_size() != self.hidden_size
    }

    /// The padding id that positions are counted from; `None` where they are counted from zero.
    pub fn padding_index(&self) -> Option<usize> {
        match self.family {
            Family::Bert | Family::Distilbert | Family::Electra | Family::Albert => None,
            Family::Roberta => Some(self.pad_token_id.unwrap_or(1)),
            // MPNet's own code ignores the configured id here.
            Family::Mpnet => Some(1),
        }
    }

    /// The longest text that there are position embeddings for, in tokens.
    pub fn max_tokens(&self) -> usize {
        let unused = self.padding_index().map_or(0, |index| index.saturating_add(1));
        self.max_position_embeddings.saturating_sub(unused)
    }

    #[track_caller]
    pub(crate) fn expect_valid(&self) {
        if let Err(reason) = self.check() {
            panic!("TransformerConfig: {reason}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_configuration_names_field_value_and_rule() {
        let config = || TransformerConfig { num_attention_heads: 2, ..TransformerConfig::bert(9) };
        for (config, message) in [
            (
                TransformerConfig { num_hidden_layers: 0, ..config() },
                "`num_hidden_layers` is 0, expected 1 to 256",
            ),
            (
                TransformerConfig { hidden_size: 5, ..config() },
                "`hidden_size` 5 is no multiple of 2 attention heads",
            ),
            (
                TransformerConfig { layer_norm_eps: -1.0, ..config() },
                "`layer_norm_eps` is -1, expected 0 to 0.1",
            ),
            (
                TransformerConfig { initializer_range: -1.0, ..config() },
                "`initializer_range` is -1, expected 0 or more",
            ),
        ] {
            assert_eq!(config.check(), Err(message.to_string()));
        }
    }
}
