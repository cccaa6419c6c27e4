//! A directory that is complete: readable as the user's other files are, and on the disk.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Gives every file the usual permissions, and waits until all of it is on the disk.
///
/// # Errors
///
/// If a file cannot be written after all: not every file system says so before.
pub fn settle(directory: &Path) -> io::Result<()> {
    let permissions = usual_permissions(directory)?;
    visit(directory, &permissions)
}

fn visit(directory: &Path, permissions: &fs::Permissions) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            visit(&entry.path(), permissions)?;
        } else {
            // Some libraries write to a private file first.
            fs::set_permissions(entry.path(), permissions.clone())?;
            File::open(entry.path())?.sync_all()?;
        }
    }
    sync(directory)
}

/// Waits until the names in a directory are on the disk.
#[cfg(unix)]
pub fn sync(directory: &Path) -> io::Result<()> {
    match File::open(directory)?.sync_all() {
        // Some file systems cannot.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        outcome => outcome,
    }
}

/// Directories cannot be opened here.
#[cfg(not(unix))]
pub fn sync(_directory: &Path) -> io::Result<()> {
    Ok(())
}

fn usual_permissions(directory: &Path) -> io::Result<fs::Permissions> {
    let path = directory.join(".permissions");
    let permissions = File::create(&path)?.metadata()?.permissions();
    fs::remove_file(path)?;
    Ok(permissions)
}
