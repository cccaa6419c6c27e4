//! What the user sees of a run: on the terminal, and in the files that are saved with its encoder.

mod beside;
pub mod card;
pub mod console;
#[cfg(feature = "dashboard")]
pub mod dashboard;
#[cfg(not(feature = "dashboard"))]
#[path = "no_dashboard.rs"]
pub mod dashboard;
#[cfg(feature = "dashboard")]
pub mod interrupt;
pub mod log;
pub mod npy;
pub mod output;
pub mod pictures;
pub mod printable;
#[cfg(feature = "dashboard")]
pub mod silence;

use std::path::{Path, PathBuf};

use crate::run::places::Writes;
use burn_embedding_models::LoraConfig;

use serde_json::{Map, Value};

use card::{CARD, Card};
use pictures::Page;

use crate::run::evaluation::Evaluation;
use crate::run::lora;
use crate::run::schedule::Schedule;
use crate::run::session::Outcome;

/// The file that says how an encoder was trained, in its directory.
pub const SUMMARY: &str = "training.json";

/// The path of a file in the directory of an encoder, and its contents.
pub type ReportFile = (PathBuf, String);

/// The description of a run.
#[derive(Debug)]
pub struct Report<'a> {
    /// The Python name of the loss.
    pub loss: &'a str,
    /// The options of the loss.
    pub options: Map<String, Value>,
    /// The adapters that are trained, if they are.
    pub lora: Option<LoraConfig>,
    /// The schedule.
    pub schedule: Schedule,
    /// The data that was trained on.
    pub data: String,
    /// The data that was evaluated on.
    pub on: String,
    /// Whether a page of pictures is written.
    pub pictures: bool,
}

impl Report<'_> {
    /// The run as JSON.
    fn summary<E>(&self, outcome: &Outcome<E>) -> Value {
        let mut fields = self.settings();
        fields.insert("steps".to_string(), outcome.steps.into());
        fields.insert("kept_step".to_string(), outcome.kept.into());
        fields.insert("loss".to_string(), self.loss.into());
        fields.insert("before".to_string(), values(&outcome.before).into());
        fields.insert("after".to_string(), values(&outcome.after).into());
        fields.into()
    }

    /// Everything that decided the run, except the name of the loss.
    pub fn settings(&self) -> Map<String, Value> {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(&self.schedule) else {
            unreachable!("a schedule is an object");
        };
        fields.insert("loss_config".to_string(), self.options.clone().into());
        if let Some(lora) = &self.lora {
            fields.insert("lora".to_string(), lora::shown(lora).into());
        }
        fields.insert("data".to_string(), self.data.clone().into());
        fields.insert("evaluation_data".to_string(), self.on.clone().into());
        fields
    }

    /// The settings as they are read, without those that were not given.
    fn shown(&self) -> Vec<(String, String)> {
        let given = self.settings().into_iter().filter(|(_, value)| !value.is_null());
        given.map(|(name, value)| (name, text(&value))).collect()
    }

    /// The files beside the weights, by their path in the directory of the encoder: the summary, the page of
    /// pictures if there is to be one, and `card`.
    pub fn files<E>(&self, outcome: &Outcome<E>, card: Option<Card>) -> Vec<ReportFile> {
        let mut files = vec![(PathBuf::from(SUMMARY), format!("{:#}\n", self.summary(outcome)))];
        files.extend(card.map(|card| (PathBuf::from(CARD), card.markdown())));
        if self.pictures {
            files.push((pictures::path(), self.page(outcome).html()));
        }
        files
    }

    fn page<'a, E>(&'a self, outcome: &'a Outcome<E>) -> Page<'a> {
        Page {
            loss: self.loss,
            settings: self.shown(),
            data: [file_name(&self.data), file_name(&self.on)],
            steps: outcome.steps,
            kept: outcome.kept,
            history: &outcome.history,
            before: &outcome.before,
            after: &outcome.after,
        }
    }

    /// The run as a model card.
    pub fn card<E>(
        &self,
        outcome: &Outcome<E>,
        package: &impl Writes<E>,
        dimension: usize,
    ) -> Card {
        let results = outcome.before.beside(&outcome.after);
        let results = results.map(|(title, before, after)| (title, before.value, after.value));
        Card {
            base: package.base().to_string(),
            loss: self.loss.to_string(),
            data: file_name(&self.data),
            examples: outcome.examples,
            dimension,
            max_tokens: outcome.routes.tokenizer().max_tokens(),
            usage: package.usage(),
            options: self.shown(),
            results: results.collect(),
        }
    }
}

/// A value as a card shows it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => file_name(text),
        other => other.to_string(),
    }
}

/// A file without the path to it: a card is read elsewhere.
fn file_name(path: &str) -> String {
    let name = Path::new(path).file_name();
    name.map_or_else(|| path.to_string(), |name| name.to_string_lossy().into_owned())
}

fn values(evaluation: &Evaluation) -> Map<String, Value> {
    let values = evaluation.beside(evaluation);
    values.map(|(title, score, _)| (title, score.value.into())).collect()
}
