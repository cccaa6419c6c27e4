//! Training and evaluation data: five kinds of rows, from files of any format.

pub mod corpus;
mod dataset;
pub mod derive;
pub mod repeats;
mod scale;
pub mod table;
pub mod task;
pub mod teacher;
pub mod trec;

use std::path::Path;

use clap::ValueEnum;

pub use dataset::{Dataset, Pair, Ranking, Sentence, TeacherTarget};
pub use scale::ScoreRange;
pub use table::Hints;
pub use table::columns::Renamed;

use crate::error::Error;

/// The file formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns separated by commas, semicolons or tabs, found by their header; without one, as STS-B.
    Csv,
    /// The same; tabs are tried first.
    Tsv,
    /// As TREC: a class from 0 to 5, a space, a question.
    Trec,
    /// One JSON object per line, with the columns by name; or a list of texts.
    Jsonl,
    /// One text per line; empty lines are skipped.
    Lines,
}

impl Format {
    /// The format that a file's extension stands for.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "tsv" => Some(Self::Tsv),
            "txt" => Some(Self::Trec),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            _ => None,
        }
    }
}

/// Reads a file in `format`, or in the one its extension stands for.
pub fn read(path: &Path, format: Option<Format>, hints: Hints) -> Result<Dataset, Error> {
    let format = format.or_else(|| Format::of(path)).ok_or_else(|| {
        let reason = "the extension names no format: rename it to .csv, .tsv, .txt or .jsonl, \
                      or say --format (for --eval: --eval-format)";
        Error::read(path, reason)
    })?;
    let bytes = std::fs::read(path).map_err(|error| Error::read(path, error))?;
    parse(path, &bytes, format, hints)
}

/// Reads rows from the bytes of a file.
pub fn parse(path: &Path, bytes: &[u8], format: Format, hints: Hints) -> Result<Dataset, Error> {
    let text = utf8(path, bytes)?;
    let mut data = match format {
        Format::Csv => delimited(path, text, b',', hints)?,
        Format::Tsv => delimited(path, text, b'\t', hints)?,
        Format::Trec => trec::parse(path, text)?,
        Format::Jsonl => table::json::parse(path, text)?.interpret(path, hints)?,
        Format::Lines => Dataset { bare: bare_texts(text), ..Dataset::default() },
    };
    data.path = path.to_path_buf();
    if data.rows() == 0 {
        return Err(Error::read(path, "it has no rows"));
    }
    Ok(data)
}

fn delimited(path: &Path, text: &str, separator: u8, hints: Hints) -> Result<Dataset, Error> {
    table::delimited::parse(path, text, separator, hints.columns)?.interpret(path, hints)
}

/// The lines of a text file, one text each; a text may be empty.
pub fn lines(path: &Path) -> Result<Vec<String>, Error> {
    let bytes = std::fs::read(path).map_err(|error| Error::read(path, error))?;
    let lines: Vec<_> = utf8(path, &bytes)?.lines().map(String::from).collect();
    if lines.is_empty() {
        return Err(Error::read(path, "it has no lines"));
    }
    Ok(lines)
}

fn bare_texts(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(String::from).collect()
}

fn utf8<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, Error> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        Error::row(path, line, "not UTF-8: convert the file to UTF-8 first")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// A text column of a row: trimmed, and never empty.
fn required_text(path: &Path, line: usize, column: &str, text: &str) -> Result<String, Error> {
    match text.trim() {
        "" => Err(Error::row(path, line, format!("`{column}` is empty"))),
        text => Ok(text.to_string()),
    }
}
