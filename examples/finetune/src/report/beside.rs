//! A new file beside the one that it will replace.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// The number of random letters and digits at the end of a name.
const RANDOM: usize = 6;

/// The longest name of a file, in bytes, that a longer one can be made of everywhere.
const LONGEST: usize = 200;

/// A new file in the directory of `path`, locked as long as it is open. Those that killed processes left
/// there are removed.
pub fn create(path: &Path) -> io::Result<NamedTempFile> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let start = start_of_name(path);
    clear(parent, &start);
    let mut builder = tempfile::Builder::new();
    // By default only the owner may read a temporary file; the result is a file like any other.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.prefix(&start).rand_bytes(RANDOM);
    loop {
        let file = builder.tempfile_in(parent)?;
        // Not every file system has locks.
        let taken = matches!(file.as_file().try_lock(), Err(TryLockError::WouldBlock));
        // Before it was locked, another process may have taken it for one that was left.
        if !taken && file.path().exists() {
            return Ok(file);
        }
    }
}

/// `.NAME.partial-`, where there is room for it.
fn start_of_name(path: &Path) -> OsString {
    let mut start = OsString::from(".");
    if let Some(name) = path.file_name().filter(|name| name.len() <= LONGEST) {
        start.push(name);
        start.push(".");
    }
    start.push("partial-");
    start
}

/// Removes the files that no process has locked.
fn clear(parent: &Path, start: &OsStr) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    let random = |name: &OsStr| {
        let end = name.as_encoded_bytes().strip_prefix(start.as_encoded_bytes());
        end.is_some_and(|end| end.len() == RANDOM && end.iter().all(u8::is_ascii_alphanumeric))
    };
    for entry in entries.flatten().filter(|entry| random(&entry.file_name())) {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Ok(file) = File::options().write(true).open(&path)
            && file.try_lock().is_ok()
        {
            // What stays takes up room and does no other harm.
            let _ = fs::remove_file(path);
        }
    }
}
