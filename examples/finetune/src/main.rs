//! `finetune`: trains a sentence encoder with any loss of `burn-embedding-losses`.

use std::process::ExitCode;

use clap::Parser;
use finetune::cli::Args;
use finetune::console::Console;

fn main() -> ExitCode {
    let console = Console::new();
    match finetune::run(&Args::parse(), &console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console.error(&error);
            ExitCode::from(2)
        }
    }
}
