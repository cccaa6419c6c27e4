//! Trains a small text encoder on two data sets in Burn's learner.

use std::path::PathBuf;
use std::process::ExitCode;

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

    /// Where to compute: flex, wgpu, cuda:1, …, as far as compiled in
    #[arg(long, value_name = "DEVICE", default_value = "flex")]
    device: String,
}

fn main() -> ExitCode {
    let Arguments { options, out, device } = Arguments::parse();
    let result = named_device::open(&device)
        .map_err(|error| error.to_string())
        .and_then(|device| train(&out, &options, &device));
    match result {
        Ok(_) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}
