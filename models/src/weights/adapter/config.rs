//! `adapter_config.json`: what an adapter adds.

use std::collections::BTreeMap;

use burn_store::KeyRemapper;
use serde::Deserialize;
use serde_json::Value;

use crate::weights::files::one_line;

/// Ways to start an adapter that change the model's own parameters too.
const CHANGES_BASE: [&str; 5] = ["pissa", "olora", "corda", "loftq", "lora_ga"];

/// The fields of `adapter_config.json` that decide what is added.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AdapterConfig {
    peft_type: String,
    lora_alpha: Option<f32>,
    #[serde(deserialize_with = "null_is_empty")]
    alpha_pattern: BTreeMap<String, f32>,
    use_rslora: Option<bool>,
    init_lora_weights: Value,
    /// The model that the adapter was trained for: a directory, or a name of the hub.
    pub(super) base_model_name_or_path: Option<String>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

fn null_is_empty<'de, D>(from: D) -> Result<BTreeMap<String, f32>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    Option::deserialize(from).map(Option::unwrap_or_default)
}

impl AdapterConfig {
    /// Kinds of adapters that are more than a product added to a parameter.
    const REFUSED: [&str; 12] = [
        "use_dora",
        "lora_bias",
        "layer_replication",
        "trainable_token_indices",
        "target_parameters",
        "use_qalora",
        "use_bdlora",
        "alora_invocation_tokens",
        "arrow_config",
        "kasa_config",
        "monteclora_config",
        "velora_config",
    ];

    /// Refuses what is more than a product added to a parameter.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.peft_type != "LORA" {
            return Err(format!(
                "`peft_type` is {:?}; only LORA adapters are read",
                self.peft_type
            ));
        }
        let used = |name: &&&str| match self.others.get(**name) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Array(rows)) => !rows.is_empty(),
            Some(_) => true,
        };
        let start = self.init_lora_weights.as_str().unwrap_or_default();
        let refused = match Self::REFUSED.iter().find(used) {
            Some(name) => Some(format!("`{name}`")),
            None if CHANGES_BASE.iter().any(|name| start.to_lowercase().starts_with(name)) => {
                Some(format!("`init_lora_weights` {start:?}"))
            }
            None => None,
        };
        refused.map_or(Ok(()), |name| {
            Err(format!(
                "adapters with {name} are not read; merge it in Python with `merge_and_unload()` \
                 and save the model"
            ))
        })
    }

    /// What the product for the module at `path` is multiplied with.
    pub(super) fn scale(&self, path: &str, rank: usize) -> Result<f32, String> {
        let mut alpha = self.lora_alpha.unwrap_or(8.0);
        for (pattern, other) in &self.alpha_pattern {
            let matcher = KeyRemapper::new().add_pattern(format!(r"^(?:.*\.)?(?:{pattern})$"), "");
            let matcher = matcher.map_err(|error| {
                format!("`alpha_pattern` {pattern:?} is no pattern: {}", one_line(&error))
            })?;
            if matcher.patterns.iter().any(|(pattern, _)| pattern.is_match(path)) {
                alpha = *other;
                break;
            }
        }
        let rank = rank as f32;
        Ok(alpha / if self.use_rslora == Some(true) { rank.sqrt() } else { rank })
    }
}
