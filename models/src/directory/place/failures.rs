//! Faults of the disk after the contents are written: what was trained stays.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::settle::FAULTY;
use super::{Claim, Place, names};
use crate::error::Error;

fn claim(path: &Path) -> Claim {
    Place::new(path).unwrap().claim().unwrap()
}

fn weights(directory: &Path, contents: &str) -> Result<(), Error> {
    fs::write(directory.join("weights"), contents).map_err(|error| Error::write(directory, error))
}

fn may_go(_: &Path) -> Result<(), Error> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn immutable(file: &Path, how: &str) -> bool {
    let mut command = Command::new("chattr");
    command.arg(how).arg(file).output().is_ok_and(|output| output.status.success())
}

/// The mode of an immutable file cannot be changed, as no mode can on some file systems.
#[cfg(target_os = "linux")]
#[test]
fn a_file_whose_mode_cannot_be_changed_loses_no_model() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("model");
    let mut fixed = false;
    let contents = |directory: &Path| {
        weights(directory, "new")?;
        fs::write(directory.join("fixed"), "").unwrap();
        fixed = immutable(&directory.join("fixed"), "+i");
        Ok::<(), Error>(())
    };
    let outcome = claim(&path).replace(contents, may_go);
    if fixed {
        let left = [&path, &parent.path().join(format!(".model.partial-{}", std::process::id()))];
        assert!(left.iter().any(|it| immutable(&it.join("fixed"), "-i")));
    } else {
        eprintln!("skipped: no file can be made immutable here");
    }
    outcome.unwrap();
    assert_eq!(fs::read_to_string(path.join("weights")).unwrap(), "new");
    assert_eq!(names(parent.path()).unwrap(), ["model"]);
}

/// A link to nothing stands for a file that the disk does not take.
#[cfg(unix)]
fn with_fault(directory: &Path) -> Result<(), Error> {
    std::os::unix::fs::symlink("nothing", directory.join("fault")).unwrap();
    weights(directory, "new")
}

#[cfg(unix)]
#[test]
fn what_the_disk_does_not_confirm_is_kept_beside_the_former_one() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("model");
    claim(&path).replace(|it| weights(it, "former"), may_go).unwrap();
    let error = claim(&path).replace(with_fault, may_go).unwrap_err().to_string();
    let end = "(os error 2); it is in MODEL.saved, but the disk may not hold all of it";
    assert!(error.ends_with(&end.replace("MODEL", path.to_str().unwrap())), "{error}");
    let read = |name: &str| fs::read_to_string(parent.path().join(name).join("weights")).unwrap();
    assert_eq!((read("model"), read("model.saved")), ("former".to_string(), "new".to_string()));
    assert_eq!(names(parent.path()).unwrap(), ["model", "model.saved"]);
}

/// The names are exchanged, and the disk does not confirm it: they are exchanged back.
#[cfg(unix)]
#[test]
fn what_the_disk_refuses_at_the_end_is_undone() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("model");
    let read = |name: &str| fs::read_to_string(parent.path().join(name).join("weights")).unwrap();
    for (former, left) in
        [(None, vec!["model.saved"]), (Some("former"), vec!["model", "model.saved"])]
    {
        if let Some(former) = former {
            claim(&path).replace(|it| weights(it, former), may_go).unwrap();
        }
        let claim = claim(&path);
        FAULTY.set(Some(parent.path().to_path_buf()));
        let error = claim.replace(|it| weights(it, "new"), may_go).unwrap_err().to_string();
        FAULTY.set(None);
        drop(claim);
        assert!(error.contains("the disk is faulty; it is saved in "), "{error}");
        assert_eq!(names(parent.path()).unwrap(), left);
        assert_eq!(read("model.saved"), "new");
        if let Some(former) = former {
            assert_eq!(read("model"), former);
        }
        fs::remove_dir_all(parent.path().join("model.saved")).unwrap();
    }
}

/// The name goes first: nobody takes what is left for the whole.
#[cfg(target_os = "linux")]
#[test]
fn what_is_removed_only_in_part_is_not_found() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("model");
    claim(&path).replace(|it| weights(it, "former"), may_go).unwrap();
    let [fixed, gone] = [&path, &parent.path().join(".model.gone")].map(|it| it.join("fixed"));
    fs::write(&fixed, "").unwrap();
    if !immutable(&fixed, "+i") {
        eprintln!("skipped: no file can be made immutable here");
        return;
    }
    let outcome = Place::new(&path).unwrap().remove();
    let left = names(parent.path()).unwrap();
    assert!([gone, fixed].iter().any(|file| immutable(file, "-i")));
    assert!(outcome.is_err());
    assert_eq!(left, [".model.gone"]);
    drop(claim(&path));
    assert!(names(parent.path()).unwrap().is_empty(), "the next claim removes the rest");
}
