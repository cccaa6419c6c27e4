//! Trains a sentence encoder with any loss of `burn-embedding-losses`, and shows that it got
//! better.
//!
//! ```text
//! data/     rows: from files (csv, tsv, jsonl, parquet, trec) or the built-in corpus
//!             → task     the examples that the loss learns from
//! run/        → batches  which examples share a step, as token ids
//!             → train    encoder → objective (the loss) → optimizer, as the schedule says
//!             → evaluation  before, after and on the way
//!             → save     the directory of the trained encoder
//! report/   what the user sees: console, dashboard, log, model card, page of pictures
//! ```
//!
//! The encoder is a small one from scratch ([`run::encoder`]) or a model of sentence-transformers
//! ([`burn_embedding_models`]), which can also [`encode`](run::encode) texts as it is.

pub mod cli;
pub mod data;
pub mod error;
pub mod report;
pub mod run;
pub mod shell;

use crate::cli::{Cli, Command};
use crate::error::Error;
use crate::report::console::Console;

/// Does what the command line asks for.
pub fn run(cli: &Cli, console: &Console) -> Result<(), Error> {
    match &cli.command {
        None => run::train(&cli.training, console),
        Some(Command::Encode(args)) => run::encode::encode(args, console),
        Some(Command::Inspect(args)) => run::inspect::inspect(args, console),
        Some(Command::Mine(args)) => run::mine::mine(args, console),
        Some(Command::Rank(args)) => run::score::rank(args, console),
        Some(Command::Score(args)) => run::score::score(args, console),
    }?;
    console.check()
}
