//! A complete directory takes the place of a former one, so that a kill at any moment loses neither.
//!
//! Where the system can exchange two directories in one step, it does. Elsewhere the new one is first
//! called `.NAME.saving-next` and the old one `.NAME.saving-former`, so that [`recover`] knows how far it came. A
//! mount point cannot be renamed, nor a directory in one that cannot be written: there the new entries take the
//! place of the old ones inside.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::rehearse;
use super::settle::{sync, sync_file};

/// Files in a directory that is replaced entry by entry: they name the directory with the new entries, before
/// and after the old ones have gone.
const NEXT: &str = ".saved-model.next";
const READY: &str = ".saved-model.ready";

/// The lock of a place that is written inside: it may be mounted at other paths too, and nothing beside it may be
/// writable.
const LOCK: &str = ".saved-model.lock";

/// The directory of a file system for what it repairs; it is no part of what is saved on it.
const LOST_AND_FOUND: &str = "lost+found";

/// What is before the number of the process in the name of a directory that is being written.
pub const PARTIAL: &str = "partial-";

/// Whether a name in a place is there for its file system, or for a process that writes the place.
pub fn of_a_place(name: &str) -> bool {
    let own = [".partial-", ".saved-model."];
    name == LOST_AND_FOUND || own.iter().any(|start| name.starts_with(start))
}

/// The hidden name `.NAME.end` beside `path`.
pub fn beside(path: &Path, end: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{end}"))
}

/// The file that is locked while a process writes the place at `path`.
pub fn lock(path: &Path) -> PathBuf {
    match is_written_inside(path) {
        true => path.join(LOCK),
        false => beside(path, "saving-lock"),
    }
}

/// The name of a directory that is being removed.
pub fn gone(path: &Path) -> PathBuf {
    beside(path, "gone")
}

/// The directory that holds `path`.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Moves the complete directory `new` to `path`. What was there is then at the path that is returned.
pub fn put(new: &Path, path: &Path) -> io::Result<Option<PathBuf>> {
    if fs::symlink_metadata(path).is_err() {
        fs::rename(new, path)?;
        sync_or(path, || fs::rename(path, new))?;
        return Ok(None);
    }
    if is_written_inside(path) {
        return put_inside(new, path);
    }
    match exchange(new, path) {
        Ok(()) => {
            sync_or(path, || exchange(new, path))?;
            Ok(Some(new.to_path_buf()))
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(error),
        // Not every file system can.
        Err(_) => put_by_renaming(new, path),
    }
}

/// Waits until the name `path` is on the disk. If the disk refuses, the former state is brought back.
fn sync_or(path: &Path, undo: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    sync(parent(path)).inspect_err(|_| {
        // The error that is reported is the one of the disk.
        let _ = undo();
    })
}

fn put_by_renaming(new: &Path, path: &Path) -> io::Result<Option<PathBuf>> {
    let (next, former) = (beside(path, "saving-next"), beside(path, "saving-former"));
    match fs::rename(path, &former) {
        // A directory of another layer of the file system stays where it is.
        Err(error) if error.kind() == ErrorKind::CrossesDevices => return put_inside(new, path),
        outcome => outcome?,
    }
    // From here on a killed process leaves no directory at `path`, which `recover` mends.
    let moved = fs::rename(new, &next).and_then(|()| fs::rename(&next, path));
    if let Err(error) = moved {
        fs::rename(&former, path)?;
        if next.exists() {
            fs::rename(&next, new)?;
        }
        return Err(error);
    }
    sync_or(path, || fs::rename(path, new).and_then(|()| fs::rename(&former, path)))?;
    Ok(Some(former))
}

fn put_inside(new: &Path, path: &Path) -> io::Result<Option<PathBuf>> {
    let name = new.file_name().unwrap_or_default().to_string_lossy();
    let next = path.join(NEXT);
    let begun = fs::write(&next, name.as_bytes()).and_then(|()| sync_file(&next));
    if let Err(error) = begun {
        // Nothing has been moved: a file without a name would stop the next run.
        let _ = fs::remove_file(next);
        return Err(error);
    }
    sync(path)?;
    finish_inside(path)?;
    Ok(None)
}

/// Whether a replacement inside `path` has begun and not ended.
pub fn is_unfinished(path: &Path) -> bool {
    [NEXT, READY].iter().any(|name| path.join(name).exists())
}

/// Goes on from wherever a replacement inside `path` stands.
fn finish_inside(path: &Path) -> io::Result<()> {
    let [next, ready] = [NEXT, READY].map(|name| path.join(name));
    if next.exists() {
        let new = named_in(&next, path)?;
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let stays = [&next, &new, &path.join(LOCK)].contains(&&entry.path());
            if !stays && entry.file_name() != LOST_AND_FOUND {
                remove(&entry)?;
            }
        }
        sync(path)?;
        // Only files are moved: not every file system moves directories.
        fs::rename(&next, &ready)?;
    }
    if ready.exists() {
        let new = named_in(&ready, path)?;
        if new.exists() {
            move_into(&new, path)?;
        }
        sync(path)?;
        // If this is lost, the next run does it again.
        fs::remove_file(&ready)?;
    }
    Ok(())
}

/// The directory with the new entries: a partial one in `path` or beside it, and nothing else.
fn named_in(file: &Path, path: &Path) -> io::Result<PathBuf> {
    let name = fs::read_to_string(file)?;
    let (inside, beside) = (path.join(&name), path.with_file_name(&name));
    let partial = name.rsplit_once(PARTIAL).is_some_and(|(start, process)| {
        start.starts_with('.')
            && !process.is_empty()
            && process.bytes().all(|it| it.is_ascii_digit())
    });
    match partial && !name.contains(['/', '\\']) {
        true => Ok(if inside.exists() { inside } else { beside }),
        false => {
            Err(io::Error::other(format!("{} names no directory that was saved", file.display())))
        }
    }
}

/// Moves the contents of a directory into another one, file by file, and removes it.
pub fn move_into(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => move_into(&entry.path(), &target)?,
            false => fs::rename(entry.path(), target)?,
        }
    }
    sync(to)?;
    fs::remove_dir(from)
}

fn remove(entry: &fs::DirEntry) -> io::Result<()> {
    match entry.file_type()?.is_dir() {
        true => fs::remove_dir_all(entry.path()),
        false => fs::remove_file(entry.path()),
    }
}

/// Finishes what a killed process began at `path`.
pub fn recover(path: &Path) -> io::Result<()> {
    rehearse::undo(path)?;
    let (next, former) = (beside(path, "saving-next"), beside(path, "saving-former"));
    if !path.exists() && next.exists() {
        fs::rename(&next, path)?;
    } else if !path.exists() && former.exists() {
        fs::rename(&former, path)?;
    }
    if path.exists() {
        for left in [next, former] {
            if left.exists() {
                fs::remove_dir_all(left)?;
            }
        }
    }
    match is_unfinished(path) {
        true => finish_inside(path),
        false => Ok(()),
    }
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub fn exchange(_one: &Path, _other: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Whether the directory at `path` is replaced entry by entry: it cannot be moved, or nothing beside it can be
/// written.
pub fn is_written_inside(path: &Path) -> bool {
    is_mount_point(path) || (path.is_dir() && is_closed(parent(path)))
}

/// Whether the entries of a directory cannot be changed.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn is_closed(directory: &Path) -> bool {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    let access = accessat(CWD, directory, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS);
    let refusals = [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem];
    access.is_err_and(|error| refusals.contains(&error.kind()))
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn is_closed(_directory: &Path) -> bool {
    false
}

/// Whether another file system begins at `path`.
#[cfg(unix)]
fn is_mount_point(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let another_disk = match (fs::metadata(path), fs::metadata(parent(path))) {
        (Ok(here), Ok(above)) => here.dev() != above.dev(),
        _ => false,
    };
    another_disk || is_mount_root(path)
}

/// Whether a part of the same disk is mounted there, as a container's volume may be.
#[cfg(target_os = "linux")]
fn is_mount_root(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    let stat = statx(CWD, path, AtFlags::empty(), StatxFlags::empty());
    stat.is_ok_and(|stat| stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(all(unix, not(target_os = "linux")))]
fn is_mount_root(_path: &Path) -> bool {
    false
}

#[cfg(not(unix))]
fn is_mount_point(_path: &Path) -> bool {
    false
}
