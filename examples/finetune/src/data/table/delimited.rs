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
        let [name, values] = spelled(separator);
        let reason = format!(
            "expected {width} columns as in the first row, found {}; columns are taken to be separated by {name}: \
             {values}",
            record.len()
        );
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
    let mut table = Table::of(rows.collect(), named);
    if table.rows.is_empty() {
        // All that there is to say about the file.
        table.names = names;
    }
    Ok(table)
}

fn reader(text: &str, separator: u8) -> Reader<&[u8]> {
    let mut builder = ReaderBuilder::new();
    // Files with tabs rarely quote, and have texts with quotes in them.
    builder.delimiter(separator).quoting(separator != b'\t').has_headers(false).flexible(true);
    builder.from_reader(text.as_bytes())
}

/// The separator that gives the first records the same number of columns, more than one: the expected
/// one if it does. If none does, one that gives the first record several columns.
fn separator(text: &str, expected: u8) -> u8 {
    let candidates = [expected, b'\t', b',', b';'];
    let columns = |separator: u8| {
        let records = reader(text, separator).into_records().take(LOOKED_AT);
        records.map(|record| record.map_or(0, |it| it.len())).collect::<Vec<_>>()
    };
    let several = |counts: &[usize]| counts.first().is_some_and(|first| *first > 1);
    let even = |counts: &[usize]| several(counts) && counts.iter().all(|it| *it == counts[0]);
    let find =
        |fits: &dyn Fn(&[usize]) -> bool| candidates.into_iter().find(|it| fits(&columns(*it)));
    find(&even).or_else(|| find(&several)).unwrap_or(expected)
}

/// A separator in words, and what to do with values that contain it.
fn spelled(separator: u8) -> [&'static str; 2] {
    match separator {
        b'\t' => ["tabs", "replace tabs in values by spaces"],
        b';' => ["semicolons", "put values that contain a semicolon into double quotes"],
        _ => ["commas", "put values that contain a comma into double quotes"],
    }
}

/// Whether the text begins with the names of several known columns.
pub fn begins_with_names(path: &Path, text: &str, renamed: &[Renamed]) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let record = reader(first, separator(first, b'\t')).into_records().next();
    record.is_some_and(|record| {
        record.is_ok_and(|record| record.len() > 1 && is_header(&path.into(), &record, renamed))
    })
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
        1 => return Err(one_column(path, &records[0])),
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

/// The error of a table with one column of an unknown name.
fn one_column(path: &Path, (line, first): &(usize, StringRecord)) -> Error {
    let name = first[0].trim();
    let within = [(';', "a semicolon"), ('\t', "a tab"), ('|', "a vertical bar"), (',', "a comma")];
    let within = within.iter().find(|(letter, _)| name.contains(*letter));
    let reason = match within {
        Some(('|', spelled)) => format!(
            "the first row is one column that contains {spelled}: separate columns by commas, semicolons or tabs"
        ),
        Some((_, spelled)) => format!(
            "the first row is one column that contains {spelled}: if that separates the columns, take away the \
             quotes around the whole row, and give all rows the same number of columns"
        ),
        None => "the first row is one column that is not called text: name it with a header or \
                 --columns, such as --columns text=NAME, or say --format lines for one text per line"
            .to_string(),
    };
    Error::row(path, *line, reason)
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
