//! Checkpoints: an interrupted run goes on from the last one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn_embedding_models::directory::{self, Place};
use burn_embedding_models::{Error as ModelError, TextEncoder};
use flate2::Crc;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::evaluation::Evaluation;
use super::objective::Trainable;
use super::train::{Best, State};
use crate::error::Error;
use crate::report::pictures::History;

const MODEL: &str = "learner.bpk";
const BEST: &str = "best.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const PROGRESS: &str = "progress.json";
/// The checksum of the file before, which itself has those of the others.
const SUM: &str = "progress.sum";
const FILES: [&str; 5] = [MODEL, BEST, OPTIMIZER, PROGRESS, SUM];

/// The directory beside the output that a run goes on from.
#[derive(Debug)]
pub struct Checkpoints {
    out: PathBuf,
    path: PathBuf,
    place: Place,
    settings: Map<String, Value>,
}

/// The state of a run beside the parameters and the optimizer.
#[derive(Serialize, Deserialize)]
struct Position {
    step: usize,
    before: Evaluation,
    best: Option<(usize, Evaluation)>,
    history: History,
    settings: Map<String, Value>,
    /// The checksum of each file beside this one.
    files: BTreeMap<String, u32>,
}

impl Checkpoints {
    /// The checkpoint of a run that `settings` describe and whose result goes to `out`.
    pub fn beside(out: &Path, settings: Map<String, Value>) -> Result<Self, Error> {
        let name = out.file_name().unwrap_or_default().to_string_lossy();
        let path = out.with_file_name(format!("{name}.checkpoint"));
        let place = Place::new(&path)?;
        Ok(Self { out: out.to_path_buf(), path, place, settings })
    }

    /// Refuses to overwrite the checkpoint of another run unless by force.
    pub fn start(&self, force: bool) -> Result<(), Error> {
        self.recover()?;
        if force || !self.path.exists() {
            return Ok(());
        }
        let reason = "an interrupted run left it: say --resume to go on from it, or --force to \
                      start anew";
        Err(Error::output(&self.path, reason))
    }

    /// Names the way out where the output is written inside, and nothing beside it can be.
    fn no_place(&self, error: ModelError) -> Error {
        let out = &self.out;
        let inside = Place::new(out).is_ok_and(|place| place.is_written_inside());
        match error {
            ModelError::Write { reason, .. } if inside => {
                let model = out.join("model");
                let reason = format!(
                    "{reason}; checkpoints go beside --out: choose a place in this directory, as --out {}",
                    model.display()
                );
                Error::output(&self.path, reason)
            }
            error => error.into(),
        }
    }

    /// Replaces the checkpoint, if it is one, by the state of the run.
    pub fn write<E: TextEncoder, L: Trainable>(&self, state: &State<E, L>) -> Result<(), Error> {
        self.require_checkpoint()?;
        let best = state.best.as_ref().map(|best| (best.step, best.evaluation.clone()));
        let mut position = Position {
            step: state.step,
            before: state.before.clone(),
            best,
            history: state.history.clone(),
            settings: self.settings.clone(),
            files: BTreeMap::new(),
        };
        let write = |directory: &Path| {
            save(&state.model, &directory.join(MODEL))?;
            if let Some(best) = &state.best {
                save(&best.model, &directory.join(BEST))?;
            }
            state.optimizer.save(&directory.join(OPTIMIZER))?;
            for name in directory::names(directory)? {
                position.files.insert(name.clone(), checksum(&directory.join(name))?);
            }
            let path = directory.join(PROGRESS);
            let text = serde_json::to_string_pretty(&position).map_err(std::io::Error::from);
            text.and_then(|text| fs::write(&path, text))
                .map_err(|error| Error::output(&path, error))?;
            let sum = format!("{:08x}\n", checksum(&path)?);
            let path = directory.join(SUM);
            fs::write(&path, sum).map_err(|error| Error::output(&path, error))
        };
        // A second one would only take the model's room.
        self.place.claim()?.update(write, |_| self.require_checkpoint())
    }

    /// Refuses to go on from nothing, or from the checkpoint of another run.
    pub fn check(&self) -> Result<(), Error> {
        self.recover()?;
        self.position().map(|_| ())
    }

    /// Finishes what a killed run began here, so that its state is found, and tries to write.
    fn recover(&self) -> Result<(), Error> {
        self.require_checkpoint()?;
        self.place.claim().map_err(|error| self.no_place(error))?;
        self.require_checkpoint()
    }

    /// `state` as it was when the checkpoint was written.
    pub fn read<E: TextEncoder, L: Trainable>(
        &self,
        mut state: State<E, L>,
    ) -> Result<State<E, L>, Error> {
        let Position { step, before, best, history, files, .. } = self.position()?;
        let file = |name: &str| self.path.join(name);
        for (name, expected) in &files {
            if !FILES.contains(&name.as_str()) || checksum(&file(name))? != *expected {
                return Err(self.damaged(name));
            }
        }
        if let Some((step, evaluation)) = best {
            let model = load(state.model.clone(), &file(BEST))?;
            state.best = Some(Best { model, step, evaluation });
        }
        state.model = load(state.model, &file(MODEL))?;
        state.optimizer = state.optimizer.load(&file(OPTIMIZER), step)?;
        Ok(State { step, before, history, ..state })
    }

    /// The checkpoint of this run and its number of steps, if there is one that the run can go on from.
    pub fn left(&self) -> Option<(PathBuf, usize)> {
        Some((self.path.clone(), self.position().ok()?.step))
    }

    /// Removes the checkpoint of a run that is complete.
    pub fn remove(&self) -> Result<(), Error> {
        if !self.path.exists() {
            return Ok(());
        }
        self.require_checkpoint()?;
        Ok(self.place.remove()?)
    }

    fn damaged(&self, name: &str) -> Error {
        Error::checkpoint(&self.path, format!("{name} is damaged; train without --resume"))
    }

    fn position(&self) -> Result<Position, Error> {
        let path = self.path.join(PROGRESS);
        let failed = |reason: &str| Error::checkpoint(&self.path, reason);
        let text = fs::read(&path)
            .map_err(|_| failed("there is no checkpoint: train without --resume"))?;
        let sum = fs::read_to_string(self.path.join(SUM)).unwrap_or_default();
        if sum.trim() != format!("{:08x}", checksum(&path)?) {
            return Err(self.damaged(PROGRESS));
        }
        let position: Position =
            serde_json::from_slice(&text).map_err(|error| Error::read(&path, error))?;
        let settings = |name: &String| (position.settings.get(name), self.settings.get(name));
        let mut names = position.settings.keys().chain(self.settings.keys());
        let shown = |value: Option<&Value>| value.map_or("none".to_string(), Value::to_string);
        match names.find(|name| settings(name).0 != settings(name).1) {
            None => Ok(position),
            Some(name) => {
                let (then, now) = settings(name);
                let (then, now) = (shown(then), shown(now));
                let reason = format!(
                    "`{name}` was {then} and is {now}; use the same options and data, or train \
                     without --resume"
                );
                Err(failed(&reason))
            }
        }
    }

    /// Refuses to touch a directory that is not a checkpoint.
    fn require_checkpoint(&self) -> Result<(), Error> {
        if !self.path.exists() {
            return Ok(());
        }
        let known = |name: &String| FILES.contains(&name.as_str()) || directory::of_a_place(name);
        match directory::names(&self.path)?.iter().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) => {
                let reason = format!("the directory holds `{name}`, which no checkpoint has");
                Err(Error::output(&self.path, reason))
            }
        }
    }
}

/// The checksum of a file's contents.
fn checksum(path: &Path) -> Result<u32, Error> {
    let failed = |error| Error::read(path, error);
    let mut file = File::open(path).map_err(failed)?;
    let (mut sum, mut piece) = (Crc::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut piece).map_err(failed)? {
            0 => return Ok(sum.sum()),
            length => sum.update(&piece[..length]),
        }
    }
}

fn save<M: Module>(model: &M, path: &Path) -> Result<(), Error> {
    let record = model.valid().into_record();
    record.save(path).map_err(|error| Error::output(path, error))
}

fn load<M: Module>(model: M, path: &Path) -> Result<M, Error> {
    model.try_load_file(path).map_err(|error| Error::read(path, error))
}
