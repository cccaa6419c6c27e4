//! `config.json`: the shape of a T5 encoder.

use burn::nn::{RmsNorm, RmsNormConfig};
use burn::tensor::Device;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::fields::parsed;
use crate::transformer::{
    Activation, Buckets, check_deviation, check_epsilon, check_share, check_size, defaults_of,
    require_encoder,
};

/// The models that have T5's encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// T5: the first layer has biases for the distance of two tokens, which all layers use.
    T5,
    /// mT5: the same, with a gate if the file does not say.
    Mt5,
    /// UMT5: every layer has biases of its own.
    Umt5,
}

/// The shape of a T5 encoder. The fields have the names that `transformers` gives them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct T5Config {
    /// The model, from `model_type`.
    #[serde(skip, default = "t5")]
    pub variant: Variant,
    /// Number of token ids.
    pub vocab_size: usize,
    /// Size of a token's vector.
    pub d_model: usize,
    /// Size of a head's queries, keys and values.
    #[serde(default = "head_size")]
    pub d_kv: usize,
    /// Size between the two halves of the feed-forward part.
    pub d_ff: usize,
    /// Number of layers.
    pub num_layers: usize,
    /// Attention heads of a layer.
    pub num_heads: usize,
    /// Number of biases for the distance of two tokens, at least 4.
    #[serde(default = "buckets")]
    pub relative_attention_num_buckets: usize,
    /// Tokens this far apart, or farther, share a bias; more than a quarter of the biases.
    #[serde(default = "farthest")]
    pub relative_attention_max_distance: usize,
    /// Dropout while training, from 0 to below 1.
    #[serde(default = "dropout")]
    pub dropout_rate: f64,
    /// Added to a mean square before its root is taken, above 0 and up to 0.1.
    #[serde(default = "epsilon")]
    pub layer_norm_epsilon: f64,
    /// Factor of the standard deviations of new weights, 0 or more.
    #[serde(default = "factor")]
    pub initializer_factor: f64,
    /// The function between the halves of the feed-forward part, from `feed_forward_proj`.
    #[serde(skip, default = "relu")]
    pub activation: Activation,
    /// Whether the feed-forward part has a gate, from `feed_forward_proj`.
    #[serde(skip)]
    pub gated: bool,
}

fn t5() -> Variant {
    Variant::T5
}

fn head_size() -> usize {
    64
}

fn buckets() -> usize {
    32
}

fn farthest() -> usize {
    128
}

fn dropout() -> f64 {
    0.1
}

fn epsilon() -> f64 {
    1e-6
}

fn factor() -> f64 {
    1.0
}

fn relu() -> Activation {
    Activation::Relu
}

impl T5Config {
    /// Reads the fields of a `config.json`, and refuses what cannot be such an encoder.
    pub(crate) fn read(variant: Variant, mut fields: Map<String, Value>) -> Result<Self, String> {
        require_encoder(&fields)?;
        let usual = if variant == Variant::T5 { "relu" } else { "gated-gelu" };
        defaults_of(&mut fields, [("feed_forward_proj", usual.into())]);
        let (activation, gated) = feed_forward(&fields["feed_forward_proj"])?;
        // What Python derives from the projection, which these fields replace.
        let activation = match fields.get("dense_act_fn").filter(|name| !name.is_null()) {
            Some(name) => {
                named(name).map_err(|error| format!("`dense_act_fn` is {name}: {error}"))?
            }
            None => activation,
        };
        let gated = match fields.get("is_gated_act") {
            Some(Value::Bool(gated)) => *gated,
            Some(other) => {
                return Err(format!("`is_gated_act` is {other}, expected true or false"));
            }
            None => gated,
        };
        let config: Self = parsed(Value::Object(fields))?;
        let config = Self { variant, activation, gated, ..config };
        config.check()?;
        Ok(config)
    }

    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// Names the field, its value and the rule.
    pub fn check(&self) -> Result<(), String> {
        for (name, size, limit) in [
            ("vocab_size", self.vocab_size, 1 << 22),
            ("d_model", self.d_model, 1 << 14),
            ("d_kv", self.d_kv, 1 << 10),
            ("d_ff", self.d_ff, 1 << 17),
            ("num_layers", self.num_layers, 1 << 8),
            ("num_heads", self.num_heads, 1 << 10),
            ("relative_attention_num_buckets", self.relative_attention_num_buckets, 1 << 10),
            ("relative_attention_max_distance", self.relative_attention_max_distance, 1 << 17),
        ] {
            check_size(name, size, limit)?;
        }
        let Buckets { count, farthest } = self.buckets();
        if count < 4 || farthest <= count / 4 {
            return Err(format!(
                "`relative_attention_num_buckets` is {count} and \
                 `relative_attention_max_distance` {farthest}; expected at least 4, and more than \
                 a quarter of the former"
            ));
        }
        check_share("dropout_rate", self.dropout_rate)?;
        check_epsilon("layer_norm_epsilon", self.layer_norm_epsilon)?;
        if self.layer_norm_epsilon == 0.0 {
            return Err("`layer_norm_epsilon` is 0, expected more".to_string());
        }
        check_deviation("initializer_factor", self.initializer_factor)
    }

    pub(super) fn buckets(&self) -> Buckets {
        Buckets {
            count: self.relative_attention_num_buckets,
            farthest: self.relative_attention_max_distance,
        }
    }

    pub(super) fn norm(&self, device: &Device) -> RmsNorm {
        RmsNormConfig::new(self.d_model).with_epsilon(self.layer_norm_epsilon).init(device)
    }
}

/// The activation, and whether there is a gate: `relu`, `gated-gelu` and the like.
fn feed_forward(value: &Value) -> Result<(Activation, bool), String> {
    let text = value.as_str().unwrap_or_default();
    let (name, gated) = match text.strip_prefix("gated-") {
        // As the first such models were made.
        Some("gelu") => ("gelu_new", true),
        Some(name) => (name, true),
        None => (text, false),
    };
    let activation = named(&Value::from(name))
        .map_err(|error| format!("`feed_forward_proj` is {value}: {error}"))?;
    Ok((activation, gated))
}

fn named(activation: &Value) -> Result<Activation, serde_json::Error> {
    Activation::deserialize(activation)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(changes: Value) -> Result<T5Config, String> {
        let mut fields = json!(
            {"vocab_size": 9, "d_model": 4, "d_ff": 6, "num_layers": 1, "num_heads": 2}
        );
        let fields = fields.as_object_mut().unwrap();
        fields.extend(changes.as_object().unwrap().clone());
        T5Config::read(Variant::T5, fields.clone())
    }

    #[test]
    fn the_feed_forward_part_is_as_its_name_says() {
        for (name, expected) in [
            ("relu", (Activation::Relu, false)),
            ("gated-gelu", (Activation::GeluTanh, true)),
            ("gelu", (Activation::Gelu, false)),
            ("gated-silu", (Activation::Silu, true)),
        ] {
            let config = read(json!({"feed_forward_proj": name})).unwrap();
            assert_eq!((config.activation, config.gated), expected, "{name}");
        }
        for (changes, expected) in [
            (
                json!({"feed_forward_proj": "relu", "dense_act_fn": "gelu_10"}),
                Some((Activation::GeluUpTo10, false)),
            ),
            (
                json!({"feed_forward_proj": "gated-gelu", "dense_act_fn": "silu"}),
                Some((Activation::Silu, true)),
            ),
            (
                json!({"feed_forward_proj": "gelu", "dense_act_fn": "relu", "is_gated_act": true}),
                Some((Activation::Relu, true)),
            ),
        ] {
            let config = read(changes).map(|config| (config.activation, config.gated));
            assert_eq!(config.as_ref().ok(), expected.as_ref(), "{config:?}");
        }
        let error = read(json!({"feed_forward_proj": "gated-gelu-x"})).unwrap_err();
        assert!(error.starts_with("`feed_forward_proj` is \"gated-gelu-x\": "), "{error}");
    }

    #[test]
    fn a_wrong_configuration_names_field_value_and_rule() {
        for (changes, message) in [
            (json!({"d_kv": 0}), "`d_kv` is 0, expected 1 to 1024"),
            (json!({"layer_norm_epsilon": 0}), "`layer_norm_epsilon` is 0, expected more"),
            (json!({"is_decoder": true}), "`is_decoder` is true, but only encoders are supported"),
            (json!({"dropout_rate": 1}), "`dropout_rate` is 1, expected 0 to below 1"),
        ] {
            assert_eq!(read(changes).unwrap_err(), message);
        }
        let error = read(json!({"relative_attention_max_distance": 8})).unwrap_err();
        assert!(error.contains("`relative_attention_max_distance` 8; expected"), "{error}");
    }
}
