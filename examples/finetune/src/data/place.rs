//! Where a row comes from.

use std::path::Path;
use std::sync::Arc;

use crate::error::Error;

/// The place of a row, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as the user named it.
    pub file: Arc<Path>,
    /// The line in it, counted from one.
    pub line: usize,
}

impl Place {
    /// A line of a file.
    pub fn new(file: impl Into<Arc<Path>>, line: usize) -> Self {
        Self { file: file.into(), line }
    }

    /// What is wrong with the row.
    pub fn error(&self, reason: impl Into<String>) -> Error {
        Error::row(&self.file, self.line, reason)
    }
}
