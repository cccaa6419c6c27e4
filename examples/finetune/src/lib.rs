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
pub mod sampler;
pub mod save;
pub mod session;
pub mod statistics;
pub mod task;
pub mod teacher;
pub mod tokenizer;
pub mod train;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;

use crate::cli::{Args, Cli, Command};
use crate::console::Console;
use crate::data::Dataset;
use crate::error::Error;
use crate::evaluate::Evaluation;
use crate::save::Destination;
use crate::session::Session;
use crate::train::Schedule;

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
        schedule: Schedule {
            epochs: args.epochs,
            steps: args.steps,
            batch_size: args.batch_size,
            learning_rate: args.learning_rate,
            word_dropout: args.word_dropout,
            seed: args.seed,
        },
        device,
    };
    let outcome = session.run(console)?;
    console.comparison(&outcome.before, &outcome.after);

    let summary = json!({
        "loss": args.loss,
        "loss_config": options,
        "data": training.name(),
        "evaluation_data": evaluation.name(),
        "epochs": args.epochs,
        "steps": outcome.steps,
        "batch_size": args.batch_size,
        "learning_rate": args.learning_rate,
        "word_dropout": args.word_dropout,
        "seed": args.seed,
        "before": values(&outcome.before),
        "after": values(&outcome.after),
    });
    destination.save(&outcome.encoder, &outcome.config, &outcome.tokenizer, &summary)?;
    console.say(format_args!("saved to {}", args.out.display()));
    Ok(())
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

fn values(evaluation: &Evaluation) -> serde_json::Map<String, serde_json::Value> {
    let values = evaluation.iter();
    values.map(|(measure, score)| (measure.title().to_string(), score.value.into())).collect()
}
