//! Training and evaluation data: five kinds of rows, from files of any format.

mod contents;
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
    /// One JSON object per line, with the columns by name, or a list of texts; or an array of these.
    Jsonl,
    /// One text per line; empty lines are skipped.
    Lines,
}

impl Format {
    /// The format that a file's extension stands for; one before `.gz` counts.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "tsv" => Some(Self::Tsv),
            "txt" => Some(Self::Trec),
            "json" | "jsonl" | "ndjson" => Some(Self::Jsonl),
            "gz" => Self::of(Path::new(path.file_stem()?)),
            _ => None,
        }
    }
}

/// Reads a file in `format`, or in the one its extension stands for; unpacks gzip.
pub fn read(path: &Path, format: Option<Format>, hints: Hints) -> Result<Dataset, Error> {
    let bytes = contents::read(path)?;
    let text = contents::text(path, &bytes)?;
    let format = format.or_else(|| Format::of(path)).ok_or_else(|| no_format(path))?;
    rows(path, &text, format, hints)
}

/// Reads the bytes of a file called `name`, whose extension stands for the format, without any options.
///
/// # Errors
///
/// As [`read`], but for what a file system says: hostile bytes give an error, never a panic.
pub fn read_bytes(name: &str, bytes: &[u8]) -> Result<Dataset, Error> {
    let path = Path::new(name);
    let text = contents::text(path, bytes)?;
    let format = Format::of(path).ok_or_else(|| no_format(path))?;
    rows(path, &text, format, Hints::default())
}

fn no_format(path: &Path) -> Error {
    let reason = "the extension names no format: rename it to .csv, .tsv, .txt, .json or .jsonl, \
                  or say --format (for --eval: --eval-format)";
    Error::read(path, reason)
}

/// Reads rows from the bytes of a file.
pub fn parse(path: &Path, bytes: &[u8], format: Format, hints: Hints) -> Result<Dataset, Error> {
    rows(path, &contents::text(path, bytes)?, format, hints)
}

fn rows(path: &Path, text: &str, format: Format, hints: Hints) -> Result<Dataset, Error> {
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
    let bytes = contents::read(path)?;
    let lines: Vec<_> = contents::text(path, &bytes)?.lines().map(String::from).collect();
    if lines.is_empty() {
        return Err(Error::read(path, "it has no lines"));
    }
    Ok(lines)
}

fn bare_texts(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(String::from).collect()
}

/// A text column of a row: trimmed, and never empty.
fn required_text(path: &Path, line: usize, column: &str, text: &str) -> Result<String, Error> {
    match text.trim() {
        "" => Err(Error::row(path, line, format!("`{column}` is empty"))),
        text => Ok(text.to_string()),
    }
}
