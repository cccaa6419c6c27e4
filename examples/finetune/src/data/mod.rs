//! Training and evaluation data: five kinds of rows, from files of any format.

mod classes;
mod contents;
pub mod corpus;
mod dataset;
pub mod derive;
mod files;
mod lines;
mod lists;
mod part;
mod place;
pub mod repeats;
mod scale;
pub mod table;
pub mod task;
pub mod teacher;
mod texts;
pub mod trec;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

pub use classes::Classes;
pub use dataset::{Dataset, Pair, Ranking, Sentence, TeacherTarget};
pub use files::expand;
pub use lines::Lines;
pub use lists::List;
pub use place::Place;
pub use scale::ScoreRange;
pub use table::Hints;
pub use table::columns::Renamed;
pub use texts::{Collector, Spill, Text, Texts};

use crate::error::Error;
use contents::Contents;
use part::Part;
use table::delimited;

/// The file formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns separated by commas, semicolons, tabs or bars, found by their header; without one, as STS-B.
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

/// How files are read.
#[derive(Debug, Clone, Copy)]
pub struct Formats {
    /// The format of all files, if the user says it; otherwise the extension of each stands for its format.
    pub given: Option<Format>,
    /// The format of a `.txt` file that does not begin with the names of columns.
    pub text: Format,
}

impl From<Option<Format>> for Formats {
    fn from(given: Option<Format>) -> Self {
        Self { given, text: Format::Trec }
    }
}

impl Formats {
    /// The format of a file with these contents.
    fn of(self, contents: &Contents, hints: Hints) -> Result<Format, Error> {
        if let Some(format) = self.given {
            return Ok(format);
        }
        let path = contents.path();
        match Format::of(path).ok_or_else(|| no_format(path))? {
            // SICK comes as tables with this extension.
            Format::Trec => match delimited::begins_with_names(contents, hints.columns)? {
                true => Ok(Format::Tsv),
                false => Ok(self.text),
            },
            format => Ok(format),
        }
    }
}

/// Reads all rows of some files, named one by one or by patterns such as `data/*.jsonl`. Unpacks gzip.
///
/// # Errors
///
/// If a file cannot be read or used, a pattern matches none, or the columns of the files differ.
pub fn read(
    patterns: &[PathBuf],
    formats: impl Into<Formats>,
    hints: Hints,
) -> Result<Dataset, Error> {
    let files = files::expand(patterns)?;
    let name = files::name(&files);
    let formats = formats.into();
    let parts = files.into_iter().map(|file| {
        let part = part(Contents::of_file(&file)?, formats, hints)?;
        Ok((file, part))
    });
    part::together(name, parts, hints)
}

/// Reads the bytes of a file called `name`, whose extension stands for the format, without any options.
///
/// # Errors
///
/// As [`read`], but for what a file system says: hostile bytes give an error, never a panic.
pub fn read_bytes(name: &str, bytes: &[u8]) -> Result<Dataset, Error> {
    one(Path::new(name), bytes, Formats::from(None::<Format>), Hints::default())
}

/// Reads rows from the bytes of a file.
pub fn parse(path: &Path, bytes: &[u8], format: Format, hints: Hints) -> Result<Dataset, Error> {
    one(path, bytes, Some(format).into(), hints)
}

/// The same without options, with the texts among others.
fn parse_with(
    path: &Path,
    bytes: &[u8],
    format: Format,
    texts: &mut Collector,
) -> Result<Dataset, Error> {
    let hints = Hints::default();
    let part = part(Contents::of_bytes(path, bytes), Some(format).into(), hints);
    let part = part.map(|part| (path.to_path_buf(), part));
    part::together_with(path.to_path_buf(), [part], hints, texts)
}

fn one(path: &Path, bytes: &[u8], formats: Formats, hints: Hints) -> Result<Dataset, Error> {
    let part = part(Contents::of_bytes(path, bytes), formats, hints);
    let part = part.map(|part| (path.to_path_buf(), part));
    part::together(path.to_path_buf(), [part], hints)
}

fn part(contents: Contents, formats: Formats, hints: Hints) -> Result<Part, Error> {
    if contents.starts_with(table::parquet::MAGIC)? {
        return Part::of_parquet(contents);
    }
    // Files that are no text say so, whatever their extension.
    contents.check()?;
    let format = formats.of(&contents, hints)?;
    Part::parse(contents, format, hints)
}

fn no_format(path: &Path) -> Error {
    let reason = match path.extension().is_some_and(|it| it.eq_ignore_ascii_case("parquet")) {
        true => "no Parquet file, which would begin with PAR1: copy or download it again",
        false => {
            "the extension names no format: rename it to .csv, .tsv, .txt, .json or .jsonl, or say \
             --format (for --eval: --eval-format)"
        }
    };
    Error::read(path, reason)
}

/// A text column of a row: as it is, and never blank.
fn required_text(place: &Place, column: &str, text: &str) -> Result<String, Error> {
    match text.trim().is_empty() {
        true => Err(place.error(format!("`{column}` is empty"))),
        false => Ok(text.to_string()),
    }
}
