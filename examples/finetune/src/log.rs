//! A line for each training step, for those who want to see more than the progress.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::Error;
use crate::train::Done;

/// A file of JSON lines.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    out: BufWriter<File>,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    done: &'a Done,
    seconds: f64,
}

impl Log {
    /// Starts an empty file, or goes on with one that is there.
    pub fn open(path: &Path, resume: bool) -> Result<Self, Error> {
        let mut options = File::options();
        options.create(true).write(true).append(resume).truncate(!resume);
        let file = options.open(path).map_err(|error| Error::output(path, error))?;
        Ok(Self { path: path.to_path_buf(), out: BufWriter::new(file) })
    }

    /// One line; `seconds` have passed since the run began.
    pub fn write(&mut self, done: &Done, seconds: f64) -> Result<(), Error> {
        let line = serde_json::to_string(&Line { done, seconds }).map_err(std::io::Error::from);
        line.and_then(|line| writeln!(self.out, "{line}"))
            .and_then(|()| self.out.flush())
            .map_err(|error| Error::output(&self.path, error))
    }
}
