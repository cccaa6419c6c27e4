//! The directory of a trained encoder.

use std::fs;
use std::path::{Path, PathBuf};

use burn::config::Config;
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{Device, Tensor};
use burn_embedding_models::Tokenizer;
use burn_embedding_models::directory::{self, Claim, Directory, ModuleKind, Place};
use burn_embedding_models::sentence_transformer::file_names;
use serde_json::Value;

use super::encoder::{Encoder, EncoderConfig};
use crate::error::Error;
use crate::report::card::CARD;
use crate::report::{ReportFile, SUMMARY, output, pictures};

const WEIGHTS: &str = "model.bpk";
const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
/// Files of which every encoder has one.
const WITNESSES: [&str; 3] = [SUMMARY, directory::MODULES, WEIGHTS];
const FILES: [&str; 4] = [WEIGHTS, CONFIG, TOKENIZER, SUMMARY];

/// A place that an encoder can be saved to, checked before training starts.
#[derive(Debug)]
pub struct Destination {
    claim: Claim,
    option: &'static str,
    path: PathBuf,
    force: bool,
}

impl Destination {
    /// Checks that `path`, the value of `option`, is free, or may be replaced, and can be written.
    pub fn check(path: &Path, option: &'static str, force: bool) -> Result<Self, Error> {
        let place = Place::new(path)?;
        // A file in the way is told apart from a place that cannot be written.
        may_be_taken(place.path(), option, force)?;
        let claim = place.claim()?;
        // What a killed run began is finished now.
        may_be_taken(place.path(), option, force)?;
        Ok(Self { claim, option, path: path.to_path_buf(), force })
    }

    /// Fills the directory with the weights that `weights` writes into it, and with `report`. If the
    /// weights cannot be written, the directory stays as it was.
    ///
    /// # Errors
    ///
    /// [`Error::Incomplete`] if the model is in its place, and a file of the report is not, or the run could
    /// not write something else, as `unwritten` says.
    pub fn save(
        &self,
        weights: impl FnOnce(&Path) -> Result<(), Error>,
        report: &[ReportFile],
        unwritten: &[String],
    ) -> Result<(), Error> {
        let mut missing = unwritten.to_vec();
        let report = |directory: &Path| {
            missing.extend(report.iter().filter_map(|file| self.write_report(directory, file)));
        };
        // The directory may hold something else since the run began.
        let may_go = |former: &Path| may_be_taken(former, self.option, self.force);
        self.claim.replace_with_extras(weights, report, may_go)?;
        self.complete(missing)
    }

    /// Why a file of the report is not there, if it is not.
    fn write_report(&self, directory: &Path, (name, contents): &ReportFile) -> Option<String> {
        let failed = output::write_or_remove(&directory.join(name), contents.as_bytes()).err();
        failed.map(|error| Error::output(&self.path.join(name), error).to_string())
    }

    /// Says that the model is saved, and something else is not.
    pub fn complete(&self, missing: Vec<String>) -> Result<(), Error> {
        match missing.is_empty() {
            true => Ok(()),
            false => Err(Error::Incomplete { model: self.path.clone(), missing }),
        }
    }
}

fn may_be_taken(path: &Path, option: &str, force: bool) -> Result<(), Error> {
    let failed = |reason: &str| Err(Error::output(path, reason));
    if fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    if !path.is_dir() {
        return failed(&format!("it exists and is not a directory; choose another {option}"));
    }
    let mut names = directory::names(path)?;
    names.retain(|name| !directory::of_a_place(name));
    let foreign = names.iter().find_map(|name| foreign(&path.join(name), name));
    let trained = WITNESSES.iter().any(|name| is_of_training(&path.join(name), name));
    match foreign {
        Some(name) => failed(&format!(
            "the directory holds `{name}`, which no trained encoder has; choose another {option}"
        )),
        None if !names.is_empty() && !trained => failed(&format!(
            "it holds no trained encoder, which would have {}; choose another {option}",
            WITNESSES.join(" or ")
        )),
        None if names.is_empty() || force => Ok(()),
        None => failed(&format!(
            "it holds an encoder; say --force to replace it, or choose another {option}"
        )),
    }
}

/// Whether a file is of a trained encoder. What any program may call by the name of the summary is looked into.
fn is_of_training(path: &Path, name: &str) -> bool {
    let summarises = || {
        let fields: Option<Value> =
            fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        fields
            .is_some_and(|it| ["loss", "before", "after"].iter().all(|name| it.get(name).is_some()))
    };
    path.is_file() && (name != SUMMARY || summarises())
}

/// What is at `path`, called `name`, or in it, if no encoder has such a thing.
fn foreign(path: &Path, name: &str) -> Option<String> {
    if !of_an_encoder(name) {
        return Some(name.to_string());
    }
    // A directory of the name of a file is not looked into.
    let entries = path.is_dir().then(|| directory::names(path).unwrap_or_default())?;
    let known = |entry: &&String| match name == pictures::DIRECTORY {
        true => *entry == pictures::FILE,
        false => file_names().any(|file| file == *entry),
    };
    let foreign = entries.iter().find(|entry| !known(entry) || path.join(entry).is_dir())?;
    Some(format!("{name}/{foreign}"))
}

/// Whether a directory of an encoder may hold a file or directory of this name.
fn of_an_encoder(name: &str) -> bool {
    // A module's directory is called `PLACE_KIND`, or `ROUTE_PLACE_KIND` in a model with routes.
    let (place, kind) = name.rsplit_once('_').unwrap_or_default();
    let numbered = place.ends_with(|letter: char| letter.is_ascii_digit());
    FILES.contains(&name)
        || name == pictures::DIRECTORY
        || file_names().chain([CARD]).any(|file| file == name)
        || (numbered && ModuleKind::names().any(|known| known == kind))
}

/// Writes the small encoder into a directory that exists.
pub fn write_encoder(
    directory: &Path,
    encoder: &Encoder,
    config: &EncoderConfig,
    tokenizer: &Tokenizer,
) -> Result<(), Error> {
    let weights = directory.join(WEIGHTS);
    let record = encoder.valid().map(&mut Numbered::default()).into_record();
    record.save(&weights).map_err(|error| Error::output(&weights, error))?;
    let shape = directory.join(CONFIG);
    config.save(&shape).map_err(|error| Error::output(&shape, error))?;
    Ok(tokenizer.save(&directory.join(TOKENIZER))?)
}

/// Numbers the parameters in order. Their own ids are random, and equal runs are to give equal files.
#[derive(Default)]
struct Numbered {
    parameters: u64,
}

impl ModuleMapper for Numbered {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.parameters += 1;
        let (_, value, mapper) = param.consume();
        Param::from_mapped_value(ParamId::from(self.parameters), value, mapper)
    }
}

/// Whether a directory holds an encoder that was trained from scratch.
pub fn is_small_encoder(path: &Path) -> bool {
    path.join(WEIGHTS).is_file()
}

/// Reads an encoder that [`Destination::save`] wrote.
pub fn load(path: &Path, device: &Device) -> Result<(Encoder, Tokenizer), Error> {
    let file = path.join(CONFIG);
    let failed = |reason: String| Error::read(&file, reason);
    let directory = Directory::open(path)?;
    let bytes = directory.required(Path::new(CONFIG), directory::CONFIG_LIMIT)?;
    let config: EncoderConfig =
        serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
    config.check().map_err(failed)?;
    let weights = path.join(WEIGHTS);
    // What the file cannot hold is not made room for.
    let size = fs::metadata(&weights).map_err(|error| Error::read(&weights, error))?.len();
    if config.parameters() > u128::from(size) / size_of::<f32>() as u128 {
        let reason = format!("it is smaller than the network that {CONFIG} describes");
        return Err(Error::read(&weights, reason));
    }
    let encoder = config
        .init(device)
        .try_load_file(&weights)
        .map_err(|error| Error::read(&weights, error))?;
    let tokenizer = Tokenizer::load(&path.join(TOKENIZER), config.max_tokens)?;
    Ok((encoder, tokenizer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &Path, force: bool) -> Result<(), String> {
        Destination::check(path, "--out", force).map(|_| ()).map_err(|error| error.to_string())
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
    fn a_file_called_like_the_summary_is_no_witness() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["README.md", "vocab.txt", CONFIG, SUMMARY] {
            fs::write(parent.path().join(name), "{\"loss\": 1}").unwrap();
        }
        assert!(check(parent.path(), true).unwrap_err().contains("it holds no trained encoder"));
        let summary = r#"{"loss": "TripletLoss", "before": {}, "after": {}}"#;
        fs::write(parent.path().join(SUMMARY), summary).unwrap();
        assert_eq!(check(parent.path(), true), Ok(()));
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
