//! JSON Lines: an object in each line, or a list of texts.

use std::path::Path;

use serde_json::{Map, Value};

use super::{Row, Table};
use crate::error::Error;

/// Reads a table.
pub fn parse(path: &Path, text: &str) -> Result<Table, Error> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let rows = lines.map(|(index, line)| row(path, index + 1, line)).collect::<Result<_, _>>()?;
    Ok(Table { rows, named: true })
}

fn row(path: &Path, line: usize, text: &str) -> Result<Row, Error> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let reason = format!("not JSON (column {}): {error}", error.column());
        Error::row(path, line, reason)
    })?;
    match value {
        Value::Object(cells) => Ok(Row { line, cells }),
        Value::Array(texts) if texts.len() >= 2 => Ok(Row { line, cells: by_place(texts) }),
        other => {
            let reason = format!("expected an object or a list of texts, found {other}");
            Err(Error::row(path, line, reason))
        }
    }
}

/// A list without names: an anchor, its positive, and negatives.
fn by_place(texts: Vec<Value>) -> Map<String, Value> {
    let names = ["anchor".to_string(), "positive".to_string()].into_iter();
    let names = names.chain((1..).map(|number| format!("negative_{number}")));
    names.zip(texts).collect()
}
