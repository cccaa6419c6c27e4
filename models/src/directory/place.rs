//! Directories that are replaced as a whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A directory that is written beside its place, then moved there in one step.
#[derive(Debug, Clone)]
pub struct Place {
    path: PathBuf,
    partial: PathBuf,
}

impl Place {
    /// The place at `path`, which must end in a name.
    pub fn new(path: &Path) -> Result<Self, Error> {
        let Some(name) = path.file_name() else {
            return Err(Error::write(path, "it does not name a directory"));
        };
        let partial = path.with_file_name(format!(".{}.partial", name.to_string_lossy()));
        Ok(Self { path: path.to_path_buf(), partial })
    }

    fn error(&self, reason: impl ToString) -> Error {
        Error::write(&self.path, reason)
    }

    /// Tries to create a directory where this one will be written, so that the caller learns before
    /// the work, not after it, that the place cannot be written.
    pub fn probe(&self) -> Result<(), Error> {
        self.clear().map_err(|error| self.error(error))?;
        let mut missing = self.partial.as_path();
        while let Some(parent) = missing.parent()
            && !parent.as_os_str().is_empty()
            && fs::symlink_metadata(parent).is_err()
        {
            missing = parent;
        }
        fs::create_dir(missing)
            .and_then(|()| fs::remove_dir(missing))
            .map_err(|error| self.error(error))
    }

    /// Fills the directory with what `contents` writes into it. If anything fails, the directory
    /// stays as it was.
    ///
    /// # Errors
    ///
    /// Those of `contents`, and [`Error::Write`] where the directory cannot be written.
    pub fn replace<E: From<Error>>(
        &self,
        contents: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        let written = self.write(contents).and_then(|()| {
            let moved = move_into_place(&self.partial, &self.path);
            moved.map_err(|error| self.error(error).into())
        });
        // After a failure, the error that is reported is the one that stopped the writing. After a
        // success, only the former directory can be left here.
        let _ = self.clear();
        written
    }

    fn write<E: From<Error>>(
        &self,
        contents: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        self.clear()
            .and_then(|()| fs::create_dir_all(&self.partial))
            .map_err(|error| self.error(error))?;
        contents(&self.partial)
    }

    /// Removes what a program that was killed has left.
    fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.partial) {
            Err(error) if self.partial.is_dir() => Err(error),
            _ => Ok(()),
        }
    }
}

/// The sorted names in a directory.
pub fn names(path: &Path) -> Result<Vec<String>, Error> {
    let entries = fs::read_dir(path).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let entries = entries.map_err(|error| Error::write(path, error))?.into_iter();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// Moves a complete directory to its place, where there may be a former one.
///
/// The two change places in one step, so that there is a whole directory at any time; the former
/// one is then at `partial`.
fn move_into_place(partial: &Path, path: &Path) -> io::Result<()> {
    if !path.exists() {
        return fs::rename(partial, path);
    }
    match exchange(partial, path) {
        // Not every file system can; then there is a moment with only the directory aside.
        Err(error) if error.kind() != io::ErrorKind::PermissionDenied => {
            let aside = partial.with_extension("former");
            fs::rename(path, &aside)?;
            if let Err(error) = fs::rename(partial, path) {
                fs::rename(&aside, path)?;
                return Err(error);
            }
            fs::remove_dir_all(aside)
        }
        outcome => outcome,
    }
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn exchange(_one: &Path, _other: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty_file(directory: &Path, name: &str) -> Result<(), Error> {
        fs::write(directory.join(name), "").map_err(|error| Error::write(directory, error))
    }

    #[test]
    fn a_killed_run_leaves_nothing_that_the_next_one_keeps() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("model");
        let place = Place::new(&path).unwrap();
        fs::create_dir(&place.partial).unwrap();
        fs::write(place.partial.join("half"), "written").unwrap();
        place.probe().unwrap();
        place.replace(|directory| empty_file(directory, "new")).unwrap();
        assert_eq!(names(&path).unwrap(), ["new"]);
        assert_eq!(names(parent.path()).unwrap(), ["model"]);
    }

    #[test]
    fn what_cannot_be_completed_leaves_the_former_one() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("model");
        let place = Place::new(&path).unwrap();
        place.replace(|directory| empty_file(directory, "first")).unwrap();
        let failing = place.replace(|directory| {
            empty_file(directory, "second")?;
            Err(Error::Tokenizer("no more".to_string()))
        });
        assert!(failing.is_err());
        assert_eq!(names(&path).unwrap(), ["first"]);
        place.replace(|directory| empty_file(directory, "third")).unwrap();
        assert_eq!(names(&path).unwrap(), ["third"]);
        assert_eq!(names(parent.path()).unwrap(), ["model"]);
    }
}
