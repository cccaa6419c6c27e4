//! What a training run was, for the files that are saved with its encoder.

use std::path::Path;

use serde_json::{Map, Value};

use crate::cli::Args;
use crate::evaluate::Evaluation;
use crate::model::Package;
use crate::model::card::Card;
use crate::session::Outcome;

/// What is known of a run before it.
#[derive(Debug)]
pub struct Report<'a> {
    /// The command line.
    pub args: &'a Args,
    /// The options of the loss.
    pub options: &'a Map<String, Value>,
    /// The data that was trained on.
    pub data: String,
    /// The data that was evaluated on.
    pub on: String,
}

impl Report<'_> {
    /// The run as JSON.
    pub fn summary<E>(&self, outcome: &Outcome<E>) -> Value {
        let mut fields = self.settings(outcome);
        fields.insert("loss".to_string(), self.args.loss.clone().into());
        fields.insert("before".to_string(), values(&outcome.before).into());
        fields.insert("after".to_string(), values(&outcome.after).into());
        fields.into()
    }

    /// What decided the run, beside the loss.
    fn settings<E>(&self, outcome: &Outcome<E>) -> Map<String, Value> {
        let schedule = self.args.schedule();
        let fields = [
            ("loss_config", self.options.clone().into()),
            ("data", self.data.clone().into()),
            ("evaluation_data", self.on.clone().into()),
            ("epochs", schedule.epochs.into()),
            ("steps", outcome.steps.into()),
            ("batch_size", schedule.batch_size.into()),
            ("learning_rate", schedule.learning_rate.into()),
            ("word_dropout", schedule.word_dropout.into()),
            ("seed", schedule.seed.into()),
        ];
        fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
    }

    /// The run as a model card.
    pub fn card<E>(
        &self,
        outcome: &Outcome<E>,
        package: &Package,
        max_tokens: usize,
        dimension: usize,
    ) -> Card {
        let settings = self.settings(outcome).into_iter();
        let similarity = package.settings.similarity_fn_name.as_deref();
        let results = outcome.before.iter().filter_map(|(measure, before)| {
            let after = outcome.after.get(measure)?;
            Some((measure.title().to_string(), before.value, after.value))
        });
        Card {
            base: package.name.clone(),
            loss: self.args.loss.clone(),
            data: file_name(&self.data),
            examples: outcome.examples,
            dimension,
            max_tokens,
            similarity: similarity.unwrap_or("cosine").to_string(),
            options: settings.map(|(name, value)| (name, text(&value))).collect(),
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
    let values = evaluation.iter();
    values.map(|(measure, score)| (measure.title().to_string(), score.value.into())).collect()
}
