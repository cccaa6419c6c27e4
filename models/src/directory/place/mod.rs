//! Directories that are replaced as a whole or not at all.

mod claim;
#[cfg(test)]
mod failures;
mod lock;
mod rehearse;
mod settle;
mod swap;

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

pub use claim::Claim;
pub use swap::of_a_place;

use crate::error::Error;

/// A directory that is written beside its place, then moved there in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    path: PathBuf,
}

impl Place {
    /// The place at `path`. A link leads to the place that it points to.
    ///
    /// # Errors
    ///
    /// If the path does not end in a name.
    pub fn new(path: &Path) -> Result<Self, Error> {
        let no_name = || Error::write(path, "it does not name a directory");
        // Without the dots in `model/.`.
        let mut clean: PathBuf =
            path.components().filter(|part| *part != Component::CurDir).collect();
        for _ in 0..LINKS {
            let Ok(target) = fs::read_link(&clean) else { break };
            if rehearse::is_left(&clean) {
                break;
            }
            clean = swap::parent(&clean).join(target);
        }
        match clean.file_name() {
            Some(_) => Ok(Self { path: clean }),
            None => Err(no_name()),
        }
    }

    /// The path, without links at its end.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nothing beside the place is written: it is a mount point, or in a directory that cannot be
    /// written.
    pub fn is_written_inside(&self) -> bool {
        swap::is_written_inside(&self.path)
    }

    /// Claims the place for this process, finishes what a killed process began there, and tries to
    /// write, so that the caller learns before the work, not after it, what is in the way.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] if another process has it, or it cannot be written.
    pub fn claim(&self) -> Result<Claim, Error> {
        Claim::new(&self.path)
    }

    /// Removes the directory in one step: whoever looks finds it whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] if it cannot be removed.
    pub fn remove(&self) -> Result<(), Error> {
        let gone = swap::gone(&self.path);
        let _ = fs::remove_dir_all(&gone);
        fs::rename(&self.path, &gone)
            .and_then(|()| fs::remove_dir_all(gone))
            .map_err(|error| Error::write(&self.path, error))
    }
}

/// The most links that are followed, one after the other.
const LINKS: usize = 40;

/// The sorted names in a directory.
pub fn names(path: &Path) -> Result<Vec<String>, Error> {
    let entries = fs::read_dir(path).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let entries = entries.map_err(|error| Error::write(path, error))?.into_iter();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty_file(directory: &Path, name: &str) -> Result<(), Error> {
        fs::write(directory.join(name), "").map_err(|error| Error::write(directory, error))
    }

    fn may_go(_: &Path) -> Result<(), Error> {
        Ok(())
    }

    fn put(path: &Path, name: &str) -> Result<(), Error> {
        Place::new(path)?.claim()?.replace(|directory| empty_file(directory, name), may_go)
    }

    #[test]
    fn a_killed_run_leaves_nothing_that_the_next_one_keeps() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("model");
        let partial = parent.path().join(".model.partial-123");
        fs::create_dir(&partial).unwrap();
        fs::write(partial.join("half"), "written").unwrap();
        fs::write(parent.path().join(".model.saving-lock"), "123\n").unwrap();
        put(&path, "new").unwrap();
        assert_eq!(names(&path).unwrap(), ["new"]);
        assert_eq!(names(parent.path()).unwrap(), ["model"]);
    }

    #[test]
    fn what_cannot_be_completed_leaves_the_former_one() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("model");
        put(&path, "first").unwrap();
        let claim = Place::new(&path).unwrap().claim().unwrap();
        let failing = |directory: &Path| {
            empty_file(directory, "second")?;
            Err(Error::Tokenizer("no more".to_string()))
        };
        assert!(claim.replace(failing, may_go).is_err());
        drop(claim);
        assert_eq!(names(&path).unwrap(), ["first"]);
        put(&path, "third").unwrap();
        assert_eq!(names(&path).unwrap(), ["third"]);
        assert_eq!(names(parent.path()).unwrap(), ["model"]);
    }

    #[test]
    fn two_claims_of_one_place_are_refused() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("deep/er/model");
        let place = Place::new(&path).unwrap();
        let claim = place.claim().unwrap();
        let error = place.claim().unwrap_err().to_string();
        let owner = format!("process {} is writing it", std::process::id());
        assert!(error.contains(&owner), "{error}");
        drop(claim);
        assert!(names(parent.path()).unwrap().is_empty(), "directories that hold nothing are gone");
        drop(place.claim().unwrap());
    }

    #[test]
    fn what_may_not_go_stays_and_the_new_one_is_kept_beside_it() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("model");
        fs::create_dir(&path).unwrap();
        empty_file(&path, "letter").unwrap();
        let claim = Place::new(&path).unwrap().claim().unwrap();
        let refuse = |path: &Path| Err(Error::write(path, "it holds a letter"));
        for kept in ["model.saved", "model.saved-2"] {
            let error = claim.replace(|it| empty_file(it, "new"), refuse).unwrap_err().to_string();
            assert!(error.contains("it holds a letter; it is saved in"), "{error}");
            assert!(error.ends_with(&format!("{kept} instead")), "{error}");
            assert_eq!(names(&parent.path().join(kept)).unwrap(), ["new"]);
        }
        assert_eq!(names(&path).unwrap(), ["letter"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_rehearsal_changes_nothing_even_if_it_is_killed() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("model");
        put(&path, "first").unwrap();
        let place = Place::new(&path).unwrap();
        drop(place.claim().unwrap());
        assert!(!path.is_symlink());
        assert_eq!(names(parent.path()).unwrap(), ["model"]);

        // Between the two exchanges the model is under another name, and the place leads to it.
        let link = ".model.saving-rehearsal";
        fs::rename(&path, parent.path().join(link)).unwrap();
        std::os::unix::fs::symlink(link, &path).unwrap();
        assert_eq!(names(&path).unwrap(), ["first"]);
        drop(Place::new(&path).unwrap().claim().unwrap());
        assert!(!path.is_symlink());
        assert_eq!(names(&path).unwrap(), ["first"]);
        assert_eq!(names(parent.path()).unwrap(), ["model"]);
    }

    #[test]
    fn a_replacement_that_was_killed_anywhere_is_finished() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("model");
        let place = Place::new(&path).unwrap();
        let [next, former] = [".model.saving-next", ".model.saving-former"];
        let holds = |directory: &str, file: &str| {
            let directory = parent.path().join(directory);
            fs::create_dir_all(&directory).unwrap();
            empty_file(&directory, file).unwrap();
        };
        for (left, expected) in [
            (vec![(former, "old")], "old"),
            (vec![(former, "old"), (next, "new")], "new"),
            (vec![(former, "old"), ("model", "new")], "new"),
        ] {
            for (directory, file) in &left {
                holds(directory, file);
            }
            drop(place.claim().unwrap());
            assert_eq!(names(&path).unwrap(), [expected], "{left:?}");
            assert_eq!(names(parent.path()).unwrap(), ["model"], "{left:?}");
            fs::remove_dir_all(&path).unwrap();
        }
    }

    #[test]
    fn a_replacement_inside_a_place_that_was_killed_anywhere_is_finished() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("model");
        for (marker, partial) in [
            (".saved-model.next", ".model.partial-7"),
            (".saved-model.ready", ".model.partial-7"),
            (".saved-model.next", "model/.partial-7"),
            (".saved-model.ready", "model/.partial-7"),
        ] {
            let new = parent.path().join(partial);
            fs::create_dir_all(new.join("deep")).unwrap();
            fs::create_dir_all(&path).unwrap();
            empty_file(&new.join("deep"), "new").unwrap();
            fs::write(path.join(marker), new.file_name().unwrap().to_str().unwrap()).unwrap();
            let already = if marker.ends_with("next") { "old" } else { "moved" };
            empty_file(&path, already).unwrap();
            drop(Place::new(&path).unwrap().claim().unwrap());
            let expected = if already == "old" { vec!["deep"] } else { vec!["deep", "moved"] };
            assert_eq!(names(&path).unwrap(), expected, "{marker} {partial}");
            assert_eq!(names(&path.join("deep")).unwrap(), ["new"]);
            assert_eq!(names(parent.path()).unwrap(), ["model"]);
            fs::remove_dir_all(&path).unwrap();
        }
    }

    #[test]
    fn a_marker_that_names_another_directory_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("model");
        fs::create_dir(&path).unwrap();
        for name in ["../x", "x", ".partial-", ".x/.partial-7", ".partial-x", ""] {
            fs::write(path.join(".saved-model.next"), name).unwrap();
            let error = Place::new(&path).unwrap().claim().unwrap_err().to_string();
            assert!(error.contains("names no directory that was saved"), "{name}: {error}");
            assert!(path.exists());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_leads_to_the_place_that_is_replaced() {
        let parent = tempfile::tempdir().unwrap();
        let (target, link) = (parent.path().join("disk/model"), parent.path().join("link"));
        std::os::unix::fs::symlink("disk/model", &link).unwrap();
        for name in ["first", "second"] {
            put(&link, name).unwrap();
            assert_eq!(names(&target).unwrap(), [name]);
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        }
        put(&link.join("."), "third").unwrap();
        assert_eq!(names(&target).unwrap(), ["third"]);
    }

    #[cfg(unix)]
    #[test]
    fn files_have_the_usual_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("model");
        let private = |directory: &Path| {
            empty_file(directory, "weights")?;
            let only_mine = fs::Permissions::from_mode(0o600);
            fs::set_permissions(directory.join("weights"), only_mine).unwrap();
            Ok::<(), Error>(())
        };
        Place::new(&path).unwrap().claim().unwrap().replace(private, may_go).unwrap();
        empty_file(parent.path(), "usual").unwrap();
        assert_eq!(mode(&path.join("weights")), mode(&parent.path().join("usual")));
    }
}
