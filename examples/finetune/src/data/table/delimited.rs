//! Values separated by commas, semicolons or tabs, with a header or without.

use std::io::{self, BufRead, Read};
use std::path::Path;
use std::sync::Arc;

use csv::{Reader, ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use super::columns::{Columns, Renamed};
use super::{Row, Source, Table, quotes};
use crate::data::Place;
use crate::data::contents::Contents;
use crate::error::Error;

/// The records that decide which character separates values.
const LOOKED_AT: usize = 20;

/// A file of separated values, whose columns are known.
#[derive(Debug, Clone)]
pub struct Delimited {
    contents: Contents,
    separator: Separator,
    names: Vec<String>,
    named: bool,
}

impl Delimited {
    /// The rows of one pass over the file.
    pub fn rows(&self) -> Result<impl Iterator<Item = Result<Row, Error>> + use<'_>, Error> {
        let records = records(&self.contents, self.separator)?.skip(usize::from(self.named));
        Ok(records.map(|record| {
            let (line, record) = record?;
            let cells = self.names.iter().cloned().zip(record.iter().map(Value::from));
            let place = Place::new(self.contents.path().clone(), line);
            Ok(Row { place, cells: cells.collect() })
        }))
    }
}

/// What is between values.
#[derive(Debug, Clone, Copy)]
struct Separator {
    byte: u8,
    /// Whether values may be in quotes, within which it separates nothing.
    quoting: bool,
}

/// What a pass over the records finds.
struct Found {
    line: usize,
    first: StringRecord,
    /// Whether a column has only numbers in it.
    numbers: Vec<bool>,
}

/// Reads a table. `expected` is the separator that the file's extension stands for.
pub fn parse(contents: Contents, expected: u8, renamed: &[Renamed]) -> Result<Table, Error> {
    let separator = separator(&contents, expected)?;
    let Some(found) = look(&contents, separator)? else {
        return Table::of(Source::Rows(Vec::new()), true);
    };
    let file = contents.path();
    let named = is_header(file, &found.first, renamed);
    let names: Vec<_> = match named {
        true => found.first.iter().map(|name| name.trim().to_string()).collect(),
        false => by_place(file, &found)?,
    };
    let file = Delimited { contents, separator, names: names.clone(), named };
    let mut table = Table::of(Source::Delimited(file), named)?;
    if table.count == 0 {
        // All that there is to say about the file.
        table.names = names;
    }
    Ok(table)
}

/// Looks at all records, which must have as many values as the first.
fn look(contents: &Contents, separator: Separator) -> Result<Option<Found>, Error> {
    let mut records = records(contents, separator)?;
    let Some((line, first)) = records.next().transpose()? else {
        return Ok(None);
    };
    let is_number = |cell: &str| cell.trim().parse::<f64>().is_ok();
    let mut found = Found { line, numbers: first.iter().map(is_number).collect(), first };
    let width = found.first.len();
    for record in records {
        let (line, record) = record?;
        if record.len() != width {
            let [name, values] = spelled(separator.byte);
            let reason = format!(
                "expected {width} columns as in the first row, found {}; columns are taken to be separated by \
                 {name}: {values}",
                record.len()
            );
            return Err(Error::row(contents.path(), line, reason));
        }
        for (numbers, cell) in found.numbers.iter_mut().zip(&record) {
            *numbers = *numbers && is_number(cell);
        }
    }
    Ok(Some(found))
}

/// The records of a file, each with the line that it begins in, counted from one.
fn records(
    contents: &Contents,
    separator: Separator,
) -> Result<impl Iterator<Item = Result<(usize, StringRecord), Error>> + use<'_>, Error> {
    let mut reader = reader(Lines::of(contents.text()?), separator);
    Ok(std::iter::from_fn(move || {
        let mut record = StringRecord::new();
        let more = reader.read_record(&mut record);
        // The record ends in the line that was handed out last.
        let breaks = record.iter().flat_map(str::bytes).filter(|&byte| byte == b'\n').count();
        let line = reader.get_ref().line.saturating_sub(breaks).max(1);
        match more {
            Ok(more) => more.then_some(Ok((line, record))),
            Err(error) => Some(Err(unreadable(contents, line, error))),
        }
    }))
}

fn unreadable(contents: &Contents, line: usize, error: csv::Error) -> Error {
    let reason = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(error) => contents.unreadable(error),
        _ => Error::row(contents.path(), line, reason),
    }
}

/// Hands out a line at a time at most, and counts them.
struct Lines<R> {
    inner: R,
    line: usize,
    /// Whether the next byte begins a line.
    begins: bool,
}

impl<R> Lines<R> {
    fn of(inner: R) -> Self {
        Self { inner, line: 0, begins: true }
    }
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.fill_buf()?;
        let bytes = &bytes[..bytes.len().min(out.len())];
        let length = bytes.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |at| at + 1);
        out[..length].copy_from_slice(&bytes[..length]);
        self.line += usize::from(self.begins);
        self.begins = bytes[..length].ends_with(b"\n");
        self.inner.consume(length);
        Ok(length)
    }
}

fn reader<R: Read>(input: R, separator: Separator) -> Reader<R> {
    let mut builder = ReaderBuilder::new();
    let Separator { byte, quoting } = separator;
    builder.delimiter(byte).quoting(quoting).has_headers(false).flexible(true);
    builder.from_reader(input)
}

/// The separator that gives the first records the same number of columns, more than one: the expected
/// one if it does. If none does, one that gives the first record several columns.
fn separator(contents: &Contents, expected: u8) -> Result<Separator, Error> {
    let tabs_are_quoted = quotes::are_quoted(contents)?;
    let mut candidates = Vec::new();
    for byte in [expected, b'\t', b',', b';'] {
        let candidate = Separator { byte, quoting: byte != b'\t' || tabs_are_quoted };
        let records = reader(contents.text()?, candidate).into_records().take(LOOKED_AT);
        let counts: Vec<_> = records.map(|record| record.map_or(0, |it| it.len())).collect();
        candidates.push((candidate, counts));
    }
    let several = |counts: &[usize]| counts.first().is_some_and(|first| *first > 1);
    let even = |counts: &[usize]| several(counts) && counts.iter().all(|it| *it == counts[0]);
    let find = |fits: &dyn Fn(&[usize]) -> bool| candidates.iter().find(|(_, it)| fits(it));
    let found = find(&even).or_else(|| find(&several)).unwrap_or(&candidates[0]);
    Ok(found.0)
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
pub fn begins_with_names(contents: &Contents, renamed: &[Renamed]) -> Result<bool, Error> {
    let first = contents.first_line()?.unwrap_or_default();
    let first = Contents::of_bytes(contents.path(), first.as_bytes());
    let record = records(&first, separator(&first, b'\t')?)?.next().transpose()?;
    let header =
        |record: &StringRecord| record.len() > 1 && is_header(first.path(), record, renamed);
    Ok(record.is_some_and(|(_, record)| header(&record)))
}

/// Whether a record has the names of columns in it.
fn is_header(file: &Arc<Path>, record: &StringRecord, renamed: &[Renamed]) -> bool {
    let cells = record.iter().map(|name| (name.trim().to_string(), Value::Null));
    let rows = vec![Row { place: Place::new(file.clone(), 1), cells: Map::from_iter(cells) }];
    let table = Table::of(Source::Rows(rows), true);
    table.and_then(|table| Columns::of(&table, renamed)).is_ok()
}

/// The names of columns without a header.
fn by_place(path: &Path, found: &Found) -> Result<Vec<String>, Error> {
    let names: &[&str] = match found.first.len() {
        2 => &["anchor", "positive"],
        3 if found.numbers[2] => &["sentence1", "sentence2", "score"],
        3 if looks_like_text(&found.first) => &["anchor", "positive", "negative"],
        // As STS-B is distributed: genre, file, year, number, score, sentence, sentence, sources.
        7.. if found.numbers[4] => {
            &["genre", "file", "year", "number", "score", "sentence1", "sentence2"]
        }
        1 => return Err(one_column(path, found)),
        _ => {
            let reason = "the first row names no known columns (sentence1, sentence2, score; anchor, \
                          positive, negative; text, label): add a header, or name columns with --columns";
            return Err(Error::row(path, found.line, reason));
        }
    };
    let rest = names.len()..found.first.len();
    let rest = rest.map(|place| format!("column {}", place + 1));
    Ok(names.iter().map(ToString::to_string).chain(rest).collect())
}

/// The error of a table with one column of an unknown name.
fn one_column(path: &Path, found: &Found) -> Error {
    let name = found.first[0].trim();
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
    Error::row(path, found.line, reason)
}

/// Whether the first row is a row of texts, not the header of numbers or of unknown columns.
fn looks_like_text(first: &StringRecord) -> bool {
    first.iter().all(|cell| cell.trim().contains(' '))
}
