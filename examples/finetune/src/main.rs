//! `finetune`: trains a sentence encoder with any loss of `burn-embedding-losses`, and encodes
//! texts with models of sentence-transformers.

use std::process::ExitCode;

use clap::Parser;
use finetune::cli::Cli;
use finetune::report::console::Console;

fn main() -> ExitCode {
    let console = Console::new();
    match finetune::run(&Cli::parse(), &console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console.error(&error);
            ExitCode::from(2)
        }
    }
}
