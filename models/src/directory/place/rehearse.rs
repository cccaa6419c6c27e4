//! Tries to move a directory away before the work whose result shall take its place.
//!
//! The directory is exchanged with a link to the place that it then has, and back: whoever looks finds it
//! at every moment.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::swap;

/// Written into a directory that cannot be moved, to see whether its entries can be replaced.
const PROBE: &str = ".saved-model.probe";

fn link(path: &Path) -> PathBuf {
    swap::beside(path, "saving-rehearsal")
}

/// Tries the exchange that a replacement of the directory at `path` will need.
pub fn exchange(path: &Path) -> io::Result<()> {
    if !path.is_dir() || swap::is_written_inside(path) {
        return Ok(());
    }
    let link = link(path);
    if make(&link).is_err() {
        // Not every file system has links.
        return Ok(());
    }
    let tried = swap::exchange(&link, path).and_then(|()| swap::exchange(&link, path));
    if link.is_symlink() {
        fs::remove_file(link)?;
    }
    match tried {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(error),
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {
            let probe = path.join(PROBE);
            fs::write(&probe, "").and_then(|()| fs::remove_file(probe))
        }
        // Not every file system can; there is another way.
        _ => Ok(()),
    }
}

/// Whether a rehearsal at `path` was killed between the two exchanges.
pub fn is_left(path: &Path) -> bool {
    let other = link(path);
    let leads = |target: PathBuf| Some(target.as_os_str()) == other.file_name();
    fs::read_link(path).is_ok_and(leads) && other.is_dir() && !other.is_symlink()
}

/// Ends a rehearsal that was killed.
pub fn undo(path: &Path) -> io::Result<()> {
    let link = link(path);
    if is_left(path) {
        swap::exchange(&link, path)?;
    }
    match link.is_symlink() {
        true => fs::remove_file(link),
        false => Ok(()),
    }
}

/// A link to its own name.
#[cfg(unix)]
fn make(link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(link.file_name().unwrap_or_default(), link)
}

#[cfg(not(unix))]
fn make(_link: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}
