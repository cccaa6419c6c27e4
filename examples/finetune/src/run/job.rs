//! What a run trains: a model of one kind or another.

use std::path::Path;

use burn_embedding_losses::catalog::BatchKind;
use burn_embedding_models::cross_encoder::Labels;
use burn_embedding_models::{
    CrossEncoder, RoutedTransformer, SentenceTransformer, TextEncoder, Tokenizer,
};

use super::objective::Choice;
use super::places::{Places, Writes};
use super::routes::{Pairs, Routes};
use super::save::{self, Destination};
use super::session::{Outcome, Session, Start};
use crate::cli::{Args, Task};
use crate::data::repeats::Repeats;
use crate::data::{Classes, task};
use crate::error::Error;
use crate::report::Report;
use crate::report::console::Console;

/// Whether the model that is trained scores pairs of texts; faults of its directory are found when it is
/// opened.
pub fn reranks(args: &Args) -> bool {
    match args.task {
        Some(task) => task == Task::Rerank,
        None => args.static_dim.is_none() && args.pooling.is_none() && scores_pairs(args),
    }
}

/// Whether `--model` is a CrossEncoder.
fn scores_pairs(args: &Args) -> bool {
    args.model.as_ref().is_some_and(|directory| CrossEncoder::is_in(directory).unwrap_or(false))
}

/// Whether several routes of the model in `directory` are trained.
fn trains_routes(args: &Args, directory: &Path) -> Result<bool, Error> {
    if args.route.is_some() || args.pooling.is_some() {
        return Ok(false);
    }
    let routed = RoutedTransformer::is_in(directory)?;
    let given = [
        ("--routes", !args.routes.is_empty()),
        ("--learning-rates", !args.learning_rates.is_empty()),
    ];
    match given.into_iter().find(|(_, given)| *given && !routed) {
        Some((option, _)) => Err(Error::option(option, "the model has no routes to choose from")),
        None => Ok(routed),
    }
}

/// Refuses options that a model which scores pairs of texts has no use for; `known` is whether it is one
/// already.
fn refuse_for_rerankers(args: &Args, known: bool) -> Result<(), Error> {
    let given = [
        ("--adapter-out", args.adapter_out.is_some()),
        ("--route", known && args.route.is_some()),
        ("--routes", !args.routes.is_empty()),
        ("--learning-rates", !args.learning_rates.is_empty()),
        ("--word-dropout", args.word_dropout.is_some_and(|share| share > 0.0)),
        ("--repeats mask", args.repeats == Repeats::Mask),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => {
            Err(Error::option(option, "not supported for a model that scores pairs of texts"))
        }
        None => Ok(()),
    }
}

/// A run whose data has been read, and whose places are free.
pub struct Job<'a> {
    /// The data and how to train on it.
    pub session: Session<'a>,
    /// The loss.
    pub loss: &'a Choice,
    /// What the user asked for.
    pub args: &'a Args,
    /// What is told of the run.
    pub report: &'a Report<'a>,
    /// Where the model goes.
    pub places: &'a Places,
    /// Where progress is shown.
    pub console: &'a Console,
}

impl Job<'_> {
    /// Trains and saves.
    pub fn run(self) -> Result<(), Error> {
        match (&self.args.model, self.args.static_dim) {
            (None, None) => self.small_encoder(),
            (Some(directory), None) if reranks(self.args) => self.reranker(directory),
            (Some(directory), None) if trains_routes(self.args, directory)? => {
                self.routes(directory)
            }
            _ => self.sentence_encoder(),
        }
    }

    fn sentence_encoder(self) -> Result<(), Error> {
        let (args, device) = (self.args, self.session.tracking());
        let model = match (&args.model, args.static_dim) {
            (Some(directory), None) => {
                let model = args.open_options().open(directory, &device)?;
                self.places.check_model(&model.package)?;
                match &args.lora {
                    Some(lora) => model.with_lora(lora)?,
                    None => model,
                }
            }
            (directory, dimension) => {
                let tokenizer = match directory {
                    Some(directory) => Tokenizer::of_model(directory)?,
                    None => self.session.tokenizer(usize::MAX)?,
                };
                let dimension = dimension.expect("an encoder from scratch has a run of its own");
                SentenceTransformer::static_embedding(tokenizer, dimension, &device)?
            }
        };
        let dimension = model.dimension();
        let SentenceTransformer { encoder, tokenizer, package, .. } = model;
        self.model(Start { encoder, routes: tokenizer.into(), dimension }, &package)
    }

    /// A model that scores pairs of texts, or an encoder that becomes one.
    fn reranker(self, directory: &Path) -> Result<(), Error> {
        let args = self.args;
        let known = scores_pairs(args);
        refuse_for_rerankers(args, known)?;
        let (options, device) = (args.open_options(), self.session.tracking());
        let model = match known {
            true => options.open_cross_encoder(directory, &device)?,
            false => options.new_cross_encoder(directory, self.new_labels()?, &device)?,
        };
        let model = match &args.lora {
            Some(lora) => model.with_lora(lora)?,
            None => model,
        };
        let CrossEncoder { encoder, tokenizer, package, .. } = model;
        let (labels, activation) = (package.labels(), package.activation);
        let classes = Classes::of_model(package.label_names());
        let pairs = Pairs { token_types: package.token_types(), classes, activation };
        let routes = Routes::of_pairs(tokenizer, pairs);
        self.model(Start { encoder, routes, dimension: labels }, &package)
    }

    /// The scores that a new reranker gives a pair.
    fn new_labels(&self) -> Result<Labels, Error> {
        match task::kind_of(&self.loss.name)? {
            BatchKind::ClassLogits => {
                let data = [self.session.training, self.session.evaluation];
                Ok(Labels::Named(Classes::of_data(data)?.names().to_vec()))
            }
            _ => Ok(Labels::Count(1)),
        }
    }

    /// A model with its routes, each for its columns.
    fn routes(self, directory: &Path) -> Result<(), Error> {
        let args = self.args;
        if args.lora.is_some() {
            let reason =
                "the model has several routes, and adapters are for one: name it with --route";
            return Err(Error::option("--lora", reason));
        }
        let device = self.session.tracking();
        let model = RoutedTransformer::open(directory, &args.open_options(), &device)?;
        let RoutedTransformer { encoder, tokenizers, package } = model;
        let routes = Routes::named(&args.routes, &package, tokenizers)?;
        let routes = routes.with_rates(&args.learning_rates, &package)?;
        let dimension = encoder.dimension();
        self.model(Start { encoder, routes, dimension }, &package)
    }

    /// The small encoder from scratch.
    fn small_encoder(self) -> Result<(), Error> {
        let (start, config) = self.session.from_scratch()?;
        let outcome = self.session.run(start, self.loss, self.console)?;
        self.console.outcome(&outcome);
        if let Some(reason) = outcome.collapsed().filter(|_| !self.places.keep_worse) {
            return Err(Error::Collapsed { reason });
        }
        let weights = |directory: &Path| {
            save::write_encoder(directory, &outcome.encoder, &config, outcome.routes.tokenizer())
        };
        let destination = &self.places.whole;
        let saved =
            destination.save(weights, &self.report.files(&outcome, None), &outcome.unwritten);
        saved.map_err(|error| outcome.unsaved(error))?;
        forget_checkpoints(&outcome, destination)
    }

    /// A model of sentence-transformers.
    fn model<E: TextEncoder>(self, start: Start<E>, package: &impl Writes<E>) -> Result<(), Error> {
        let Self { session, loss, report, places, console, .. } = self;
        let dimension = start.dimension;
        let outcome = session.run(start, loss, console)?;
        console.outcome(&outcome);
        if let Some(reason) = outcome.collapsed().filter(|_| !places.keep_worse) {
            return Err(Error::Collapsed { reason });
        }
        let card = report.card(&outcome, package, dimension);
        let files = report.files(&outcome, Some(card));
        let saved = places.save(package, &outcome.encoder, &files, &outcome.unwritten);
        saved.map_err(|error| outcome.unsaved(error))?;
        forget_checkpoints(&outcome, &places.whole)
    }
}

/// Removes the checkpoints of a run whose model is saved.
fn forget_checkpoints<E>(outcome: &Outcome<E>, destination: &Destination) -> Result<(), Error> {
    let kept = outcome.forget_checkpoints().err();
    destination.complete(kept.iter().map(Error::to_string).collect())
}
