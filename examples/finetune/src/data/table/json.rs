//! JSON Lines, an object or a list of texts in each line; or one array of such rows.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Deserializer, Map, Value};

use super::{Row, Source, Table};
use crate::data::Place;
use crate::data::contents::Contents;
use crate::error::Error;

/// Reads a table. An array is held in memory, lines are not.
pub fn parse(contents: Contents) -> Result<Table, Error> {
    if !begins_array(&contents)? {
        return Table::of(Source::JsonLines(contents), true);
    }
    let mut text = String::new();
    let read = contents.text()?.read_to_string(&mut text);
    read.map_err(|error| contents.unreadable(error))?;
    let rest = array(&text).unwrap_or_default();
    Table::of(Source::Rows(elements(contents.path(), &text, rest)?), true)
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
        let value = value.map_err(|error| not_json(file, number, error.column(), &error));
        Some(value.and_then(|value| row(file, number, value)))
    };
    Ok(contents.lines()?.filter_map(of_line))
}

/// Whether the file begins as an array of rows does.
fn begins_array(contents: &Contents) -> Result<bool, Error> {
    let mut start = String::new();
    for byte in contents.text()?.bytes() {
        let byte = byte.map_err(|error| contents.unreadable(error))?;
        if !byte.is_ascii_whitespace() {
            start.push(byte.into());
        }
        if start.len() == 2 {
            break;
        }
    }
    Ok(array(&start).is_some())
}

/// What follows the bracket of an array of rows. A list of texts is a row itself.
fn array(text: &str) -> Option<&str> {
    let rest = text.trim_start().strip_prefix('[')?.trim_start();
    rest.starts_with(['{', '[', ']']).then_some(rest)
}

/// The rows of an array, each with the line that it begins in.
fn elements(file: &Arc<Path>, text: &str, mut rest: &str) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    // The newlines up to a place are counted once.
    let (mut line, mut counted) = (1, 0);
    if let Some(after) = rest.strip_prefix(']') {
        return nothing_more(file, text, after).map(|()| rows);
    }
    loop {
        let start = text.len() - rest.len();
        line += newlines(&text[counted..start]);
        counted = start;
        let mut values = Deserializer::from_str(rest).into_iter::<Value>();
        let value = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) => return Err(in_element(file, text, start, &error)),
            None => return Err(cut_short(file, text)),
        };
        rows.push(row(file, line, value)?);
        let after = rest[values.byte_offset()..].trim_start();
        rest = match (after.strip_prefix(','), after.strip_prefix(']')) {
            (Some(after), _) => after.trim_start(),
            (_, Some(after)) => return nothing_more(file, text, after).map(|()| rows),
            _ if after.is_empty() => return Err(cut_short(file, text)),
            _ => return Err(unexpected(file, text, after, "a comma or the end of the array")),
        };
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|&byte| byte == b'\n').count()
}

/// The error in the element that begins at the byte `start`.
fn in_element(file: &Arc<Path>, text: &str, start: usize, error: &serde_json::Error) -> Error {
    let before = &text[..start];
    let indent = match error.line() {
        0 | 1 => start - before.rfind('\n').map_or(0, |at| at + 1),
        _ => 0,
    };
    let line = newlines(before) + error.line().max(1);
    not_json(file, line, indent + error.column(), error)
}

fn not_json(file: &Arc<Path>, line: usize, column: usize, error: &serde_json::Error) -> Error {
    // Its own place is one within the row.
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or_default();
    Error::row(file, line, format!("not JSON (column {column}): {reason}"))
}

fn nothing_more(file: &Arc<Path>, text: &str, rest: &str) -> Result<(), Error> {
    match rest.trim_start() {
        "" => Ok(()),
        rest => Err(unexpected(file, text, rest, "nothing after the array")),
    }
}

fn unexpected(file: &Arc<Path>, text: &str, rest: &str, expected: &str) -> Error {
    let line = 1 + newlines(&text[..text.len() - rest.len()]);
    let found = rest.chars().next().map_or(String::new(), String::from);
    Error::row(file, line, format!("not JSON: expected {expected}, found `{found}`"))
}

fn cut_short(file: &Arc<Path>, text: &str) -> Error {
    Error::row(file, text.lines().count(), "not JSON: the array has no end; is the file cut short?")
}

fn row(file: &Arc<Path>, line: usize, value: Value) -> Result<Row, Error> {
    let place = Place::new(file.clone(), line);
    match value {
        Value::Object(cells) => Ok(Row { place, cells }),
        Value::Array(texts) if texts.len() >= 2 => Ok(Row { place, cells: by_place(texts) }),
        other => {
            let reason = format!("expected an object or a list of texts, found {other}");
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
