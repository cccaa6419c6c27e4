//! `finetune`: trains a sentence encoder with any loss of `burn-embedding-losses`, and encodes
//! texts with models of sentence-transformers.

use std::process::ExitCode;

use clap::Parser;
use finetune::cli::Cli;
use finetune::report::console::Console;
use mimalloc::MiMalloc;

/// Keeps the memory of a step for the next one. The system's allocator gives it back and gets it again, cleared, a
/// page at a time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let console = Console::new();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            console.misuse(&error);
            return ExitCode::from(2);
        }
        // Help, and the version.
        Err(asked) => asked.exit(),
    };
    match finetune::run(&cli, &console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console.error(&error);
            ExitCode::from(2)
        }
    }
}
