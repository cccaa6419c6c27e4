//! Tokens that a `tokenizer_config.json` adds to a vocabulary.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::TASKS;
use crate::fields::parsed;

/// A token that is never cut, as tokenizer_config.json has it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Added {
    /// Its letters.
    pub content: String,
    /// Whether it is found only as a word of its own.
    pub single_word: bool,
    /// Whether it takes the spaces before it.
    pub lstrip: bool,
    /// Whether it takes the spaces after it.
    pub rstrip: bool,
    /// Whether it is found in the normalized text.
    pub normalized: bool,
    /// Whether it stands for no part of a text.
    pub special: bool,
}

impl Added {
    /// A token that stands for no part of a text.
    pub fn special(content: &str) -> Self {
        Self { content: content.to_string(), special: true, ..Self::default() }
    }

    /// A part of texts.
    pub fn whole(content: &str) -> Self {
        Self { content: content.to_string(), ..Self::default() }
    }

    /// From a text, or an object with the text in it.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(content) => Some(Self::special(content)),
            Value::Object(_) => {
                let token: Self = serde_json::from_value(value.clone()).ok()?;
                Some(Self { special: true, ..token })
            }
            _ => None,
        }
    }
}

/// The tokens of `added_tokens_decoder`, in the order of their ids.
pub fn added_by_id(fields: &Map<String, Value>) -> Result<Vec<Added>, String> {
    let rows = fields.get("added_tokens_decoder").filter(|rows| !rows.is_null());
    let rows: BTreeMap<u32, Added> = match rows {
        Some(rows) => {
            parsed(rows.clone()).map_err(|reason| format!("`added_tokens_decoder`: {reason}"))?
        }
        None => BTreeMap::new(),
    };
    Ok(rows.into_values().collect())
}

/// Special tokens without a task: those with names of their own, such as `image_token`, and the others in a list, or
/// with names in an object.
pub fn further_special(fields: &Map<String, Value>) -> Vec<&Value> {
    let usual = |name: &str| TASKS.iter().any(|task| name.strip_suffix("_token") == Some(task));
    let named = fields.iter().filter(|(name, _)| name.ends_with("_token") && !usual(name));
    let lists = ["extra_special_tokens", "additional_special_tokens"];
    let listed = lists.iter().map(|name| match fields.get(*name) {
        Some(Value::Array(tokens)) => tokens.iter().collect(),
        Some(Value::Object(tokens)) => tokens.values().collect(),
        _ => Vec::new(),
    });
    let listed = listed.into_iter().find(|tokens: &Vec<_>| !tokens.is_empty());
    named.map(|(_, token)| token).chain(listed.into_iter().flatten()).collect()
}
