//! Files that are written as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use super::beside;
use crate::error::Error;

/// A file beside its place, which it takes once it is complete. If it is dropped before, nothing is left of it.
pub struct Partial {
    path: PathBuf,
    writer: BufWriter<Out>,
}

/// Where the bytes go.
enum Out {
    /// A new file.
    Beside(NamedTempFile),
    /// A pipe or a device, which keeps its place.
    Into(File),
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Beside(file) => file.write(bytes),
            Self::Into(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Beside(file) => file.flush(),
            Self::Into(file) => file.flush(),
        }
    }
}

impl Partial {
    /// Begins the file that will be at `path`, or at the place to which a link there leads.
    pub fn begin(path: &Path) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::output(path, error);
        let target = match path.is_symlink() {
            true => path.canonicalize().map_err(failed)?,
            false => path.to_path_buf(),
        };
        let out = match target.exists() && !target.is_file() {
            true => Out::Into(File::options().write(true).open(&target).map_err(failed)?),
            false => Out::Beside(beside::create(&target).map_err(failed)?),
        };
        Ok(Self { path: target, writer: BufWriter::new(out) })
    }

    /// Moves the file to its place.
    pub fn finish(self) -> Result<(), Error> {
        let failed = |error: io::Error| Error::output(&self.path, error);
        match self.writer.into_inner().map_err(|error| failed(error.into_error()))? {
            Out::Into(_) => Ok(()),
            Out::Beside(file) => {
                file.as_file().sync_all().map_err(failed)?;
                file.persist(&self.path).map_err(|error| failed(error.error))?;
                Ok(())
            }
        }
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Writes a file beside its place and moves it there once it is complete.
pub fn write(path: &Path, contents: &[u8]) -> Result<(), Error> {
    let mut file = Partial::begin(path)?;
    file.write_all(contents).map_err(|error| Error::output(path, error))?;
    file.finish()
}

/// Writes a file, in a directory that it makes if need be. A file that does not fit is removed.
pub fn write_or_remove(path: &Path, contents: &[u8]) -> io::Result<()> {
    let write = |parent: &Path| {
        fs::create_dir_all(parent)?;
        let mut file = File::create(path)?;
        file.write_all(contents)?;
        file.sync_all()
    };
    let parent = path.parent().unwrap_or(path);
    let written = write(parent);
    if written.is_err() {
        // The error that is reported is the one that stopped the writing. A directory that holds more stays.
        let _ = fs::remove_file(path).and_then(|()| fs::remove_dir(parent));
    }
    written
}

/// Why something is not written to its end.
pub enum Stopped {
    /// The output cannot be written.
    Output(io::Error),
    /// Anything else.
    Error(Error),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Stopped {
    /// The error of the output `path`.
    fn at(self, path: &Path) -> Error {
        match self {
            Self::Output(error) => Error::output(path, error),
            Self::Error(error) => error,
        }
    }
}

/// Lets `write` fill a file as a whole or not at all, or write to stdout. A reader that went away
/// (`finetune encode | head`) has what it wants.
pub fn fill<T: Default>(
    path: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> Result<T, Stopped>,
) -> Result<T, Error> {
    let Some(path) = path else {
        let mut out = BufWriter::new(io::stdout().lock());
        let written = write(&mut out).and_then(|value| Ok(out.flush().map(|()| value)?));
        return match written {
            Err(Stopped::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                Ok(T::default())
            }
            written => written.map_err(|stopped| stopped.at(Path::new("standard output"))),
        };
    };
    let mut file = Partial::begin(path)?;
    let value = write(&mut file).map_err(|stopped| stopped.at(path))?;
    file.finish()?;
    Ok(value)
}

/// Writes a value as a line of JSON.
pub fn json_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Refuses a path that cannot be written, before any work is done.
pub fn check(path: &Path) -> Result<(), Error> {
    if path.is_dir() || path.file_name().is_none() {
        return Err(Error::output(path, "it is a directory; name a file"));
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    match parent {
        Some(parent) if !parent.is_dir() => {
            Err(Error::output(path, "its directory does not exist"))
        }
        _ => Ok(()),
    }
}

/// Refuses an output that is the input, which would be lost.
pub fn check_apart(output: &Path, input: &Path) -> Result<(), Error> {
    match (output.canonicalize(), input.canonicalize()) {
        (Ok(there), Ok(here)) if there == here => {
            Err(Error::output(output, "it is the input; name another file"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_completed_leaves_the_former_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        write(&path, b"first").unwrap();
        let mut second = Partial::begin(&path).unwrap();
        second.write_all(&[0; 1 << 16]).unwrap();
        drop(second);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_pipes_stay_what_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| directory.path().join(name));
        fs::write(&file, "former").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        write(Path::new("/dev/null"), b"gone").unwrap();
        assert!(!Path::new("/dev/null").is_file());
    }
}
