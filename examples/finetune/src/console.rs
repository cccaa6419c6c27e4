//! The one place that talks to the user: results on stdout, progress and errors on stderr.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};

use crate::error::Error;
use crate::evaluate::{Evaluation, Measure};
use crate::session::Outcome;

/// Where results and progress go.
#[derive(Debug)]
pub struct Console {
    interactive: bool,
    quiet: bool,
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

impl Console {
    /// Talks to the terminal, or writes plain lines where there is none.
    pub fn new() -> Self {
        Self { interactive: std::io::stderr().is_terminal(), quiet: false }
    }

    /// Says nothing, for callers that only want the outcome.
    pub fn silent() -> Self {
        Self { interactive: false, quiet: true }
    }

    /// A line of the result.
    pub fn say(&self, line: impl Display) {
        if !self.quiet {
            // A reader that went away (`finetune | head`) is no reason to stop training.
            let _ = writeln!(std::io::stdout(), "{line}");
        }
    }

    /// Something to know that is no result.
    pub fn note(&self, line: impl Display) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    /// The one message of a run that failed.
    pub fn error(&self, error: &Error) {
        let _ = writeln!(std::io::stderr(), "error: {error}");
    }

    /// The evaluation before and after training, side by side.
    pub fn outcome<E>(&self, outcome: &Outcome<E>) {
        let Outcome { before, after, kept, steps, .. } = outcome;
        if kept < steps {
            self.say(format_args!("kept step {kept} of {steps}, the best by the first measure"));
        }
        let width = Measure::ALL.map(|measure| measure.title().len());
        let width = width.into_iter().max().unwrap_or(0);
        self.say(format_args!("\n{:width$}    before     after      rows", "evaluation"));
        for (measure, before) in before.iter() {
            if let Some(after) = after.get(measure) {
                self.say(format_args!(
                    "{:width$}  {:>8.4}  {:>8.4}  {:>8}",
                    measure.title(),
                    before.value,
                    after.value,
                    after.rows
                ));
            }
        }
        self.say("");
    }

    /// Progress over `steps` training steps in `epochs` epochs, of which `done` steps are done.
    pub fn progress(&self, steps: usize, epochs: usize, done: usize) -> Progress {
        let bar = if self.interactive && !self.quiet {
            ProgressBar::new(steps as u64).with_style(
                ProgressStyle::with_template(
                    "{bar:30} {pos}/{len} steps  {msg}  {elapsed} (eta {eta})",
                )
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
            )
        } else {
            ProgressBar::hidden()
        };
        bar.set_position(done as u64);
        Progress { bar, epochs, lines: !self.interactive && !self.quiet }
    }
}

/// The progress of one training run.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    epochs: usize,
    lines: bool,
}

impl Progress {
    /// One step is done: its epoch, the mean loss of that epoch so far, sentences a second.
    pub fn step(&self, epoch: usize, loss: f64, speed: f64) {
        let epochs = self.epochs;
        self.bar
            .set_message(format!("epoch {epoch}/{epochs}  loss {loss:.4}  {speed:.0} sentences/s"));
        self.bar.inc(1);
    }

    /// One epoch is done: a line of its own where there is no bar to watch.
    pub fn epoch(&self, epoch: usize, loss: f64, speed: f64) {
        if self.lines {
            let epochs = self.epochs;
            let _ = writeln!(
                std::io::stderr(),
                "epoch {epoch}/{epochs}  loss {loss:.4}  {speed:.0} sentences/s"
            );
        }
    }

    /// An evaluation on the way.
    pub fn evaluation(&self, step: usize, evaluation: &Evaluation, best: bool) {
        let Some((measure, score)) = evaluation.main() else {
            return;
        };
        let best = if best { ", the best so far" } else { "" };
        let line = format!("step {step}  {} {:.4}{best}", measure.title(), score.value);
        if self.lines {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
        self.bar.println(line);
    }

    /// Something that the user should change.
    pub fn warning(&self, line: impl Display) {
        let line = format!("warning: {line}");
        if self.lines {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
        self.bar.println(line);
    }

    /// Training is over.
    pub fn finish(&self) {
        self.bar.finish();
    }
}
