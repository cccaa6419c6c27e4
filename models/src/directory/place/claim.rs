//! The right to write a place, which one process has at a time.

use std::fmt::Display;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::settle::settle;
use super::{rehearse, swap};
use crate::error::Error;

/// A place that this process alone writes, until the claim is dropped.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    /// The directories above the place that this claim made, the innermost first.
    made: Vec<PathBuf>,
    lock: Option<Lock>,
}

/// The bytes of a block of most file systems.
const ROOM: usize = 4096;

/// A locked file with the number of the process. The system unlocks it when the process ends, however it
/// ends.
#[derive(Debug)]
struct Lock {
    path: PathBuf,
    // Dropped after the file is removed.
    _file: File,
}

impl Claim {
    /// Claims the place at `path`, finishes what a killed process began there, and tries to write.
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::write(path, error);
        let mut claim = Self { path: path.to_path_buf(), made: Vec::new(), lock: None };
        claim.make_parents().map_err(failed)?;
        claim.lock = claim.lock()?;
        swap::recover(path).map_err(failed)?;
        if claim.lock.is_some() {
            claim.clear_partials().map_err(failed)?;
        }
        let partial = claim.partial();
        fs::create_dir(&partial).and_then(|()| fs::remove_dir(&partial)).map_err(failed)?;
        rehearse::exchange(path).map_err(failed)?;
        Ok(claim)
    }

    /// Where the contents are written first: beside the place, on the same file system.
    fn partial(&self) -> PathBuf {
        let name = format!("{}{}", swap::PARTIAL, std::process::id());
        match swap::is_mount_point(&self.path) {
            true => self.path.join(format!(".{name}")),
            false => swap::beside(&self.path, &name),
        }
    }

    /// Fills the place with what `contents` writes. `may_go` is asked about a former directory: the caller may
    /// have looked at it long ago.
    ///
    /// If anything fails, the place is as it was. What was written completely is then kept beside it, under a
    /// name that the error tells.
    ///
    /// # Errors
    ///
    /// Those of `contents` and `may_go`, and [`Error::Write`] where the directory cannot be written.
    pub fn replace<E: From<Error> + Display>(
        &self,
        contents: impl FnOnce(&Path) -> Result<(), E>,
        may_go: impl Fn(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        let partial = self.partial();
        let written = self.write(&partial, contents);
        if let Err(error) = written {
            // The error that is reported is the one that stopped the writing.
            let _ = fs::remove_dir_all(&partial);
            return Err(error);
        }
        let put = || {
            if self.path.exists() {
                may_go(&self.path).map_err(|error| error.to_string())?;
            }
            let failed = |error| Error::write(&self.path, error).to_string();
            swap::put(&partial, &self.path).map_err(failed)
        };
        match put() {
            Ok(former) => {
                if let Some(former) = former {
                    let _ = fs::remove_dir_all(former);
                }
                Ok(())
            }
            Err(reason) => Err(self.kept(&partial, reason).into()),
        }
    }

    fn write<E: From<Error>>(
        &self,
        partial: &Path,
        contents: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error| Error::write(&self.path, error);
        fs::create_dir_all(partial).map_err(failed)?;
        // On a disk that `contents` fills there is still room for the files that the exchange needs.
        let room = reserve(partial).map_err(failed)?;
        contents(partial)?;
        drop(room);
        settle(partial).map_err(failed)?;
        Ok(())
    }

    /// Gives what was written completely a name that stays.
    fn kept(&self, partial: &Path, reason: String) -> Error {
        if swap::is_unfinished(&self.path) {
            return Error::Unfinished { reason, rest: partial.to_path_buf() };
        }
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let names = (1..).map(|number| match number {
            1 => format!("{name}.saved"),
            _ => format!("{name}.saved-{number}"),
        });
        // Inside a mount point, if the partial one is: nothing can be moved out of it.
        let mut free = names.map(|name| partial.with_file_name(name)).filter(|it| !it.exists());
        let place = free.next().unwrap_or_else(|| partial.to_path_buf());
        let moved = fs::rename(partial, &place).or_else(|_| swap::move_into(partial, &place));
        let place = if moved.is_ok() { place } else { partial.to_path_buf() };
        Error::Kept { reason, place }
    }

    fn make_parents(&mut self) -> io::Result<()> {
        let missing = |parent: &&Path| !parent.as_os_str().is_empty() && !parent.exists();
        let parents: Vec<_> = self.path.ancestors().skip(1).take_while(missing).collect();
        for parent in parents.into_iter().rev() {
            fs::create_dir(parent)?;
            self.made.insert(0, parent.to_path_buf());
        }
        Ok(())
    }

    fn lock(&self) -> Result<Option<Lock>, Error> {
        let path = swap::beside(&self.path, "saving-lock");
        let failed = |error: io::Error| Error::write(&self.path, error);
        if fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            let reason =
                format!("{} is in the way, and no file of this program: remove it", path.display());
            return Err(Error::write(&self.path, reason));
        }
        loop {
            let mut open = File::options();
            let file = open.read(true).write(true).create(true).truncate(false).open(&path);
            let mut file = file.map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(self.taken(&path)),
                // Not every file system has locks.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(None);
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // The former owner may have removed the file after it was opened here.
            if same_file(&file, &path) {
                let written =
                    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
                written.map_err(failed)?;
                return Ok(Some(Lock { path, _file: file }));
            }
        }
    }

    fn taken(&self, lock: &Path) -> Error {
        let owner = fs::read_to_string(lock).unwrap_or_default();
        let owner = owner.trim().parse::<u32>();
        let owner = owner.map_or("another process".to_string(), |id| format!("process {id}"));
        Error::write(
            &self.path,
            format!("{owner} is writing it; wait until it ends, or choose another place"),
        )
    }

    /// Removes what killed processes did not finish. The lock says that no other is at work.
    fn clear_partials(&self) -> io::Result<()> {
        let partial = self.partial();
        let name = partial.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let start = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
        for entry in fs::read_dir(swap::parent(&partial))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let process = name.strip_prefix(start);
            if process.is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_digit())) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

/// A file without a name, which takes up room on the disk of `directory` until it is dropped.
fn reserve(directory: &Path) -> io::Result<File> {
    let path = directory.join(".room");
    let mut file = File::create(&path)?;
    file.write_all(&[1; ROOM])?;
    fs::remove_file(path)?;
    Ok(file)
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(lock) = &self.lock {
            let _ = fs::remove_file(&lock.path);
        }
        // Those that hold something stay.
        for parent in &self.made {
            let _ = fs::remove_dir(parent);
        }
    }
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
