//! The errors of the program: the file, the line, the reason and the way out.

use std::path::{Path, PathBuf};

use burn_embedding_losses::BatchError;
use burn_embedding_models::Error as ModelError;

/// Every failure that a user can meet. The program prints it and exits with status 2.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be opened or read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file as the user named it.
        path: PathBuf,
        /// The message of the system, or what is wrong with the contents.
        reason: String,
    },

    /// One row of a data file cannot be used.
    #[error("{}:{line}: {reason}", path.display())]
    Row {
        /// The file as the user named it.
        path: PathBuf,
        /// The line, counted from one.
        line: usize,
        /// The fault, and what was expected.
        reason: String,
    },

    /// A command-line option has a value that cannot be used.
    #[error("{option}: {reason}")]
    Option {
        /// The option, with its dashes.
        option: &'static str,
        /// The fault, and what was expected.
        reason: String,
    },

    /// The data lacks what the loss trains on.
    #[error("{loss} needs {needs}; {data} has {has}. {fits}")]
    DataDoesNotFit {
        /// The Python name of the loss.
        loss: String,
        /// The rows that the loss trains on.
        needs: &'static str,
        /// The data, as messages name it.
        data: String,
        /// The rows that the data has.
        has: String,
        /// The losses that the data would fit.
        fits: String,
    },

    /// The examples give no batch.
    #[error("{data} gives no batch of two examples: too few rows, or all share a text")]
    NoBatches {
        /// The data, as messages name it.
        data: String,
    },

    /// Nothing in the evaluation data can be scored.
    #[error(
        "{data} has nothing to evaluate: it needs scored pairs, triplets or labelled texts; name \
         other data with --eval"
    )]
    NothingToEvaluate {
        /// The data, as messages name it.
        data: String,
    },

    /// The trained encoder cannot be written.
    #[error("cannot write {}: {reason}", path.display())]
    Output {
        /// The output directory.
        path: PathBuf,
        /// The obstacle, and the way out.
        reason: String,
    },

    /// The trained encoder cannot be written, and a checkpoint of its run is there.
    #[error(
        "{reason}; {} has the state of this run after step {step}: make room or mend the fault, then \
         run the same command with --resume",
        checkpoint.display()
    )]
    Unsaved {
        /// Why the encoder cannot be written.
        reason: String,
        /// The directory of the checkpoint.
        checkpoint: PathBuf,
        /// The number of steps before it was written.
        step: usize,
    },

    /// The trained encoder is saved, and something that goes with it is not.
    #[error("the model is saved in {}, but something else is not: {}", model.display(), missing.join("; "))]
    Incomplete {
        /// The output directory.
        model: PathBuf,
        /// For each file the reason.
        missing: Vec<String>,
    },

    /// The loss or the gradient stopped being a number.
    #[error(
        "the {what} is {value} at step {step}: nothing was saved; try a lower --learning-rate \
         (now {learning_rate}) or another --loss-config"
    )]
    Diverged {
        /// The loss or the gradient.
        what: &'static str,
        /// The first such step, counted from one.
        step: usize,
        /// The value.
        value: f64,
        /// The peak learning rate of the run.
        learning_rate: f64,
    },

    /// Training made a good model worthless.
    #[error(
        "training made the model worse: {reason}; nothing was saved; try a lower --learning-rate, or \
         say --keep-worse to save it all the same"
    )]
    Collapsed {
        /// The measure that fell.
        reason: String,
    },

    /// The user killed the run from the dashboard.
    #[error("the run was killed from the dashboard: no encoder was saved")]
    Killed,

    /// A checkpoint does not belong to this run.
    #[error("cannot go on from {}: {reason}", path.display())]
    Checkpoint {
        /// The directory of the checkpoint.
        path: PathBuf,
        /// The difference, and the way out.
        reason: String,
    },

    /// The embeddings cannot be evaluated.
    #[error("the evaluation failed: {reason}; the model, or what it was trained to, is no number")]
    Evaluation {
        /// The fault.
        reason: String,
    },

    /// A model cannot be read, used or written.
    #[error(transparent)]
    Model(ModelError),
}

/// Names the option where one is the way out.
impl From<BatchError> for Error {
    fn from(error: BatchError) -> Self {
        Self::Evaluation { reason: error.to_string() }
    }
}

impl From<ModelError> for Error {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::NoModules { path } => {
                let reason = "No such file; expected a directory that sentence-transformers saved; \
                              a transformer alone needs --pooling mean or cls, a decoder lasttoken";
                Self::read(&path, reason)
            }
            ModelError::OwnPooling { path } => {
                let path = path.display();
                let reason = format!("{path} has a pooling of its own: leave the option out");
                Self::option("--pooling", reason)
            }
            ModelError::Lora(reason) => Self::option("--lora", reason),
            ModelError::UnknownPrompt { .. } => Self::option("--prompt", error.to_string()),
            other => Self::Model(other),
        }
    }
}

impl Error {
    /// A row of `path` that cannot be used.
    pub fn row(path: &Path, line: usize, reason: impl Into<String>) -> Self {
        Self::Row { path: path.to_path_buf(), line, reason: reason.into() }
    }

    /// A file that cannot be read.
    pub fn read(path: &Path, reason: impl ToString) -> Self {
        Self::Read { path: path.to_path_buf(), reason: reason.to_string() }
    }

    /// An output that cannot be written.
    pub fn output(path: &Path, reason: impl ToString) -> Self {
        Self::Output { path: path.to_path_buf(), reason: reason.to_string() }
    }

    /// A checkpoint that this run cannot go on from.
    pub fn checkpoint(path: &Path, reason: impl ToString) -> Self {
        Self::Checkpoint { path: path.to_path_buf(), reason: reason.to_string() }
    }

    /// An option whose value cannot be used.
    pub fn option(option: &'static str, reason: impl Into<String>) -> Self {
        Self::Option { option, reason: reason.into() }
    }
}
