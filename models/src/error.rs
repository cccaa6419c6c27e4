//! The errors of this crate: the file, the reason and the way out.

use std::path::{Path, PathBuf};

/// Why a model cannot be read, used or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is missing, damaged, or holds something that this crate does not support.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file, below the directory as the caller named it.
        path: PathBuf,
        /// The fault, and what was expected.
        reason: String,
    },

    /// A file or directory cannot be written.
    #[error("cannot write {}: {reason}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        reason: String,
    },

    /// A complete directory could not take its place.
    #[error("{reason}; it is saved in {} instead", place.display())]
    Kept {
        /// What was in the way.
        reason: String,
        /// Where the directory is.
        place: PathBuf,
    },

    /// The system does not confirm that a directory is on the disk.
    #[error("{reason}; it is in {}, but the disk may not hold all of it", place.display())]
    Unconfirmed {
        /// The message of the system.
        reason: String,
        /// Where the directory is.
        place: PathBuf,
    },

    /// A directory that is replaced file by file could not be completed.
    #[error("{reason}; the rest is in {}, and the next run into this place moves it", rest.display())]
    Unfinished {
        /// What was in the way.
        reason: String,
        /// Where the files that were not moved are.
        rest: PathBuf,
    },

    /// The directory has no `modules.json`.
    #[error(
        "cannot read {}: No such file; expected a directory that sentence-transformers saved; a \
         transformer alone needs `OpenOptions::pooling`",
        path.display()
    )]
    NoModules {
        /// Where `modules.json` should be.
        path: PathBuf,
    },

    /// A pooling was asked for, but the directory says how to pool.
    #[error("{} has a pooling of its own: leave `OpenOptions::pooling` out", path.display())]
    OwnPooling {
        /// The directory.
        path: PathBuf,
    },

    /// The model has no prompt of this name.
    #[error("`{name}` is no prompt of the model; it has {}", list(known))]
    UnknownPrompt {
        /// The name that was asked for.
        name: String,
        /// The names of the prompts that the model has.
        known: Vec<String>,
    },

    /// The adapters that were asked for cannot be made, or not be written on their own.
    #[error("LoRA: {0}")]
    Lora(String),

    /// The tokenizer failed on a text.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
}

impl Error {
    /// A file that cannot be read.
    pub(crate) fn read(path: &Path, reason: impl ToString) -> Self {
        Self::Read { path: path.to_path_buf(), reason: reason.to_string() }
    }

    /// A file or directory that cannot be written.
    pub(crate) fn write(path: &Path, reason: impl ToString) -> Self {
        Self::Write { path: path.to_path_buf(), reason: reason.to_string() }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_string() } else { names.join(", ") }
}
