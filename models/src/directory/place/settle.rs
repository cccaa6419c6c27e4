//! A directory that is complete: readable as the user's other files are, and on the disk.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Gives every file `permissions`, if the file system has any, and waits until all of it is on the disk.
///
/// # Errors
///
/// If a file cannot be written after all: not every file system says so before.
pub fn settle(directory: &Path, permissions: Option<&Permissions>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            settle(&entry.path(), permissions)?;
            continue;
        }
        if let Some(permissions) = permissions {
            // Some libraries write to a private file first. Not every file system can change that.
            let _ = fs::set_permissions(entry.path(), permissions.clone());
        }
        sync_file(&entry.path())?;
    }
    sync(directory)
}

/// The permissions that a new file in `directory` has, if one can be made.
pub fn usual_permissions(directory: &Path) -> Option<Permissions> {
    let path = directory.join(".permissions");
    let permissions = File::create(&path).and_then(|file| file.metadata());
    let _ = fs::remove_file(path);
    Some(permissions.ok()?.permissions())
}

/// Waits until the contents of a file are on the disk.
pub fn sync_file(path: &Path) -> io::Result<()> {
    where_it_can(File::open(path)?.sync_all())
}

#[cfg(test)]
thread_local! {
    /// A directory that the disk fails to write, for this thread.
    pub static FAULTY: std::cell::RefCell<Option<std::path::PathBuf>> = const { std::cell::RefCell::new(None) };
}

/// Waits until the names in a directory are on the disk.
#[cfg(unix)]
pub fn sync(directory: &Path) -> io::Result<()> {
    #[cfg(test)]
    if FAULTY.with_borrow(|faulty| faulty.as_deref() == Some(directory)) {
        return Err(io::Error::other("the disk is faulty"));
    }
    match File::open(directory) {
        // A directory may be written without being read.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        opened => where_it_can(opened?.sync_all()),
    }
}

/// Directories cannot be opened here.
#[cfg(not(unix))]
pub fn sync(_directory: &Path) -> io::Result<()> {
    Ok(())
}

/// Not every file system can wait: one that cannot has refused nothing.
fn where_it_can(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if [ErrorKind::InvalidInput, ErrorKind::Unsupported].contains(&error.kind()) => {
            Ok(())
        }
        outcome => outcome,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_that_cannot_wait_is_no_fault() {
        let [invalid, not_supported, unknown, input_output] = [22, 95, 38, 5];
        let outcome = |code| where_it_can(Err(io::Error::from_raw_os_error(code)));
        assert!(outcome(invalid).is_ok());
        assert!(outcome(input_output).is_err());
        if cfg!(target_os = "linux") {
            assert!(outcome(not_supported).is_ok() && outcome(unknown).is_ok());
        }
    }
}
