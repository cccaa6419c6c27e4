//! Values separated by commas, semicolons or tabs, with a header or without.

use std::path::Path;
use std::sync::Arc;

use csv::{Reader, ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use super::columns::{Columns, Renamed};
use super::{Row, Table};
use crate::data::Place;
use crate::error::Error;

/// The records that decide which character separates values.
const LOOKED_AT: usize = 20;

/// Reads a table. `expected` is the separator that the file's extension stands for.
pub fn parse(
    file: &Arc<Path>,
    text: &str,
    expected: u8,
    renamed: &[Renamed],
) -> Result<Table, Error> {
    let separator = separator(text, expected);
    let mut records = Vec::new();
    for record in reader(text, separator).records() {
        let record = record.map_err(|error| {
            Error::row(file, line_of(text, error.position()), error.to_string())
        })?;
        let line = line_of(text, record.position());
        records.push((line, record));
    }
    let Some((_, first)) = records.first() else {
        return Ok(Table::of(Vec::new(), true));
    };
    let width = first.len();
    if let Some((line, record)) = records.iter().find(|(_, record)| record.len() != width) {
        let reason =
            format!("expected {width} columns as in the first row, found {}", record.len());
        return Err(Error::row(file, *line, reason));
    }
    let named = is_header(file, first, renamed);
    let names = match named {
        true => first.iter().map(|name| name.trim().to_string()).collect(),
        false => by_place(file, &records)?,
    };
    let rows = records.iter().skip(usize::from(named)).map(|(line, record)| Row {
        place: Place::new(file.clone(), *line),
        cells: names.iter().cloned().zip(record.iter().map(Value::from)).collect(),
    });
    Ok(Table::of(rows.collect(), named))
}

fn reader(text: &str, separator: u8) -> Reader<&[u8]> {
    let mut builder = ReaderBuilder::new();
    // Files with tabs rarely quote, and have texts with quotes in them.
    builder.delimiter(separator).quoting(separator != b'\t').has_headers(false).flexible(true);
    builder.from_reader(text.as_bytes())
}

/// The separator that gives the first records the same number of columns, more than one: the expected
/// one if it does.
fn separator(text: &str, expected: u8) -> u8 {
    let candidates = [expected, b'\t', b',', b';'];
    let divides = |separator: &u8| {
        let mut records = reader(text, *separator).into_records().take(LOOKED_AT);
        let Some(Ok(first)) = records.next() else { return false };
        first.len() > 1 && records.all(|record| record.is_ok_and(|it| it.len() == first.len()))
    };
    candidates.into_iter().find(divides).unwrap_or(expected)
}

/// Whether a record has the names of columns in it.
fn is_header(file: &Arc<Path>, record: &StringRecord, renamed: &[Renamed]) -> bool {
    let cells = record.iter().map(|name| (name.trim().to_string(), Value::Null));
    let rows = vec![Row { place: Place::new(file.clone(), 1), cells: Map::from_iter(cells) }];
    Columns::of(&Table::of(rows, true), renamed).is_ok()
}

/// The names of columns without a header.
fn by_place(path: &Path, records: &[(usize, StringRecord)]) -> Result<Vec<String>, Error> {
    let numbers = |column: usize| {
        let is_number = |record: &StringRecord| record[column].trim().parse::<f64>().is_ok();
        records.iter().all(|(_, record)| is_number(record))
    };
    let names: &[&str] = match records[0].1.len() {
        2 => &["anchor", "positive"],
        3 if numbers(2) => &["sentence1", "sentence2", "score"],
        3 if looks_like_text(records) => &["anchor", "positive", "negative"],
        // As STS-B is distributed: genre, file, year, number, score, sentence, sentence, sources.
        7.. if numbers(4) => {
            &["genre", "file", "year", "number", "score", "sentence1", "sentence2"]
        }
        _ => {
            let reason = "the first row names no known columns (sentence1, sentence2, score; anchor, \
                          positive, negative; text, label): add a header, or name columns with --columns";
            return Err(Error::row(path, records[0].0, reason));
        }
    };
    let rest = names.len()..records[0].1.len();
    let rest = rest.map(|place| format!("column {}", place + 1));
    Ok(names.iter().map(ToString::to_string).chain(rest).collect())
}

/// Whether the first row is a row of texts, not the header of numbers or of unknown columns.
fn looks_like_text(records: &[(usize, StringRecord)]) -> bool {
    let first = &records[0].1;
    first.iter().all(|cell| cell.trim().contains(' '))
}

/// The line of a record, counted from one. The reader's own position is where the record before
/// ended: line breaks in between, as in blank lines, are still to be counted.
fn line_of(text: &str, position: Option<&csv::Position>) -> usize {
    let Some(position) = position else {
        return 1;
    };
    let rest = text.as_bytes().get(position.byte() as usize..).unwrap_or_default();
    let breaks = rest.iter().take_while(|byte| b"\r\n".contains(byte));
    position.line() as usize + breaks.filter(|byte| **byte == b'\n').count()
}
