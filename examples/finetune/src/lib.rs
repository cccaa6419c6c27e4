//! Trains a sentence encoder with any loss of `burn-embedding-losses`, and shows that it got
//! better.
//!
//! ```text
//! data (csv, tsv, trec, jsonl) or corpus
//!   → task       which rows the loss learns from
//!   → tokenizer  texts to ids
//!   → sampler    which examples share a step
//!   → train      encoder → objective (the loss) → AdamW
//!   → evaluate   before and after
//!   → save       the directory of the trained encoder
//! ```
//!
//! The encoder is a small one from scratch ([`encoder`]) or a model of sentence-transformers
//! ([`model`]), which can also [`encode`] texts as it is.

pub mod batches;
pub mod cli;
pub mod console;
pub mod corpus;
pub mod data;
pub mod embed;
pub mod encode;
pub mod encoder;
pub mod error;
pub mod evaluate;
pub mod model;
pub mod npy;
pub mod objective;
pub mod output;
pub mod report;
pub mod sampler;
pub mod save;
pub mod session;
pub mod statistics;
pub mod task;
pub mod teacher;
pub mod tokenizer;
pub mod train;

use std::path::Path;

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::cli::{Args, Cli, Command};
use crate::console::Console;
use crate::data::Dataset;
use crate::error::Error;
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
    let device = named_device::open(&args.device)
        .map_err(|error| Error::option("--device", error.to_string()))?;
    let options = objective::parse_options(&args.loss_config)?;
    task::Need::of(&args.loss).ok_or_else(|| task::unknown_loss(&args.loss))?;
    let destination = Destination::check(&args.out, args.force)?;
    let (training, evaluation) = datasets(args)?;

    console.say(format_args!("training on    {}: {}", training.name(), training.contents()));
    console.say(format_args!("evaluating on  {}: {}", evaluation.name(), evaluation.contents()));
    let session = Session {
        training: &training,
        evaluation: &evaluation,
        loss: &args.loss,
        options: options.clone(),
        schedule: args.schedule(),
        device,
    };
    let report = Report { args, options: &options, data: training.name(), on: evaluation.name() };
    match &args.model {
        None => train_encoder(session, &report, &destination, console)?,
        Some(model) => train_model(model, session, &report, &destination, console)?,
    }
    console.say(format_args!("saved to {}", args.out.display()));
    Ok(())
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
    console.comparison(&outcome.before, &outcome.after);
    destination.save(&report.summary(&outcome), |directory| {
        save::write_encoder(directory, &outcome.encoder, &config, &outcome.tokenizer)
    })
}

/// Trains a model of sentence-transformers.
fn train_model(
    directory: &Path,
    session: Session,
    report: &Report,
    destination: &Destination,
    console: &Console,
) -> Result<(), Error> {
    // Data that does not fit is known before a large file is read.
    task::examples(session.loss, session.training)?;
    let model = Pretrained::load(directory, &session.tracking())?;
    let Pretrained { encoder, tokenizer, max_tokens, dimension, package } = model;
    let start = Start { encoder, tokenizer, max_tokens, dimension };
    let outcome = session.run(start, console)?;
    console.comparison(&outcome.before, &outcome.after);
    let card = report.card(&outcome, &package, max_tokens, dimension).markdown();
    destination.save(&report.summary(&outcome), |directory| {
        package.write(directory, &outcome.encoder, &card)
    })
}

/// The training and the evaluation rows.
fn datasets(args: &Args) -> Result<(Dataset, Dataset), Error> {
    let mut rng = StdRng::seed_from_u64(args.seed);
    let (training, evaluation) = match (&args.data, &args.eval) {
        (None, _) => (corpus::training()?, corpus::evaluation()?),
        (Some(data), Some(eval)) => (
            data::read(data, args.format, args.score_range)?,
            data::read(eval, args.eval_format, args.score_range)?,
        ),
        (Some(data), None) => {
            let data = data::read(data, args.format, args.score_range)?;
            data.hold_out(HELD_OUT, &mut rng)
        }
    };
    let training = match args.max_rows {
        Some(rows) => training.sample(rows, &mut rng),
        None => training,
    };
    Ok((training, evaluation))
}
