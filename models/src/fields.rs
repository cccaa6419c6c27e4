//! Fields of JSON that a type takes.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The fields of a file, or why its bytes are no JSON: Python also writes numbers that are none.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    serde_json::from_slice(bytes).map_err(|error| {
        let text = String::from_utf8_lossy(bytes);
        let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
        match ["NaN", "Infinity"].iter().find(|number| line.contains(*number)) {
            Some(number) => {
                format!("{error}: {number} is no number of JSON; write one in its place")
            }
            None => error.to_string(),
        }
    })
}

/// What the fields say, or which of them is wrong, and why.
pub fn parsed<T: DeserializeOwned>(fields: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(fields).map_err(|error| match error.path().to_string() {
        path if path == "." => error.inner().to_string(),
        path => format!("`{path}`: {}", error.inner()),
    })
}
