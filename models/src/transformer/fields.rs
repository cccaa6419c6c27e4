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
