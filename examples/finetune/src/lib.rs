//! Trains a sentence encoder with any loss of `burn-embedding-losses`, and shows that it got
//! better.
//!
//! ```text
//! data (csv, tsv, trec, jsonl) or corpus
//!   → task       which rows the loss learns from
//!   → tokenizer  texts to ids
//!   → sampler    which examples share a step
//!   → train      encoder → objective (the loss) → optimizer, as the schedule says
//!   → evaluate   before, after, and on the way; checkpoint and log as well
//!   → save       the directory of the trained encoder, with a page of pictures
//! ```
//!
//! The encoder is a small one from scratch ([`encoder`]) or a model of sentence-transformers
//! ([`model`]), which can also [`encode`] texts as it is.

pub mod batches;
pub mod checkpoint;
pub mod cli;
pub mod console;
pub mod corpus;
pub mod dashboard;
pub mod data;
pub mod directory;
pub mod embed;
pub mod encode;
pub mod encoder;
pub mod error;
pub mod evaluate;
pub mod interrupt;
pub mod lengths;
pub mod log;
pub mod measure;
pub mod model;
pub mod npy;
pub mod objective;
pub mod optimizer;
pub mod output;
pub mod pictures;
pub mod repeats;
pub mod report;
pub mod sampler;
pub mod save;
pub mod schedule;
pub mod session;
pub mod task;
pub mod teacher;
pub mod tokenizer;
pub mod train;

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::checkpoint::Checkpoints;
use crate::cli::{Args, Cli, Command};
use crate::console::Console;
use crate::data::{Dataset, Format};
use crate::error::Error;
use crate::log::Log;
use crate::model::Pretrained;
use crate::report::Report;
use crate::save::Destination;
use crate::session::{Session, Start};

/// The share of the rows of `--data` that is held out where there is no `--eval`.
const HELD_OUT: f64 = 0.1;

/// Does what the command line asks for.
pub fn run(cli: &Cli, console: &Console) -> Result<(), Error> {
    match &cli.command {
        None => train(&cli.training, console),
        Some(Command::Encode(args)) => encode::run(args, console),
    }
}

/// Trains, evaluates and saves.
fn train(args: &Args, console: &Console) -> Result<(), Error> {
    let console = &console.with_dashboard(args.dashboard)?;
    let device = named_device::open(&args.device)
        .map_err(|error| Error::option("--device", error.to_string()))?;
    let options = objective::parse_options(&args.loss_config)?;
    task::Need::of(&args.loss).ok_or_else(|| task::unknown_loss(&args.loss))?;
    let destination = Destination::check(&args.out, args.force)?;
    let (training, evaluation) = datasets(args)?;

    console.say(format_args!("training on    {}: {}", training.name(), training.contents()));
    console.say(format_args!("evaluating on  {}: {}", evaluation.name(), evaluation.contents()));
    let report = Report {
        loss: &args.loss,
        options: options.clone(),
        schedule: args.schedule(),
        data: training.name(),
        on: evaluation.name(),
        pictures: !args.no_report,
    };
    let session = Session {
        training: &training,
        evaluation: &evaluation,
        loss: &args.loss,
        options,
        loss_weights: args.loss_weights.as_deref(),
        schedule: args.schedule(),
        device,
        checkpoints: checkpoints(args, &report, &training)?,
        resume: args.resume,
        log: args.log.as_deref().map(|path| Log::new(path, args.resume)).transpose()?,
    };
    match &args.model {
        None => train_encoder(session, &report, &destination, console)?,
        Some(directory) => {
            // Data that does not fit is known before a large file is read.
            task::examples(session.loss, session.training)?;
            let device = session.tracking();
            let model = Pretrained::load_with(directory, args.adjustments(), &device)?;
            train_model(model, session, &report, &destination, console)?;
        }
    }
    console.say(format_args!("saved to {}", args.out.display()));
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
    settings.insert("loss".to_string(), args.loss.clone().into());
    let weights = args.loss_weights.as_ref().map(|path| path.display().to_string());
    settings.insert("loss_weights".to_string(), weights.into());
    settings.insert("adjustments".to_string(), format!("{:?}", args.adjustments()).into());
    settings.insert("contents of the data".to_string(), training.fingerprint().into());
    let checkpoints = Checkpoints::beside(&args.out, settings)?;
    if args.resume {
        checkpoints.check()?;
    } else {
        checkpoints.start(args.force)?;
    }
    Ok(Some(checkpoints))
}

/// Trains the small encoder from scratch.
fn train_encoder(
    session: Session,
    report: &Report,
    destination: &Destination,
    console: &Console,
) -> Result<(), Error> {
    let (start, config) = session.from_scratch()?;
    let outcome = session.run(start, console)?;
    console.outcome(&outcome);
    destination.save(&report.summary(&outcome), |directory| {
        save::write_encoder(directory, &outcome.encoder, &config, &outcome.tokenizer)?;
        report.write_pictures(directory, &outcome)
    })?;
    outcome.forget_checkpoints()
}

/// Trains a model of sentence-transformers.
fn train_model(
    model: Pretrained,
    session: Session,
    report: &Report,
    destination: &Destination,
    console: &Console,
) -> Result<(), Error> {
    let Pretrained { encoder, tokenizer, max_tokens, dimension, package } = model;
    let start = Start { encoder, tokenizer, max_tokens, dimension };
    let outcome = session.run(start, console)?;
    console.outcome(&outcome);
    let card = report.card(&outcome, &package, max_tokens, dimension).markdown();
    destination.save(&report.summary(&outcome), |directory| {
        package.write(directory, &outcome.encoder, &card)?;
        report.write_pictures(directory, &outcome)
    })?;
    outcome.forget_checkpoints()
}

/// The training and the evaluation rows.
fn datasets(args: &Args) -> Result<(Dataset, Dataset), Error> {
    let mut rng = StdRng::seed_from_u64(args.seed);
    let format = args.format.or_else(|| {
        let bare = task::Need::of(&args.loss) == Some(task::Need::Texts);
        let format = args.data.as_deref().and_then(Format::of);
        // A text file without classes is what a loss that knows no classes learns from.
        if bare && format == Some(Format::Trec) { Some(Format::Lines) } else { format }
    });
    let (training, evaluation) = match (&args.data, &args.eval) {
        (None, _) => (corpus::training()?, corpus::evaluation()?),
        (Some(data), Some(eval)) => (
            data::read(data, format, args.score_range)?,
            data::read(eval, args.eval_format, args.score_range)?,
        ),
        (Some(data), None) => {
            let data = data::read(data, format, args.score_range)?;
            if data.tells_something() {
                data.hold_out(HELD_OUT, &mut rng)
            } else {
                (data, corpus::evaluation()?)
            }
        }
    };
    let training = match args.max_rows {
        Some(rows) => training.sample(rows, &mut rng),
        None => training,
    };
    Ok((training, evaluation))
}
