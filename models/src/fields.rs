//! Fields of JSON that a type takes.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// What the fields say, or which of them is wrong, and why.
pub fn parsed<T: DeserializeOwned>(fields: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(fields).map_err(|error| match error.path().to_string() {
        path if path == "." => error.inner().to_string(),
        path => format!("`{path}`: {}", error.inner()),
    })
}
