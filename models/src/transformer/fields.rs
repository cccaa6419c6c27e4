//! What families call the fields of `config.json`, and their defaults.

use serde_json::{Map, Value, json};

use super::Family;

/// The names that DistilBERT has for fields: BERT's, DistilBERT's.
const DISTILBERT: [(&str, &str); 7] = [
    ("hidden_size", "dim"),
    ("num_hidden_layers", "n_layers"),
    ("num_attention_heads", "n_heads"),
    ("intermediate_size", "hidden_dim"),
    ("hidden_act", "activation"),
    ("hidden_dropout_prob", "dropout"),
    ("attention_probs_dropout_prob", "attention_dropout"),
];

impl Family {
    /// The fields of a file under BERT's names, with the defaults of the family.
    pub(super) fn as_bert(self, mut fields: Map<String, Value>) -> Map<String, Value> {
        match self {
            Self::Distilbert => {
                for (name, own) in DISTILBERT {
                    if let Some(value) = fields.remove(own) {
                        fields.insert(name.to_string(), value);
                    }
                }
                // Its code has the number in it.
                fields.insert("layer_norm_eps".to_string(), json!(1e-12));
            }
            Self::Albert => {
                let defaults = [
                    ("hidden_act", json!("gelu_new")),
                    ("hidden_dropout_prob", json!(0.0)),
                    ("attention_probs_dropout_prob", json!(0.0)),
                ];
                defaults_of(&mut fields, defaults);
            }
            _ => {}
        }
        // To PyTorch such an id counts from the end of the vocabulary, which matters only where positions count from it.
        if self != Self::Roberta && fields.get("pad_token_id").and_then(Value::as_i64) == Some(-1) {
            fields.remove("pad_token_id");
        }
        fields
    }

    /// A message about a field of BERT, with the name that the family's files have for it.
    pub(super) fn in_own_words(self, message: String) -> String {
        let names = if self == Self::Distilbert { &DISTILBERT[..] } else { &[] };
        names.iter().fold(message, |message, (name, own)| {
            message.replace(&format!("`{name}`"), &format!("`{own}`"))
        })
    }
}

/// Adds the fields that are not there.
pub(crate) fn defaults_of<const N: usize>(
    fields: &mut Map<String, Value>,
    defaults: [(&str, Value); N],
) {
    for (name, value) in defaults {
        fields.entry(name).or_insert(value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Activation, TransformerConfig};
    use super::*;

    fn read(family: Family, fields: Value) -> Result<TransformerConfig, String> {
        TransformerConfig::read(family, fields.as_object().unwrap().clone())
    }

    #[test]
    fn distilbert_has_its_own_names() {
        let fields = |size: usize, shape: &str| {
            json!({
                "vocab_size": 9, shape: size, "n_layers": 3, "n_heads": 2, "hidden_dim": 6,
                "activation": "relu", "dropout": 0.25, "attention_dropout": 0.5,
                "layer_norm_eps": 0.5, "max_position_embeddings": 7,
            })
        };
        let config = read(Family::Distilbert, fields(4, "dim")).unwrap();
        let expected = TransformerConfig {
            family: Family::Distilbert,
            hidden_size: 4,
            num_hidden_layers: 3,
            num_attention_heads: 2,
            intermediate_size: 6,
            hidden_act: Activation::Relu,
            hidden_dropout_prob: 0.25,
            attention_probs_dropout_prob: 0.5,
            max_position_embeddings: 7,
            pad_token_id: None,
            ..TransformerConfig::bert(9)
        };
        assert_eq!(config, expected);
        // Python knows both names.
        assert_eq!(read(Family::Distilbert, fields(4, "hidden_size")), Ok(expected));
        let error = read(Family::Distilbert, fields(5, "dim")).unwrap_err();
        assert_eq!(error, "`dim` 5 is no multiple of 2 attention heads");
        let error = read(Family::Distilbert, fields(5, "size")).unwrap_err();
        assert_eq!(error, "missing field `dim`");
    }

    #[test]
    fn albert_has_its_own_defaults() {
        let fields = json!({
            "vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2,
            "intermediate_size": 6, "max_position_embeddings": 7,
        });
        let config = read(Family::Albert, fields).unwrap();
        assert_eq!(config.hidden_act, Activation::GeluTanh);
        assert_eq!((config.hidden_dropout_prob, config.attention_probs_dropout_prob), (0.0, 0.0));
        assert_eq!(config.embedding_size(), 128);
    }
}
