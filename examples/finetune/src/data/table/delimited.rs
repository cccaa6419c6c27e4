//! Values separated by commas, semicolons, tabs or vertical bars, with a header or without.

use std::collections::HashSet;
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::sync::Arc;

use csv::{Reader, ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use super::columns::{Columns, Renamed};
use super::{Row, Source, Table, cell, quotes};
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
            let cells = self.names.iter().cloned().zip(record.iter().map(value));
            let place = Place::new(self.contents.path().clone(), line);
            Ok(Row { place, cells: cells.collect() })
        }))
    }
}

/// A cell, which is null where pandas reads none.
fn value(cell: &str) -> Value {
    match cell::is_spelled_nothing(cell) {
        true => Value::Null,
        false => Value::from(cell),
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
    /// Whether it has only numbers below the first row.
    numbers_below: Vec<bool>,
    /// The number of records.
    count: usize,
    /// Whether some record below the first has several words in a cell.
    words_below: bool,
}

/// Reads a table. `expected` is the separator that the file's extension stands for.
pub fn parse(contents: Contents, expected: u8, renamed: &[Renamed]) -> Result<Table, Error> {
    let separator = separator(&contents, expected)?;
    if separator.quoting {
        quotes::check(&contents, separator.byte)?;
    }
    let Some((line, first)) = records(&contents, separator)?.next().transpose()? else {
        return Table::of(Source::Rows(Vec::new()), true);
    };
    let file = contents.path();
    if first.get(0).is_some_and(|cell| cell.starts_with("sep=")) {
        let reason =
            "this line is for spreadsheets alone: take it out; separators are found without it";
        return Err(Error::row(file, line, reason));
    }
    let named = is_header(file, &first, renamed);
    let found = look(&contents, separator, !named)?;
    let names: Vec<_> = match named {
        true => named_once(file, line, &first)?,
        false => by_place(file, &found)?,
    };
    if let Some(name) =
        renamed.iter().map(Renamed::name).find(|name| !names.iter().any(|it| it == name))
    {
        let first: Vec<_> = first.iter().collect();
        let reason = format!("--columns names `{name}`; the first row has {}", first.join(", "));
        return Err(Error::row(file, line, reason));
    }
    let file = Delimited { contents, separator, names: names.clone(), named };
    let mut table = Table::of(Source::Delimited(file), named)?;
    if table.count == 0 {
        // All that there is to say about the file.
        table.names = names;
    }
    Ok(table)
}

/// Looks at all records of a file that has at least one. They must have as many values as the first; but in STS-B,
/// which has no header, some rows end with the sources of their sentences.
fn look(contents: &Contents, separator: Separator, nameless: bool) -> Result<Found, Error> {
    let mut records = records(contents, separator)?;
    let (line, first) = records.next().transpose()?.unwrap_or_default();
    let is_number = |cell: &str| cell.trim().parse::<f64>().is_ok();
    let width = first.len();
    let sources = nameless && separator.byte == b'\t' && is_stsb(&first);
    let numbers: Vec<_> = first.iter().map(is_number).collect();
    let numbers_below = vec![true; width];
    let mut found = Found { line, first, numbers, numbers_below, count: 1, words_below: false };
    check_quotes(contents, separator, found.line, &found.first)?;
    for record in records {
        let (line, record) = record?;
        check_quotes(contents, separator, line, &record)?;
        if !nameless && record == found.first {
            let reason =
                "the header again, as where files were put one after the other: take the line out";
            return Err(Error::row(contents.path(), line, reason));
        }
        if record.len() != width && !(sources && record.len() >= STSB.len()) {
            let [name, values] = spelled(separator.byte);
            let reason = format!(
                "expected {width} columns as in the first row, found {}; columns are taken to be separated by \
                 {name}: {values}",
                record.len()
            );
            return Err(Error::row(contents.path(), line, reason));
        }
        found.count += 1;
        found.words_below |= record.iter().any(|cell| cell.trim().contains(' '));
        for (place, cell) in record.iter().enumerate().take(width) {
            let number = is_number(cell);
            found.numbers[place] &= number;
            found.numbers_below[place] &= number;
        }
    }
    Ok(found)
}

/// Refuses quotes after a space, which would belong to the text as in Python, and let it be separated within.
fn check_quotes(
    contents: &Contents,
    separator: Separator,
    line: usize,
    record: &StringRecord,
) -> Result<(), Error> {
    let quoted = |cell: &str| cell.starts_with(" \"") && cell.trim_end().ends_with('"');
    match record.iter().position(quoted).filter(|_| separator.quoting) {
        None => Ok(()),
        Some(place) => {
            let reason = format!(
                "a space is before the quote of value {}, so that the quotes are part of it: take the space away",
                place + 1
            );
            Err(Error::row(contents.path(), line, reason))
        }
    }
}

/// The columns of STS-B as it is distributed; one or two sources may follow.
const STSB: [&str; 7] = ["genre", "file", "year", "number", "score", "sentence1", "sentence2"];

fn is_stsb(first: &StringRecord) -> bool {
    let score = first.get(4).and_then(|cell| cell.trim().parse::<f64>().ok());
    first.len() >= STSB.len() && score.is_some()
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
    for byte in [expected, b'\t', b',', b';', b'|'] {
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
        b'|' => ["vertical bars", "put values that contain one into double quotes"],
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

/// The names in a header, each of which stands for one column.
fn named_once(path: &Path, line: usize, header: &StringRecord) -> Result<Vec<String>, Error> {
    let names: Vec<_> = header.iter().map(|name| name.trim().to_string()).collect();
    let mut known = HashSet::new();
    match names.iter().find(|name| !name.is_empty() && !known.insert(*name)) {
        None => Ok(names),
        Some(name) => {
            let reason =
                format!("the header has two columns `{name}`: give each a name of its own");
            Err(Error::row(path, line, reason))
        }
    }
}

/// The names of columns without a header.
fn by_place(path: &Path, found: &Found) -> Result<Vec<String>, Error> {
    if let Some(reason) = found.is_no_row() {
        return Err(Error::row(path, found.line, reason));
    }
    let names: &[&str] = match found.first.len() {
        2 => &["anchor", "positive"],
        3 if found.numbers[2] => &["sentence1", "sentence2", "score"],
        3 if looks_like_text(&found.first) => &["anchor", "positive", "negative"],
        7.. if found.numbers[4] => &STSB,
        1 => return Err(one_column(path, found)),
        _ => return Err(Error::row(path, found.line, UNKNOWN)),
    };
    let rest = names.len()..found.first.len();
    let rest = rest.map(|place| format!("column {}", place + 1));
    Ok(names.iter().map(ToString::to_string).chain(rest).collect())
}

/// What is said of a first row that may be a header.
const UNKNOWN: &str = "the first row names no known columns (sentence1, sentence2, score; anchor, positive, \
                       negative; text, label): add a header, or name columns with --columns";

impl Found {
    /// Why the first row of a table of texts is not one of its rows.
    fn is_no_row(&self) -> Option<String> {
        let first = self.first.get(0).unwrap_or_default();
        let below = self.count > 1;
        let named = self.numbers.iter().zip(&self.numbers_below).any(|(all, below)| *below && !all);
        let words = self.first.iter().all(is_word);
        match self.first.len() {
            0 | 1 => None,
            _ if first.trim_start().starts_with('{') => {
                Some("the first row looks like JSON: say --format jsonl".to_string())
            }
            // Names of columns stand over numbers, and are words over texts.
            _ if below && (named || (words && self.words_below)) => Some(UNKNOWN.to_string()),
            2 if self.numbers.contains(&true) => Some(
                "one of two columns has only numbers, which are no texts: add a header that says what they are, \
                 such as text,label"
                    .to_string(),
            ),
            _ => None,
        }
    }
}

/// Whether a cell may be the name of a column: letters, digits and a few signs, no spaces.
fn is_word(cell: &str) -> bool {
    let cell = cell.trim();
    let plain = |letter: char| letter.is_alphanumeric() || "_-.#".contains(letter);
    !cell.is_empty() && cell.chars().all(plain) && cell.parse::<f64>().is_err()
}

/// The error of a table with one column of an unknown name.
fn one_column(path: &Path, found: &Found) -> Error {
    let name = found.first[0].trim();
    let within = [
        ('^', "a caret"),
        (';', "a semicolon"),
        ('\t', "a tab"),
        ('|', "a vertical bar"),
        (',', "a comma"),
    ];
    let within = within.iter().find(|(letter, _)| name.contains(*letter));
    let reason = match within {
        Some(('^', spelled)) => format!(
            "the first row is one column that contains {spelled}: separate columns by commas, semicolons, tabs or \
             vertical bars"
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
