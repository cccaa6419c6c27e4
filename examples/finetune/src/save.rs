//! The directory of a trained encoder: written beside its place, then moved there in one step.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use burn::config::Config;
use burn::module::Module;
use burn::tensor::Device;
use serde_json::Value;

use crate::encoder::{Encoder, EncoderConfig};
use crate::error::Error;
use crate::model::pretrained;
use crate::tokenizer::Tokenizer;

const WEIGHTS: &str = "model.bpk";
const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const SUMMARY: &str = "training.json";
const FILES: [&str; 4] = [WEIGHTS, CONFIG, TOKENIZER, SUMMARY];
/// Directories of a model of sentence-transformers start so, after a number.
const MODULES: [&str; 3] = ["_Transformer", "_Pooling", "_Normalize"];

/// A place that an encoder can be saved to, checked before training starts.
#[derive(Debug)]
pub struct Destination {
    path: PathBuf,
    partial: PathBuf,
}

impl Destination {
    /// Checks that `path` is free, or may be replaced, and can be written.
    pub fn check(path: &Path, force: bool) -> Result<Self, Error> {
        let Some(name) = path.file_name() else {
            return Err(Error::output(path, "it does not name a directory"));
        };
        let partial = format!(".{}.partial-{}", name.to_string_lossy(), std::process::id());
        let destination = Self { path: path.to_path_buf(), partial: path.with_file_name(partial) };
        destination.may_be_taken(force)?;
        destination.probe()?;
        Ok(destination)
    }

    fn error(&self, reason: impl ToString) -> Error {
        Error::output(&self.path, reason)
    }

    fn may_be_taken(&self, force: bool) -> Result<(), Error> {
        if fs::symlink_metadata(&self.path).is_err() {
            return Ok(());
        }
        if !self.path.is_dir() {
            return Err(self.error("it exists and is not a directory; choose another --out"));
        }
        let mut empty = true;
        for entry in fs::read_dir(&self.path).map_err(|error| self.error(error))? {
            let name = entry.map_err(|error| self.error(error))?.file_name();
            let name = name.to_string_lossy();
            if !of_an_encoder(&name) {
                let reason = format!(
                    "the directory holds `{name}`, which no trained encoder has; choose another --out"
                );
                return Err(self.error(reason));
            }
            empty = false;
        }
        if empty || force {
            Ok(())
        } else {
            Err(self
                .error("it holds an encoder; say --force to replace it, or choose another --out"))
        }
    }

    /// Tries to create a directory where the encoder will be written, so that a place that cannot
    /// be written is known before the training and not after it.
    fn probe(&self) -> Result<(), Error> {
        let mut missing = self.partial.as_path();
        while let Some(parent) = missing.parent()
            && !parent.as_os_str().is_empty()
            && fs::symlink_metadata(parent).is_err()
        {
            missing = parent;
        }
        fs::create_dir(missing)
            .and_then(|()| fs::remove_dir(missing))
            .map_err(|error| self.error(error))
    }

    /// Fills the directory with what `contents` writes into it, and with `summary`; what was there
    /// before stays if any of it fails.
    pub fn save(
        &self,
        summary: &Value,
        contents: impl FnOnce(&Path) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let saved = self.write(summary, contents).and_then(|()| {
            move_into_place(&self.partial, &self.path).map_err(|error| self.error(error))
        });
        // After a failure the error that is reported is the one that stopped the saving; after a
        // success what is left here, if anything, is the former directory.
        let _ = fs::remove_dir_all(&self.partial);
        saved
    }

    fn write(
        &self,
        summary: &Value,
        contents: impl FnOnce(&Path) -> Result<(), Error>,
    ) -> Result<(), Error> {
        fs::create_dir_all(&self.partial).map_err(|error| self.error(error))?;
        contents(&self.partial)?;
        fs::write(self.partial.join(SUMMARY), format!("{summary:#}\n"))
            .map_err(|error| self.error(error))
    }
}

/// Whether a directory of an encoder may hold a file or directory of this name.
fn of_an_encoder(name: &str) -> bool {
    let module = name.trim_start_matches(|letter: char| letter.is_ascii_digit());
    FILES.contains(&name)
        || pretrained::file_names().any(|file| file == name)
        || (module != name && MODULES.contains(&module))
}

/// Moves a complete directory to its place, where there may be a former one.
///
/// The two change places in one step, so that there is a whole directory at any time; the former
/// one is then at `partial`.
fn move_into_place(partial: &Path, path: &Path) -> io::Result<()> {
    if !path.exists() {
        return fs::rename(partial, path);
    }
    match exchange(partial, path) {
        // Not every file system can; then there is a moment with only the directory aside.
        Err(error) if error.kind() != io::ErrorKind::PermissionDenied => {
            let aside = partial.with_extension(format!("former-{}", std::process::id()));
            fs::rename(path, &aside)?;
            if let Err(error) = fs::rename(partial, path) {
                fs::rename(&aside, path)?;
                return Err(error);
            }
            fs::remove_dir_all(aside)
        }
        outcome => outcome,
    }
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn exchange(_one: &Path, _other: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Writes the small encoder into a directory that exists.
pub fn write_encoder(
    directory: &Path,
    encoder: &Encoder,
    config: &EncoderConfig,
    tokenizer: &Tokenizer,
) -> Result<(), Error> {
    let weights = directory.join(WEIGHTS);
    let record = encoder.valid().into_record();
    record.save(&weights).map_err(|error| Error::output(&weights, error))?;
    let shape = directory.join(CONFIG);
    config.save(&shape).map_err(|error| Error::output(&shape, error))?;
    tokenizer.save(&directory.join(TOKENIZER))
}

/// Reads an encoder that [`Destination::save`] wrote.
pub fn load(path: &Path, device: &Device) -> Result<(Encoder, EncoderConfig, Tokenizer), Error> {
    let config = path.join(CONFIG);
    let config = EncoderConfig::load(&config).map_err(|error| Error::read(&config, error))?;
    let weights = path.join(WEIGHTS);
    let encoder = config
        .init(device)
        .try_load_file(&weights)
        .map_err(|error| Error::read(&weights, error))?;
    let tokenizer = Tokenizer::load(&path.join(TOKENIZER))?;
    Ok((encoder, config, tokenizer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &Path, force: bool) -> Result<(), String> {
        Destination::check(path, force).map(|_| ()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_new_or_empty_directory_may_be_taken() {
        let parent = tempfile::tempdir().unwrap();
        assert_eq!(check(&parent.path().join("deep/new"), false), Ok(()));
        let empty = parent.path().join("empty");
        fs::create_dir(&empty).unwrap();
        assert_eq!(check(&empty, false), Ok(()));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1, "the probe is gone");
    }

    #[test]
    fn an_encoder_is_replaced_only_by_force() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join(WEIGHTS), "weights").unwrap();
        assert!(check(parent.path(), false).unwrap_err().contains("--force"));
        assert_eq!(check(parent.path(), true), Ok(()));
    }

    #[test]
    fn a_directory_with_other_files_is_never_replaced() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join("letter.txt"), "dear").unwrap();
        for force in [false, true] {
            assert!(check(parent.path(), force).unwrap_err().contains("letter.txt"));
        }
    }

    #[test]
    fn a_file_in_the_way_is_an_error() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(check(&file, true).unwrap_err().contains("not a directory"));
        assert!(check(&file.join("model"), true).is_err());
        assert!(check(Path::new("/"), true).is_err());
    }
}
