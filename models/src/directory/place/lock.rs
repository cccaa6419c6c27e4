//! Locks, which say that a process writes a place. The system unlocks them when the process ends, however it
//! ends.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A locked file with the number of the process. It is removed when this is dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    // Unlocked after the file is removed.
    file: File,
}

impl Lock {
    /// Locks the file at `path` for the writer of `place`; `None` if the file system has no locks.
    pub fn take(path: PathBuf, place: &Path) -> Result<Option<Self>, Error> {
        let failed = |error: io::Error| Error::write(place, error);
        if fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            let reason =
                format!("{} is in the way, and no file of this program: remove it", path.display());
            return Err(Error::write(place, reason));
        }
        loop {
            let mut open = File::options();
            let file = open.read(true).write(true).create(true).truncate(false).open(&path);
            let file = file.map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(taken(place, &owner(&path))),
                // Not every file system has locks.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(None);
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // The former owner may have removed the file after it was opened here.
            if same_file(&file, &path) {
                let lock = Self { path, file };
                return lock.sign().map(|()| Some(lock)).map_err(failed);
            }
        }
    }

    /// Writes the number of this process, for the messages of others.
    fn sign(&self) -> io::Result<()> {
        self.file.set_len(0)?;
        writeln!(&self.file, "{}", std::process::id())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Locks the directory `place` itself, where that is possible. A process that reaches it by another path, as
/// through a second mount, has another file for its lock.
pub fn directory(place: &Path) -> Result<Option<File>, Error> {
    let Ok(directory) = File::open(place) else { return Ok(None) };
    match directory.try_lock() {
        Ok(()) => Ok(Some(directory)),
        Err(TryLockError::WouldBlock) => Err(taken(place, "another process")),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

fn owner(lock: &Path) -> String {
    let owner = fs::read_to_string(lock).unwrap_or_default();
    let owner = owner.trim().parse::<u32>();
    owner.map_or("another process".to_string(), |id| format!("process {id}"))
}

fn taken(place: &Path, owner: &str) -> Error {
    let reason = format!("{owner} is writing it; wait until it ends, or choose another place");
    Error::write(place, reason)
}

#[cfg(unix)]
fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(here), Ok(there)) => identity(here) == identity(there),
        _ => false,
    }
}

/// An open file cannot be removed here.
#[cfg(not(unix))]
fn same_file(_file: &File, path: &Path) -> bool {
    path.exists()
}
