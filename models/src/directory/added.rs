//! Tokens that a `tokenizer_config.json` adds to a vocabulary.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Directory;
use super::settings::TOKENIZER_CONFIG;
use crate::error::Error;
use crate::fields::parsed;

/// The field of special tokens of a single model, unless they have fields of their own.
const OF_THE_MODEL: &str = "model_specific_special_tokens";

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

/// The tasks of tokens, in the order in which transformers adds the tokens.
pub const TASKS: [&str; 7] = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"];

/// The tokens that the files of a tokenizer add to its vocabulary.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AddedTokens {
    /// Those with ids, in the order of the ids.
    pub by_id: Vec<Added>,
    /// The fields of those with a task, such as `mask_token`.
    tasks: Map<String, Value>,
    /// Other special tokens.
    pub further: Vec<Added>,
}

impl AddedTokens {
    /// The tokens in the directory `module`, whose `tokenizer_config.json` has these fields.
    pub fn read(
        directory: &Directory,
        module: &Path,
        fields: &Map<String, Value>,
    ) -> Result<Self, Error> {
        let tasks = fields.iter().filter(|(name, _)| is_of_task(name));
        let tasks = tasks.map(|(name, token)| (name.clone(), token.clone())).collect();
        let further = further(fields).into_iter().filter_map(Added::of).collect();
        let mut tokens = Self { by_id: Vec::new(), tasks, further };
        tokens.by_id = match fields.get("added_tokens_decoder") {
            Some(rows) => by_id(rows).map_err(|reason| {
                let file = directory.path().join(module).join(TOKENIZER_CONFIG);
                Error::read(&file, format!("`added_tokens_decoder`: {reason}"))
            })?,
            None => tokens.of_older_file(directory.json(&module.join("added_tokens.json"))?),
        };
        Ok(tokens)
    }

    /// What the files say of the token with a task, of [`TASKS`]: a text, an object with the text in it, or null.
    pub fn of_task(&self, task: &str) -> Option<&Value> {
        self.tasks.get(&format!("{task}_token"))
    }

    /// The tokens of `added_tokens.json`, which has nothing but their ids.
    fn of_older_file(&self, ids: BTreeMap<String, u32>) -> Vec<Added> {
        let tasks: Vec<_> = self.tasks.values().filter_map(Added::of).collect();
        let is_special =
            |text: &str| tasks.iter().chain(&self.further).any(|token| token.content == text);
        let mut rows: Vec<_> = ids.into_iter().map(|(token, id)| (id, token)).collect();
        rows.sort();
        let rows = rows.into_iter().map(|(_, text)| match is_special(&text) {
            true => Added::special(&text),
            false => Added { normalized: true, ..Added::whole(&text) },
        });
        rows.collect()
    }
}

fn is_of_task(name: &str) -> bool {
    name.strip_suffix("_token").is_some_and(|task| TASKS.contains(&task))
}

fn by_id(rows: &Value) -> Result<Vec<Added>, String> {
    let rows: Option<BTreeMap<u32, Added>> = parsed(rows.clone())?;
    Ok(rows.unwrap_or_default().into_values().collect())
}

/// Special tokens without a task: those with names of their own, such as `image_token`, and the others in a list, or
/// with names in an object.
fn further(fields: &Map<String, Value>) -> Vec<&Value> {
    let named = fields.iter().filter(|(name, _)| name.ends_with("_token") && !is_of_task(name));
    let mut named: Vec<_> = named.map(|(_, token)| token).collect();
    let lists = ["extra_special_tokens", "additional_special_tokens"];
    let listed = lists.iter().map(|name| match fields.get(*name) {
        Some(Value::Array(tokens)) => tokens.iter().collect(),
        Some(Value::Object(tokens)) => tokens.values().collect(),
        _ => Vec::new(),
    });
    let listed = listed.into_iter().find(|tokens: &Vec<_>| !tokens.is_empty());
    if let (true, Some(Value::Object(tokens))) = (named.is_empty(), fields.get(OF_THE_MODEL)) {
        named.extend(tokens.values());
    }
    named.into_iter().chain(listed.into_iter().flatten()).collect()
}
