//! JSON Lines, an object, a text or a list of texts in each line; or one array of such rows.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Row, Source, Table, array};
use crate::data::Place;
use crate::data::contents::Contents;
use crate::error::Error;

/// Reads a table.
pub fn parse(contents: Contents) -> Result<Table, Error> {
    let array = begins_array(&contents)? || is_list_of_texts(&contents)?;
    let listed = first_bytes(&contents)?[usize::from(array)] == b'[';
    let source = match array {
        true => Source::JsonArray(contents),
        false => Source::JsonLines(contents),
    };
    let table = Table::of(source, true)?;
    Ok(Table { listed, ..table })
}

/// The rows of a file with one in each line.
pub fn lines(
    contents: &Contents,
) -> Result<impl Iterator<Item = Result<Row, Error>> + use<'_>, Error> {
    let file = contents.path();
    let of_line = move |line: Result<(usize, String), Error>| {
        let (number, line) = match line {
            Ok(line) => line,
            Err(error) => return Some(Err(error)),
        };
        let value = match line.trim().is_empty() {
            true => return None,
            false => serde_json::from_str(&line),
        };
        let value = value.map_err(|error| broken(file, number, &line, &error));
        Some(value.and_then(|value| row(file, number, value)))
    };
    Ok(contents.lines()?.filter_map(of_line))
}

/// Says what is wrong with a line, and what to do if that is known.
fn broken(file: &Arc<Path>, number: usize, line: &str, error: &serde_json::Error) -> Error {
    let text = line.trim();
    let has = |word: &str| text.contains(word);
    let reason = if error.is_eof() && text.starts_with(['{', '[']) {
        "the row does not end in its line; write each row on one line, as jq -c . does, unless the file was cut short here"
    } else if has("NaN") || has("Infinity") {
        "NaN and Infinity are no numbers of JSON: write null, or leave the row out"
    } else if text.ends_with("},") || text.ends_with("],") {
        "rows of JSON Lines have no comma after them: take it away, or write all rows as one array"
    } else if has("}{") || has("} {") {
        "two rows are in one line: write each on a line of its own, as jq -c . does"
    } else if !text.starts_with(['{', '[', '"']) {
        "the line is no row of JSON: for values between commas or tabs, say --format csv or --format tsv"
    } else {
        return not_json(file, number, error.column(), error);
    };
    Error::row(file, number, format!("not JSON: {reason}"))
}

/// The first two bytes that are no spaces; zeros where there are none.
fn first_bytes(contents: &Contents) -> Result<[u8; 2], Error> {
    let mut found = [0; 2];
    let mut bytes = contents
        .text()?
        .bytes()
        .filter(|byte| !matches!(byte, Ok(byte) if byte.is_ascii_whitespace()));
    for place in &mut found {
        let byte = bytes.next().transpose().map_err(|error| contents.unreadable(error))?;
        *place = byte.unwrap_or_default();
    }
    Ok(found)
}

/// Whether a `.json` file is one list, of texts. In JSON Lines, such a list is a row.
fn is_list_of_texts(contents: &Contents) -> Result<bool, Error> {
    let name = contents.path().to_string_lossy().to_ascii_lowercase();
    let json = name.strip_suffix(".gz").unwrap_or(&name).ends_with(".json");
    Ok(json && array::is_whole(contents)?)
}

/// Whether the file begins as an array of rows does. A list of texts is a row itself.
fn begins_array(contents: &Contents) -> Result<bool, Error> {
    let [first, second] = first_bytes(contents)?;
    Ok(first == b'[' && b"{[]".contains(&second))
}

pub(super) fn not_json(
    file: &Arc<Path>,
    line: usize,
    column: usize,
    error: &serde_json::Error,
) -> Error {
    // Its own place is one within the row.
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or_default();
    Error::row(file, line, format!("not JSON (column {column}): {reason}"))
}

pub(super) fn row(file: &Arc<Path>, line: usize, value: Value) -> Result<Row, Error> {
    let place = Place::new(file.clone(), line);
    match value {
        Value::Object(cells) => Ok(Row { place, cells }),
        text @ Value::String(_) => {
            Ok(Row { place, cells: Map::from_iter([("text".into(), text)]) })
        }
        Value::Array(texts) if texts.len() >= 2 => Ok(Row { place, cells: by_place(texts) }),
        other => {
            let reason = format!("expected an object, a text or a list of texts, found {other}");
            Err(place.error(reason))
        }
    }
}

/// A list without names: an anchor, its positive, and negatives.
fn by_place(texts: Vec<Value>) -> Map<String, Value> {
    let names = ["anchor".to_string(), "positive".to_string()].into_iter();
    let names = names.chain((1..).map(|number| format!("negative_{number}")));
    names.zip(texts).collect()
}
