//! The tokens that are never cut, as transformers adds them to a vocabulary: those of the vocabulary keep their ids, the
//! others get the next ones.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::usual::Usual;
use crate::directory::{Added, AddedTokens, TASKS};

/// The tokens that are added to a vocabulary.
#[derive(Debug)]
pub struct Special {
    tokens: Vec<Added>,
    /// The texts of the tokens with a task, in the order of [`TASKS`].
    named: [Option<String>; TASKS.len()],
}

impl Special {
    /// The tokens that the files add; `more` are those of the vocabulary's own file, which others replace.
    pub fn new(added: &AddedTokens, usual: Usual, more: Vec<Added>) -> Self {
        let named = usual.tokens(added);
        let further = if added.further.is_empty() { &more } else { &added.further };
        let tokens = added.by_id.iter().chain(named.iter().flatten()).chain(further);
        let tokens = tokens.cloned().collect();
        Self { tokens, named: named.map(|token| token.map(|token| token.content)) }
    }

    /// The text of the token with a task, of [`TASKS`].
    pub fn named(&self, task: &str) -> Option<&str> {
        let place = TASKS.iter().position(|name| *name == task)?;
        self.named[place].as_deref()
    }

    /// Adds the tokens to a `tokenizer.json`, so that texts hold them as a whole, even where the file has them only in
    /// its vocabulary, or not at all.
    pub fn add_to(self, file: &mut Value) {
        let there = file["added_tokens"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut known: HashMap<_, _> = there.iter().filter_map(row_id).collect();
        if self.tokens.iter().all(|token| known.contains_key(token.content.as_str())) {
            return;
        }
        let added: HashSet<String> = known.keys().map(|text| text.to_string()).collect();
        let highest = known.values().max().map_or(0, |id| id + 1);
        let size = match &file["model"]["vocab"] {
            Value::Array(rows) => {
                known.extend(rows.iter().map(|row| row[0].as_str().unwrap_or_default()).zip(0..));
                rows.len()
            }
            Value::Object(rows) => {
                let ids = rows.iter().filter_map(|(text, id)| Some((text.as_str(), id.as_u64()?)));
                known.extend(ids);
                rows.len()
            }
            _ => return,
        };
        let rows = self.numbered(highest.max(size as u64), |token| known.get(token).copied());
        let is_new = |row: &Value| row["content"].as_str().is_some_and(|it| !added.contains(it));
        let rows: Vec<Value> = rows.into_iter().filter(is_new).collect();
        match &mut file["added_tokens"] {
            Value::Array(there) => there.extend(rows),
            none => *none = rows.into(),
        }
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

fn row_id(row: &Value) -> Option<(&str, u64)> {
    Some((row["content"].as_str()?, row["id"].as_u64()?))
}
