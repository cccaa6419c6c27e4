//! The tokens that are never cut, as transformers adds them to a vocabulary: those of the vocabulary keep their ids, the
//! others get the next ones.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::directory::{Added, Directory, TASKS, added_by_id, further_special, tokenizer_fields};
use crate::error::Error;

/// The tokens that a class of transformers has for the tasks, where no file names others.
#[derive(Debug, Clone, Copy)]
pub struct Usual {
    /// In the order of [`TASKS`]; empty if there is none.
    pub tokens: [&'static str; TASKS.len()],
    /// Whether the mask takes the spaces before it.
    pub greedy_mask: bool,
}

/// The tokens that the files of a tokenizer name.
#[derive(Debug)]
pub struct Special {
    tokens: Vec<Added>,
    /// The texts of the tokens with a task, in the order of [`TASKS`].
    named: [Option<String>; TASKS.len()],
}

impl Special {
    /// The tokens in the directory `module`; `more` are those of the vocabulary's own file.
    pub fn read(
        directory: &Directory,
        module: &Path,
        usual: Usual,
        more: Vec<Added>,
    ) -> Result<Self, Error> {
        let fields = tokenizer_fields(directory, module)?;
        let mut tokens = Vec::new();
        let named: [Option<Added>; TASKS.len()] =
            std::array::from_fn(|task| named(&fields, task, usual));
        match fields.get("added_tokens_decoder") {
            Some(_) => {
                let rows = added_by_id(&fields).map_err(|reason| {
                    let file = directory.path().join(module).join("tokenizer_config.json");
                    Error::read(&file, reason)
                })?;
                tokens.extend(rows);
            }
            None => {
                let own: BTreeMap<String, u32> =
                    directory.json(&module.join("added_tokens.json"))?;
                let mut own: Vec<_> = own.into_iter().map(|(token, id)| (id, token)).collect();
                own.sort();
                let given = |text: &str| named.iter().flatten().any(|token| token.content == text);
                tokens.extend(own.into_iter().map(|(_, text)| match given(&text) {
                    true => Added::special(&text),
                    false => Added { normalized: true, ..Added::whole(&text) },
                }));
            }
        }
        tokens.extend(named.iter().flatten().cloned());
        let further = further_special(&fields);
        match further.is_empty() {
            false => tokens.extend(further.into_iter().filter_map(Added::of)),
            true => tokens.extend(more),
        }
        let named = named.map(|token| token.map(|token| token.content));
        Ok(Self { tokens, named })
    }

    /// The text of the token with a task, of [`TASKS`].
    pub fn named(&self, task: &str) -> Option<&str> {
        let place = TASKS.iter().position(|name| *name == task)?;
        self.named[place].as_deref()
    }

    /// The tokens with their ids, for a vocabulary of `size` tokens.
    pub fn numbered(self, size: u64, id: impl Fn(&str) -> Option<u64>) -> Vec<Value> {
        let mut next = size;
        let mut known = HashSet::from([String::new()]);
        let mut rows: Vec<(u64, Added)> = Vec::new();
        for token in self.tokens {
            if !known.insert(token.content.clone()) {
                continue;
            }
            let id = id(&token.content).unwrap_or_else(|| {
                next += 1;
                next - 1
            });
            rows.push((id, token));
        }
        rows.sort_by_key(|(id, _)| *id);
        let row = |(id, token): (u64, Added)| {
            json!({
                "id": id, "content": token.content, "single_word": token.single_word,
                "lstrip": token.lstrip, "rstrip": token.rstrip, "normalized": token.normalized,
                "special": token.special,
            })
        };
        rows.into_iter().map(row).collect()
    }
}

/// The token with a task, of [`TASKS`]: as the fields have it, or the usual one. Null is none.
fn named(fields: &Map<String, Value>, task: usize, usual: Usual) -> Option<Added> {
    let token = match fields.get(&format!("{}_token", TASKS[task])) {
        Some(token) => Added::of(token)?,
        None => Some(usual.tokens[task]).filter(|token| !token.is_empty()).map(Added::special)?,
    };
    let plain = fields.get("mask_token").is_none_or(Value::is_string);
    let greedy = usual.greedy_mask && plain && TASKS[task] == "mask";
    Some(Added { lstrip: token.lstrip || greedy, ..token })
}
