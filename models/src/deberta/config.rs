//! `config.json`: the shape of a DeBERTa.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::distances::Distances;
use crate::fields::parsed;
use crate::transformer::{Activation, TransformerConfig, check_size, defaults_of, require_encoder};

/// The shape of a DeBERTa, version 2 or 3. The fields have the names that `transformers` gives them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct DebertaConfig {
    /// The fields that BERT has as well; its `type_vocab_size` is not used.
    #[serde(skip, default = "nothing")]
    pub bert: TransformerConfig,
    /// Number of token types, from `type_vocab_size`; a single text is all of type 0.
    #[serde(rename = "type_vocab_size", default)]
    pub token_types: usize,
    /// Size of the word embeddings, if not that of the hidden states.
    #[serde(default)]
    pub embedding_size: Option<usize>,
    /// Whether the vector of a token knows its position.
    #[serde(default = "yes")]
    pub position_biased_input: bool,
    /// Whether distances have vectors.
    #[serde(default)]
    pub relative_attention: bool,
    /// What is compared in addition to two tokens: a token and a distance ("c2p"), a distance and a
    /// token ("p2c"). A list, or a text with bars.
    #[serde(default, deserialize_with = "list")]
    pub pos_att_type: Vec<String>,
    /// Whether distances are projected as tokens are.
    #[serde(default)]
    pub share_att_key: bool,
    /// The number of vectors for each direction; those of far distances are shared. Every distance
    /// has its own if it is not positive.
    #[serde(default = "none")]
    pub position_buckets: i64,
    /// The longest distance; `max_position_embeddings` if it is not positive.
    #[serde(default = "none")]
    pub max_relative_positions: i64,
    /// "layer_norm" if the vectors of distances are normalised.
    #[serde(default)]
    pub norm_rel_ebd: String,
    /// Neighbouring tokens that the convolution beside the first layer sees, an odd number; 0 for no
    /// convolution.
    #[serde(default)]
    pub conv_kernel_size: usize,
    /// Groups of the convolution; they divide the hidden size.
    #[serde(default = "one")]
    pub conv_groups: usize,
    /// The function after the convolution.
    #[serde(default = "tanh")]
    pub conv_act: Activation,
    #[serde(default)]
    attention_head_size: Option<usize>,
}

fn nothing() -> TransformerConfig {
    TransformerConfig::bert(1)
}

fn yes() -> bool {
    true
}

fn none() -> i64 {
    -1
}

fn one() -> usize {
    1
}

fn tanh() -> Activation {
    Activation::Tanh
}

/// Texts, as a list or with bars between them; none if there is no value.
fn list<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Texts {
        List(Vec<String>),
        Bars(String),
    }
    Ok(match Option::deserialize(deserializer)? {
        None => Vec::new(),
        Some(Texts::List(list)) => list,
        Some(Texts::Bars(text)) => split(&text),
    })
}

fn split(text: &str) -> Vec<String> {
    text.to_lowercase().split('|').map(|part| part.trim().to_string()).collect()
}

impl DebertaConfig {
    /// Reads the fields of a `config.json`, and refuses what cannot be such a network.
    pub(crate) fn read(mut fields: Map<String, Value>) -> Result<Self, String> {
        require_encoder(&fields)?;
        defaults_of(&mut fields, [("layer_norm_eps", json!(1e-7))]);
        let own: Self = parsed(Value::Object(fields.clone()))?;
        fields.remove("type_vocab_size");
        let config = Self { bert: TransformerConfig::of(Value::Object(fields))?, ..own };
        config.check()?;
        Ok(config)
    }

    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// Names the field, its value and the rule.
    pub fn check(&self) -> Result<(), String> {
        self.bert.check()?;
        check_size("embedding_size", self.embedding_size(), 1 << 14)?;
        for (name, size, limit) in [
            ("type_vocab_size", self.token_types, 1 << 10),
            ("conv_kernel_size", self.conv_kernel_size, 1 << 8),
        ] {
            if size > limit {
                return Err(format!("`{name}` is {size}, expected 0 to {limit}"));
            }
        }
        self.check_distances()?;
        self.check_convolution()?;
        let size = self.bert.hidden_size / self.bert.num_attention_heads;
        match self.attention_head_size {
            Some(other) if other != size => Err(format!(
                "`attention_head_size` is {other}, expected {size}: `hidden_size` divided by \
                 `num_attention_heads`"
            )),
            _ => Ok(()),
        }
    }

    fn check_distances(&self) -> Result<(), String> {
        let Distances { span, buckets, farthest } = self.distances();
        check_size("max_relative_positions", farthest, 1 << 17)?;
        if buckets == 0 {
            return Ok(());
        }
        check_size("position_buckets", span, 1 << 17)?;
        if buckets < 2 || buckets / 2 + 1 >= farthest {
            return Err(format!(
                "`position_buckets` is {buckets}, expected 2 to less than twice the longest \
                 distance, {farthest}"
            ));
        }
        Ok(())
    }

    fn check_convolution(&self) -> Result<(), String> {
        let (kernel, groups) = (self.conv_kernel_size, self.conv_groups);
        if kernel > 0 && kernel.is_multiple_of(2) {
            return Err(format!("`conv_kernel_size` is {kernel}, expected an odd number"));
        }
        if groups == 0 || !self.bert.hidden_size.is_multiple_of(groups) {
            let size = self.bert.hidden_size;
            return Err(format!("`conv_groups` is {groups}, expected a divisor of {size}"));
        }
        Ok(())
    }

    pub(super) fn embedding_size(&self) -> usize {
        self.embedding_size.unwrap_or(self.bert.hidden_size)
    }

    /// Whether attention makes such a comparison, "c2p" or "p2c".
    pub(super) fn compares(&self, kind: &str) -> bool {
        self.pos_att_type.iter().any(|it| it == kind)
    }

    pub(super) fn normalizes_distances(&self) -> bool {
        split(&self.norm_rel_ebd).iter().any(|it| it == "layer_norm")
    }

    pub(super) fn distances(&self) -> Distances {
        let positive = |number: i64| usize::try_from(number).ok().filter(|number| *number > 0);
        let farthest = positive(self.max_relative_positions);
        let farthest = farthest.unwrap_or(self.bert.max_position_embeddings);
        let buckets = positive(self.position_buckets).unwrap_or(0);
        let span = if buckets > 0 { buckets } else { farthest };
        Distances { span, buckets, farthest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changes: Value) -> Result<DebertaConfig, String> {
        let mut fields = json!({
            "vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2,
            "intermediate_size": 6, "max_position_embeddings": 20,
        });
        let fields = fields.as_object_mut().unwrap();
        fields.extend(changes.as_object().unwrap().clone());
        DebertaConfig::read(fields.clone())
    }

    #[test]
    fn comparisons_are_a_list_or_a_text_with_bars() {
        for value in [json!(["p2c", "c2p"]), json!("P2C | c2p"), json!("c2p|p2c")] {
            let config = read(json!({"pos_att_type": value})).unwrap();
            assert!(config.compares("c2p") && config.compares("p2c"));
        }
        for value in [json!(null), json!(""), json!([]), json!(["p2p"])] {
            let config = read(json!({"pos_att_type": value})).unwrap();
            assert!(!config.compares("c2p") && !config.compares("p2c"));
        }
    }

    #[test]
    fn a_wrong_configuration_names_field_value_and_rule() {
        for (changes, message) in [
            (json!({"conv_kernel_size": 4}), "`conv_kernel_size` is 4, expected an odd number"),
            (json!({"conv_groups": 3}), "`conv_groups` is 3, expected a divisor of 4"),
            (json!({"hidden_size": 0}), "`hidden_size` is 0, expected 1 to 16384"),
            (json!({"type_vocab_size": 9999}), "`type_vocab_size` is 9999, expected 0 to 1024"),
            (
                json!({"position_buckets": 38}),
                "`position_buckets` is 38, expected 2 to less than twice the longest distance, 20",
            ),
            (
                json!({"attention_head_size": 3}),
                "`attention_head_size` is 3, expected 2: `hidden_size` divided by \
                 `num_attention_heads`",
            ),
        ] {
            assert_eq!(read(changes).unwrap_err(), message);
        }
    }
}
