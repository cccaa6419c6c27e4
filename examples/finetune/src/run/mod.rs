//! The commands: training, encoding and scoring with a model as it is, and looking at a data file.

pub mod adam;
pub mod batches;
mod cached;
pub mod checkpoint;
mod datasets;
pub mod encode;
pub mod encoder;
pub mod encoder_with_loss;
pub mod evaluation;
pub mod guide;
pub mod inspect;
pub mod lora;
pub mod objective;
pub mod optimizer;
mod outcome;
mod pace;
pub mod places;
pub mod routes;
pub mod sampler;
pub mod save;
pub mod schedule;
pub mod score;
pub mod session;
pub mod start;
pub mod train;
mod watch;

use std::num::NonZeroUsize;
use std::path::Path;

use burn_embedding_models::{
    CrossEncoder, RoutedTransformer, SentenceTransformer, TextEncoder, Tokenizer,
};

use checkpoint::Checkpoints;
use guide::Guide;
use objective::Choice;
use places::{Places, Writes};
use routes::{Pairs, Routes};
use save::Destination;
use session::{Outcome, Session, Start};

use crate::cli::Args;
use crate::data::{Dataset, task};
use crate::error::Error;
use crate::report::Report;
use crate::report::console::Console;
use crate::report::log::Log;

/// Trains, evaluates and saves.
pub fn train(args: &Args, console: &Console) -> Result<(), Error> {
    let console = &console.with_dashboard(args.dashboard)?;
    let device = named_device::open(&args.device)
        .map_err(|error| Error::option("--device", error.to_string()))?;
    lora::check(args)?;
    let name = task::name_for(&args.loss, reranks(args))?;
    let loss = Choice::new(&name, &args.loss_config)?;
    let loss = Choice { weights: args.loss_weights.clone(), ..loss };
    let (title, takes) = (loss.title(), task::kind_of(&loss.name)?);
    guide::check(args, &loss.name, takes)?;
    let schedule = cached::schedule(args, &loss.all_options())?;
    let places = Places::check(args)?;
    let (training, evaluation) = datasets::read(args, takes)?;
    // Data that does not fit is refused before anything is said, and before a large file is read.
    task::examples(&loss.name, takes, &training)?;
    datasets::check_held_out(&training, &evaluation)?;

    console.say(format_args!("training on    {}: {}", training.name(), training.contents()));
    console.say(format_args!("evaluating on  {}: {}", evaluation.name(), evaluation.contents()));
    for data in [&training, &evaluation] {
        for note in &data.notes {
            console.note(format_args!("{}: {note}", data.name()));
        }
    }
    let report = Report {
        loss: &title,
        options: loss.all_options(),
        lora: args.lora.clone(),
        schedule: schedule.clone(),
        data: training.name(),
        on: evaluation.name(),
        pictures: !args.no_report,
    };
    let session = Session {
        training: &training,
        evaluation: &evaluation,
        schedule,
        checkpoints: checkpoints(args, &report, &training)?,
        guide: args.guide.as_deref().map(|path| Guide::open(path, &device)).transpose()?,
        device,
        resume: args.resume,
        log: args.log.as_deref().map(|path| Log::new(path, args.resume)).transpose()?,
    };
    train_and_save(session, &loss, args, &report, &places, console)?;
    console.say(format_args!("saved to {}", args.out.display()));
    if let Some(path) = &args.adapter_out {
        console.say(format_args!("its adapters alone to {}", path.display()));
    }
    Ok(())
}

/// Where the run keeps checkpoints, if it writes some or goes on from one.
fn checkpoints(
    args: &Args,
    report: &Report,
    training: &Dataset,
) -> Result<Option<Checkpoints>, Error> {
    if args.checkpoint_steps.is_none() && !args.resume {
        return Ok(None);
    }
    let mut settings = report.settings();
    let model = args.model.as_ref().map(|path| path.display().to_string());
    settings.insert("model".to_string(), model.into());
    settings.insert("loss".to_string(), report.loss.into());
    let weights = args.loss_weights.as_ref().map(|path| path.display().to_string());
    settings.insert("loss_weights".to_string(), weights.into());
    let guide = args.guide.as_ref().map(|path| path.display().to_string());
    settings.insert("guide".to_string(), guide.into());
    settings.insert("dropout".to_string(), args.dropout.into());
    settings.insert("static".to_string(), args.static_dim.map(NonZeroUsize::get).into());
    let pooling = args.pooling.map(|mode| format!("{mode:?}"));
    settings.insert("pooling".to_string(), pooling.into());
    settings.insert("route".to_string(), args.route.clone().into());
    if !args.routes.is_empty() {
        settings.insert("routes".to_string(), args.routes.clone().into());
    }
    settings.insert("contents of the data".to_string(), training.fingerprint().into());
    let checkpoints = Checkpoints::beside(&args.out, settings)?;
    if args.resume {
        checkpoints.check()?;
    } else {
        checkpoints.start(args.force)?;
    }
    Ok(Some(checkpoints))
}

fn train_and_save(
    session: Session,
    loss: &Choice,
    args: &Args,
    report: &Report,
    places: &Places,
    console: &Console,
) -> Result<(), Error> {
    let device = session.tracking();
    let model = match (&args.model, args.static_dim) {
        (None, None) => return train_encoder(session, loss, report, &places.whole, console),
        (Some(directory), None) => {
            if reranks(args) {
                return train_reranker(directory, session, loss, args, report, places, console);
            }
            if trains_routes(args, directory)? {
                return train_routes(directory, session, loss, args, report, places, console);
            }
            let model = args.open_options().open(directory, &device)?;
            places.check_model(&model.package)?;
            match &args.lora {
                Some(lora) => model.with_lora(lora)?,
                None => model,
            }
        }
        (directory, Some(dimension)) => {
            let tokenizer = match directory {
                Some(directory) => Tokenizer::of_model(directory)?,
                None => session.tokenizer(usize::MAX)?,
            };
            SentenceTransformer::static_embedding(tokenizer, dimension, &device)?
        }
    };
    let dimension = model.dimension();
    let SentenceTransformer { encoder, tokenizer, package, .. } = model;
    let start = Start { encoder, routes: tokenizer.into(), dimension };
    train_model(start, &package, session, loss, report, places, console)
}

/// Whether the model that is trained scores pairs of texts; faults of its directory are found when it is
/// opened.
fn reranks(args: &Args) -> bool {
    let given = args.model.as_ref().filter(|_| args.static_dim.is_none() && args.pooling.is_none());
    given.is_some_and(|directory| CrossEncoder::is_in(directory).unwrap_or(false))
}

/// Trains a model that scores pairs of texts.
fn train_reranker(
    directory: &Path,
    session: Session,
    loss: &Choice,
    args: &Args,
    report: &Report,
    places: &Places,
    console: &Console,
) -> Result<(), Error> {
    let given = [
        ("--lora", args.lora.is_some()),
        ("--route", args.route.is_some()),
        ("--routes", !args.routes.is_empty()),
        ("--learning-rates", !args.learning_rates.is_empty()),
    ];
    if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
        return Err(Error::option(option, "a model that scores pairs of texts has none"));
    }
    let model = args.open_options().open_cross_encoder(directory, &session.tracking())?;
    let CrossEncoder { encoder, tokenizer, package, .. } = model;
    let (labels, activation) = (package.labels(), package.activation);
    let pairs = Pairs { token_types: package.token_types(), labels, activation };
    let start = Start { encoder, routes: Routes::of_pairs(tokenizer, pairs), dimension: labels };
    train_model(start, &package, session, loss, report, places, console)
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

/// Trains a model with its routes, each for its columns.
fn train_routes(
    directory: &Path,
    session: Session,
    loss: &Choice,
    args: &Args,
    report: &Report,
    places: &Places,
    console: &Console,
) -> Result<(), Error> {
    if args.lora.is_some() {
        let reason = "the model has several routes, and adapters are for one: name it with --route";
        return Err(Error::option("--lora", reason));
    }
    let model = RoutedTransformer::open(directory, &args.open_options(), &session.tracking())?;
    let RoutedTransformer { encoder, tokenizers, package } = model;
    let routes = Routes::named(&args.routes, &package, tokenizers)?;
    let routes = routes.with_rates(&args.learning_rates, &package)?;
    let dimension = encoder.dimension();
    let start = Start { encoder, routes, dimension };
    train_model(start, &package, session, loss, report, places, console)
}

/// Trains the small encoder from scratch.
fn train_encoder(
    session: Session,
    loss: &Choice,
    report: &Report,
    destination: &Destination,
    console: &Console,
) -> Result<(), Error> {
    let (start, config) = session.from_scratch()?;
    let outcome = session.run(start, loss, console)?;
    console.outcome(&outcome);
    let weights = |directory: &Path| {
        save::write_encoder(directory, &outcome.encoder, &config, outcome.routes.tokenizer())
    };
    destination.save(weights, &report.files(&outcome, None), &outcome.unwritten)?;
    forget_checkpoints(&outcome, destination)
}

/// Removes the checkpoints of a run whose model is saved.
fn forget_checkpoints<E>(outcome: &Outcome<E>, destination: &Destination) -> Result<(), Error> {
    let kept = outcome.forget_checkpoints().err();
    destination.complete(kept.iter().map(Error::to_string).collect())
}

/// Trains a model of sentence-transformers.
fn train_model<E: TextEncoder>(
    start: Start<E>,
    package: &impl Writes<E>,
    session: Session,
    loss: &Choice,
    report: &Report,
    places: &Places,
    console: &Console,
) -> Result<(), Error> {
    let dimension = start.dimension;
    let outcome = session.run(start, loss, console)?;
    console.outcome(&outcome);
    if let Some(reason) = outcome.collapsed().filter(|_| !places.keep_worse) {
        return Err(Error::Collapsed { reason });
    }
    let card = report.card(&outcome, package, dimension);
    let files = report.files(&outcome, Some(card));
    places.save(package, &outcome.encoder, &files, &outcome.unwritten)?;
    forget_checkpoints(&outcome, &places.whole)
}
