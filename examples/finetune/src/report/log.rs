//! The log: one line of JSON for each training step.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use burn_embedding_losses::Diagnostics;
use serde::Serialize;

use super::output;
use crate::error::Error;
use crate::run::train::StepStats;

/// A file of JSON lines. It is created with its first line.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    resume: bool,
    out: Option<BufWriter<File>>,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    stats: &'a StepStats,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnostics: Option<&'a Diagnostics>,
}

impl Log {
    /// Starts an empty file, or appends to an existing one.
    pub fn new(path: &Path, resume: bool) -> Result<Self, Error> {
        output::check(path)?;
        Ok(Self { path: path.to_path_buf(), resume, out: None })
    }

    /// One line; `seconds` have passed since the run began.
    pub fn write(
        &mut self,
        stats: &StepStats,
        diagnostics: Option<&Diagnostics>,
        seconds: f64,
    ) -> Result<(), Error> {
        self.append(&Line { stats, seconds, diagnostics })
            .map_err(|error| Error::output(&self.path, error))
    }

    fn append(&mut self, line: &Line) -> io::Result<()> {
        let line = serde_json::to_string(line)?;
        let mut out = match self.out.take() {
            Some(out) => out,
            None => BufWriter::new(self.open()?),
        };
        writeln!(out, "{line}")?;
        out.flush()?;
        self.out = Some(out);
        Ok(())
    }

    fn open(&self) -> io::Result<File> {
        if self.resume {
            return File::options().create(true).append(true).open(&self.path);
        }
        File::create(&self.path)
    }
}
