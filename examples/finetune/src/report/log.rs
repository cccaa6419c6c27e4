//! The log: one line of JSON for each training step.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use burn_embedding_losses::Diagnostics;
use serde::{Deserialize, Serialize};

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

/// What every line of a log has.
#[derive(Deserialize)]
struct Number {
    step: usize,
}

/// By what a line of a log is told from one of another file. A loss that is no number is null.
#[derive(Deserialize)]
#[expect(dead_code, reason = "that the fields are there is all that counts")]
struct Fields {
    step: usize,
    epoch: usize,
    loss: Option<f64>,
    learning_rate: Option<f64>,
    gradient_norm: Option<f64>,
    seconds: f64,
}

/// Whether a file may be a log: it is one, empty, not there, or no file that could hold anything.
fn is_log(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Ok(metadata) if metadata.is_file() => {
            File::open(path)?.take(START).read_to_end(&mut start)?;
        }
        // A terminal or a pipe.
        Ok(_) => return Ok(true),
        Err(error) => return Err(error),
    }
    Ok(match start.iter().position(|byte| *byte == b'\n') {
        Some(end) => serde_json::from_slice::<Fields>(&start[..end]).is_ok(),
        // The only line of a run that was killed at once may be torn.
        None => start.starts_with(BEGINS) || BEGINS.starts_with(&start),
    })
}

/// What every line of a log begins with.
const BEGINS: &[u8] = b"{\"step\":";

/// The longest line of a log, in bytes.
const START: u64 = 1 << 16;

impl Log {
    /// Starts an empty file, or appends to an existing one.
    pub fn new(path: &Path, resume: bool) -> Result<Self, Error> {
        output::check(path)?;
        if !is_log(path).map_err(|error| Error::read(path, error.to_string()))? {
            return Err(Error::output(
                path,
                "it exists and is no log of this program; name another file",
            ));
        }
        Ok(Self { path: path.to_path_buf(), resume, out: None })
    }

    /// Removes the lines after `step`, which will be taken again, and a line that was not finished.
    pub fn go_on_after(&mut self, step: usize) -> Result<(), Error> {
        if self.path.exists() && !self.path.is_file() {
            // A pipe holds nothing to go on after, and reading it would wait.
            return Ok(());
        }
        let failed = |error: io::Error| Error::output(&self.path, error);
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            text => text.map_err(failed)?,
        };
        let taken = |line: &&str| {
            let number = serde_json::from_str::<Number>(line).ok();
            line.ends_with('\n') && number.is_some_and(|line| line.step <= step)
        };
        let kept: String = text.split_inclusive('\n').take_while(taken).collect();
        match kept == text {
            true => Ok(()),
            false => output::write(&self.path, kept.as_bytes()),
        }
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        // Reading it would wait for ever: nobody writes.
        Log::new(&pipe, true).unwrap().go_on_after(3).unwrap();
    }
}
