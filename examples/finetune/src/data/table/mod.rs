//! Tables: rows of named columns, from any file, and their meaning.
//!
//! ```text
//! delimited, json   a file as rows of cells
//!   → columns       the meaning of the columns, by their names
//!     → labels      scores on one scale, classes
//!       → rows      pairs, rankings, labelled texts, teacher's embeddings
//! ```

mod cell;
pub mod columns;
pub mod delimited;
pub mod json;
mod labels;
mod rows;
#[cfg(test)]
mod tests;

use std::path::Path;

use serde_json::{Map, Value};

use super::{Dataset, ScoreRange};
use crate::error::Error;
use columns::{Columns, Renamed};

/// A row of cells by the names of their columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The line in the file, counted from one.
    pub line: usize,
    /// The cells; in a file without types, all are texts.
    pub cells: Map<String, Value>,
}

/// The rows of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The rows, in their order.
    pub rows: Vec<Row>,
    /// Whether the file itself names its columns; otherwise they were named by their places.
    pub named: bool,
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
}

impl Table {
    /// The rows as examples are made of them.
    pub fn interpret(self, path: &Path, hints: Hints) -> Result<Dataset, Error> {
        if self.rows.is_empty() {
            return Ok(Dataset::default());
        }
        let columns = Columns::of(path, &self, hints.columns)?;
        rows::interpret(path, &self, &columns, hints)
    }
}
