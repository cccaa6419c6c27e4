//! Trains a small text encoder on two data sets in Burn's learner.

use std::path::PathBuf;
use std::process::ExitCode;

use burn::tensor::Device;
use clap::Parser;
use learner::train::{Options, train};

/// Trains a small text encoder on two data sets with a loss each, in Burn's learner.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,

    /// Directory for logs and checkpoints
    #[arg(long, value_name = "DIR", default_value = "learner-run")]
    out: PathBuf,
}

fn main() -> ExitCode {
    let Arguments { options, out } = Arguments::parse();
    // Burn takes the backend whose cargo feature is on. A GPU goes first if there are several, unless the
    // environment variable `BURN_DEVICE` names another.
    let device = Device::default();
    match train(&out, &options, &device) {
        Ok(_) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}
