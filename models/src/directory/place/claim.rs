//! The right to write a place, which one process has at a time.

use std::fmt::Display;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::lock::{self, Lock};
use super::settle::{settle, usual_permissions};
use super::{rehearse, swap};
use crate::error::Error;

/// A place that this process alone writes, until the claim is dropped.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    /// The directories above the place that were not there before, the innermost first.
    made: Vec<PathBuf>,
    lock: Option<Lock>,
    /// The directory itself, locked, if it was there already.
    directory: Option<File>,
}

/// The bytes of a block of most file systems.
const ROOM: usize = 4096;

/// Why a place is not filled.
enum Unfilled<E> {
    /// The contents could not be written.
    Incomplete(E),
    /// The contents are written beside the place, and the disk does not confirm that it has them.
    Unconfirmed(E),
    /// The contents are complete beside the place, and did not get there.
    Complete(E),
}

/// The contents of a place while they are written.
struct Begun {
    partial: PathBuf,
    permissions: Option<Permissions>,
    /// On a disk that the contents fill there is still room for the files that the exchange needs.
    room: File,
}

impl Claim {
    /// Claims the place at `path`, finishes what a killed process began there, and tries to write.
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::write(path, error);
        let mut claim =
            Self { path: path.to_path_buf(), made: Vec::new(), lock: None, directory: None };
        claim.make_parents().map_err(failed)?;
        claim.lock = Lock::take(swap::lock(path), path)?;
        claim.directory = lock::directory(path)?;
        swap::recover(path).map_err(failed)?;
        if claim.directory.is_none() {
            claim.directory = lock::directory(path)?;
        }
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
        match swap::is_written_inside(&self.path) {
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
        self.replace_with_extras(contents, |_| (), may_go)
    }

    /// The same with `extras`, files that may be missing. They are written once the contents are on the disk,
    /// and cannot take their room.
    ///
    /// # Errors
    ///
    /// Those of [`replace`](Self::replace).
    pub fn replace_with_extras<E: From<Error> + Display>(
        &self,
        contents: impl FnOnce(&Path) -> Result<(), E>,
        extras: impl FnOnce(&Path),
        may_go: impl Fn(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        self.fill(contents, extras, may_go).map_err(|unfilled| match unfilled {
            Unfilled::Incomplete(error) => error,
            Unfilled::Unconfirmed(error) => {
                Error::Unconfirmed { reason: error.to_string(), place: self.keep() }.into()
            }
            Unfilled::Complete(error) => self.kept(error.to_string()).into(),
        })
    }

    /// Fills the place as [`replace`](Self::replace) does. If that fails, what was written is removed: the
    /// former directory is worth as much.
    ///
    /// # Errors
    ///
    /// Those of [`replace`](Self::replace).
    pub fn update<E: From<Error> + Display>(
        &self,
        contents: impl FnOnce(&Path) -> Result<(), E>,
        may_go: impl Fn(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        self.fill(contents, |_| (), may_go).map_err(|unfilled| match unfilled {
            Unfilled::Incomplete(error) => error,
            // The former one has gone already.
            Unfilled::Complete(error) if swap::is_unfinished(&self.path) => {
                self.kept(error.to_string()).into()
            }
            Unfilled::Unconfirmed(error) | Unfilled::Complete(error) => {
                let _ = fs::remove_dir_all(self.partial());
                error
            }
        })
    }

    fn fill<E: From<Error>>(
        &self,
        contents: impl FnOnce(&Path) -> Result<(), E>,
        extras: impl FnOnce(&Path),
        may_go: impl Fn(&Path) -> Result<(), E>,
    ) -> Result<(), Unfilled<E>> {
        let begun = self.begin().map_err(|error| Error::write(&self.path, error).into());
        let written = begun.and_then(|begun| contents(&begun.partial).map(|()| begun));
        let begun = written.map_err(|error| {
            // The error that is reported is the one that stopped the writing.
            let _ = fs::remove_dir_all(self.partial());
            Unfilled::Incomplete(error)
        })?;
        let Begun { partial, permissions, room } = begun;
        let settle = || settle(&partial, permissions.as_ref());
        let settled = settle().and_then(|()| {
            extras(&partial);
            settle()
        });
        let failed = |error| Error::write(&self.path, error).into();
        settled.map_err(|error| Unfilled::Unconfirmed(failed(error)))?;
        drop(room);
        self.put(&partial, may_go).map_err(Unfilled::Complete)
    }

    fn begin(&self) -> io::Result<Begun> {
        let partial = self.partial();
        fs::create_dir_all(&partial)?;
        let permissions = usual_permissions(&partial);
        let room = reserve(&partial)?;
        Ok(Begun { partial, permissions, room })
    }

    fn put<E: From<Error>>(
        &self,
        partial: &Path,
        may_go: impl Fn(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.path.exists() {
            may_go(&self.path)?;
        }
        let former = swap::put(partial, &self.path);
        if let Some(former) = former.map_err(|error| Error::write(&self.path, error))? {
            let _ = fs::remove_dir_all(former);
        }
        Ok(())
    }

    /// What to say of contents that did not get to their place.
    fn kept(&self, reason: String) -> Error {
        match swap::is_unfinished(&self.path) {
            true => Error::Unfinished { reason, rest: self.partial() },
            false => Error::Kept { reason, place: self.keep() },
        }
    }

    /// Gives what was written a name that stays.
    fn keep(&self) -> PathBuf {
        let partial = self.partial();
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let names = (1..).map(|number| match number {
            1 => format!("{name}.saved"),
            _ => format!("{name}.saved-{number}"),
        });
        // Inside the place, if the partial one is: nothing can be moved out of it.
        let mut free = names.map(|name| partial.with_file_name(name)).filter(|it| !it.exists());
        let place = free.next().unwrap_or_else(|| partial.clone());
        let moved = fs::rename(&partial, &place).or_else(|_| swap::move_into(&partial, &place));
        if moved.is_ok() { place } else { partial }
    }

    fn make_parents(&mut self) -> io::Result<()> {
        let missing = |parent: &&Path| !parent.as_os_str().is_empty() && !parent.exists();
        let parents: Vec<_> = self.path.ancestors().skip(1).take_while(missing).collect();
        for parent in parents.into_iter().rev() {
            // Of several processes that start at once each makes some.
            match fs::create_dir(parent) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made?,
            }
            self.made.insert(0, parent.to_path_buf());
        }
        Ok(())
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
        match fs::remove_dir_all(swap::gone(&self.path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
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
        self.lock.take();
        // Those that hold something stay.
        for parent in &self.made {
            let _ = fs::remove_dir(parent);
        }
    }
}
