//! Tables: rows of named columns, from any file, and their meaning.
//!
//! ```text
//! delimited, json, parquet   a file as rows of cells
//!   → columns                the meaning of the columns, by their names
//!     → labels               scores on one scale, classes
//!       → rows               pairs, rankings, labelled texts, teacher's embeddings
//! ```

mod array;
mod cell;
pub mod columns;
pub mod delimited;
#[cfg(test)]
mod habits;
pub mod json;
mod labels;
#[cfg(test)]
mod misread;
#[cfg(feature = "parquet")]
pub mod parquet;
#[cfg(not(feature = "parquet"))]
#[path = "no_parquet.rs"]
pub mod parquet;
#[cfg(test)]
mod published;
mod quotes;
mod repeated;
mod rows;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value};

use super::contents::Contents;
use super::texts::{Collector, Spill};
use super::{Dataset, Place, ScoreRange};
use crate::error::Error;
use array::Elements;
use columns::{Columns, Renamed};
use delimited::Delimited;

/// A row of cells by the names of their columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Where it comes from.
    pub place: Place,
    /// The cells; in a file without types, all are texts.
    pub cells: Map<String, Value>,
}

/// The rows of one or several files. Those of large formats are read from their files anew for each pass.
#[derive(Debug, Clone)]
pub struct Table {
    /// The names of all columns, sorted.
    pub names: Vec<String>,
    /// The first row, if there is one.
    pub first: Option<Row>,
    /// The number of rows.
    pub count: usize,
    /// The columns in which a passage has a title.
    titled: BTreeSet<String>,
    /// What the cells of each column have in common.
    kinds: BTreeMap<String, Kinds>,
    /// The names of the classes of a column, if the file has any for its numbers.
    class_names: BTreeMap<String, Vec<String>>,
    /// Whether the files themselves name their columns; otherwise they were named by their places.
    pub named: bool,
    /// Whether the rows are lists, whose values were named by their places.
    pub listed: bool,
    sources: Vec<Source>,
}

/// Where rows come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Memory.
    Rows(Vec<Row>),
    /// A file of separated values.
    Delimited(Delimited),
    /// A file of JSON Lines.
    JsonLines(Contents),
    /// A file of one array in JSON.
    JsonArray(Contents),
    /// A Parquet file.
    Parquet(parquet::File),
}

/// The rows of one pass.
type Rows<'a> = Box<dyn Iterator<Item = Result<Cow<'a, Row>, Error>> + 'a>;

impl Source {
    fn rows(&self) -> Result<Rows<'_>, Error> {
        Ok(match self {
            Self::Rows(rows) => Box::new(rows.iter().map(|row| Ok(Cow::Borrowed(row)))),
            Self::Delimited(file) => Box::new(file.rows()?.map(|row| row.map(Cow::Owned))),
            Self::JsonLines(file) => Box::new(json::lines(file)?.map(|row| row.map(Cow::Owned))),
            Self::Parquet(file) => Box::new(file.rows()?.map(|row| row.map(Cow::Owned))),
            Self::JsonArray(file) => Box::new(Elements::of(file)?.map(|row| row.map(Cow::Owned))),
        })
    }
}

/// What the user says about a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// The scale of the scores.
    pub range: Option<ScoreRange>,
    /// The columns by names of the user's choice.
    pub columns: &'a [Renamed],
    /// The data that this file is evaluated for: its scale is taken where a file names no columns.
    pub training: Option<&'a Dataset>,
    /// Where texts go that are too large for memory.
    pub spill: Option<Spill<'a>>,
}

impl Table {
    /// Rows of any columns.
    pub fn of(source: Source, named: bool) -> Result<Self, Error> {
        let mut table = Self {
            names: Vec::new(),
            first: None,
            count: 0,
            titled: BTreeSet::new(),
            kinds: BTreeMap::new(),
            class_names: BTreeMap::new(),
            named,
            listed: false,
            sources: Vec::new(),
        };
        let mut names = BTreeSet::new();
        for row in source.rows()? {
            let row = row?;
            for (name, cell) in &row.cells {
                if !names.contains(name) {
                    names.insert(name.clone());
                }
                if cell::has_title(cell) && !table.titled.contains(name) {
                    table.titled.insert(name.clone());
                }
                match table.kinds.get_mut(name) {
                    Some(kinds) => kinds.count(cell),
                    None => {
                        table.kinds.entry(name.clone()).or_default().count(cell);
                    }
                }
            }
            table.count += 1;
            table.first.get_or_insert_with(|| row.into_owned());
        }
        table.names = names.into_iter().collect();
        table.sources.push(source);
        Ok(table)
    }

    /// The rows, in their order.
    pub fn rows(&self) -> Rows<'_> {
        let failed = |error| -> Rows { Box::new(std::iter::once(Err(error))) };
        Box::new(self.sources.iter().flat_map(move |file| file.rows().unwrap_or_else(failed)))
    }

    /// The error of the table as a whole, at its first row.
    fn error(&self, reason: String) -> Error {
        match &self.first {
            Some(row) => row.error(reason),
            None => Error::read(Path::new("the table"), reason),
        }
    }

    /// Adds the rows of another file, whose columns must be the same; `first` and `file` are for messages.
    pub fn append(&mut self, other: Self, [first, file]: [&Path; 2]) -> Result<(), Error> {
        let first = first.display();
        let lacks = missing("lacks", &self.names, &other.names);
        let has = missing("has", &other.names, &self.names);
        let words: Vec<_> = lacks.into_iter().chain(has).collect();
        let reason = match (self.named, other.named) {
            (true, false) => {
                format!("{first} names its columns in a header, this file does not: add it")
            }
            (false, true) => {
                format!("it names its columns in a header, {first} does not: add it there")
            }
            _ if let Some(column) = self.classes_named_otherwise(&other) => format!(
                "the classes of its `{column}` have other names than those of {first}: read each file by itself, or \
                 write both with the same names"
            ),
            _ if self.names == other.names => {
                self.sources.extend(other.sources);
                self.titled.extend(other.titled);
                for (name, kinds) in other.kinds {
                    self.kinds.entry(name).or_default().add(kinds);
                }
                self.class_names.extend(other.class_names);
                self.count += other.count;
                return Ok(());
            }
            _ => format!("its columns are not those of {first}: it {}", words.join(" and ")),
        };
        Err(Error::read(file, reason))
    }

    /// A column whose numbers mean other classes in another file.
    fn classes_named_otherwise(&self, other: &Self) -> Option<&str> {
        let differ = |column: &String, names: &Vec<String>| {
            other.class_names.get(column).is_some_and(|others| others != names)
        };
        let mut columns = self.class_names.iter();
        columns.find(|(column, names)| differ(column, names)).map(|(column, _)| &column[..])
    }

    /// The rows as examples are made of them.
    pub fn interpret(self, hints: Hints, texts: &mut Collector) -> Result<Dataset, Error> {
        if self.count == 0 {
            return Ok(Dataset::default());
        }
        let columns = Columns::of(&self, hints.columns)?;
        columns.check(&self, hints.columns)?;
        self.check_lists(&columns)?;
        rows::interpret(&self, &columns, hints, texts)
    }

    fn has_written_lists(&self, column: &str) -> bool {
        self.kinds.get(column).is_some_and(|kinds| kinds.some && kinds.lists)
    }

    fn has_written_bytes(&self, column: &str) -> bool {
        self.kinds.get(column).is_some_and(|kinds| kinds.some && kinds.bytes)
    }

    /// Whether a column has a verdict or a decimal number in every row: most likely the score of the row.
    fn may_be_scores(&self, column: &str) -> bool {
        let scores = |kinds: &Kinds| kinds.some && kinds.numbers && (kinds.decimal || kinds.binary);
        self.kinds.get(column).is_some_and(scores)
    }

    /// Refuses lists and bytes that some program has written as texts: quotes would be part of these.
    fn check_lists(&self, columns: &Columns) -> Result<(), Error> {
        if let Some(column) = columns.read().find(|column| self.has_written_bytes(column)) {
            return Err(self.error(format!(
                "the column `{column}` has bytes that Python wrote as texts, b'...': decode them, and save the table again"
            )));
        }
        match columns.read().find(|column| self.has_written_lists(column)) {
            None => Ok(()),
            Some(column) => Err(self.error(format!(
                "the column `{column}` has lists that were written as texts: save the table as JSON Lines or Parquet, \
                 which keep lists, or give each of their values a column or a row of its own"
            ))),
        }
    }
}

/// What the cells of a column that are not empty have in common.
#[derive(Debug, Clone, Copy)]
struct Kinds {
    /// Whether there are any.
    some: bool,
    /// Whether all are lists that were written as texts.
    lists: bool,
    /// Whether all are bytes that were written as texts.
    bytes: bool,
    /// Whether all are numbers.
    numbers: bool,
    /// Whether some number has decimals.
    decimal: bool,
    /// Whether all are 0 or 1.
    binary: bool,
}

impl Default for Kinds {
    fn default() -> Self {
        Self { some: false, lists: true, bytes: true, numbers: true, decimal: false, binary: true }
    }
}

impl Kinds {
    fn count(&mut self, cell: &Value) {
        if cell::is_empty(cell) {
            return;
        }
        let number = cell::number(cell);
        self.add(Self {
            some: true,
            lists: cell::is_written_list(cell),
            bytes: cell::is_written_bytes(cell),
            numbers: number.is_some(),
            decimal: cell::is_decimal(cell),
            binary: number.is_some_and(|number| number == 0.0 || number == 1.0),
        });
    }

    fn add(&mut self, other: Self) {
        self.some |= other.some;
        self.lists &= other.lists;
        self.bytes &= other.bytes;
        self.numbers &= other.numbers;
        self.decimal |= other.decimal;
        self.binary &= other.binary;
    }
}

/// The names that are missing in others, which are sorted, in words.
fn missing(verb: &str, names: &[String], others: &[String]) -> Option<String> {
    let missing = names.iter().filter(|name| others.binary_search(name).is_err());
    let missing: Vec<_> = missing.map(|name| format!("`{name}`")).collect();
    (!missing.is_empty()).then(|| format!("{verb} {}", missing.join(", ")))
}
