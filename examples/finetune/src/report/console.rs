//! Everything the user reads in the terminal: results on stdout, progress and errors on stderr.

use std::cell::RefCell;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use indicatif::{ProgressBar, ProgressStyle};

use super::dashboard::Dashboard;
use super::printable::{self, Printable};
use crate::error::Error;
use crate::run::evaluation::{Evaluation, Measure};
use crate::run::session::Outcome;
use crate::run::train::StepStats;

/// Where results and progress go.
#[derive(Debug, Clone)]
pub struct Console {
    interactive: bool,
    quiet: bool,
    dashboard: bool,
    /// Why a line of the result could not be written.
    lost: Arc<OnceLock<io::Error>>,
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

impl Console {
    /// Writes to the terminal, or plain lines where there is none.
    pub fn new() -> Self {
        Self { interactive: io::stderr().is_terminal(), quiet: false, ..Self::silent() }
    }

    /// Prints nothing, for callers that only want the outcome.
    pub fn silent() -> Self {
        Self { interactive: false, quiet: true, dashboard: false, lost: Arc::default() }
    }

    /// The same console, with progress on the dashboard if it is `wanted`. The dashboard needs a
    /// terminal.
    pub fn with_dashboard(&self, wanted: bool) -> Result<Self, Error> {
        if wanted {
            Dashboard::check()?;
        }
        Ok(Self { dashboard: wanted, ..self.clone() })
    }

    /// A line of the result.
    pub fn say(&self, line: impl Display) {
        if !self.quiet {
            // A reader that went away (`finetune | head`) is no reason to stop training.
            let written = writeln!(io::stdout(), "{}", Printable(line));
            if let Some(error) = written.err().filter(|it| it.kind() != io::ErrorKind::BrokenPipe) {
                let _ = self.lost.set(error);
            }
        }
    }

    /// Whether all lines of the result were written, or had no reader any more.
    ///
    /// # Errors
    ///
    /// If one could not be written, because a disk is full for instance.
    pub fn check(&self) -> Result<(), Error> {
        match self.lost.get() {
            Some(error) => Err(Error::output(Path::new("standard output"), error)),
            None => Ok(()),
        }
    }

    /// A remark that is not a result, on one line.
    pub fn note(&self, line: impl Display) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "{}", printable::line(line));
        }
    }

    /// The one message of a run that failed.
    pub fn error(&self, error: &Error) {
        let _ = writeln!(io::stderr(), "error: {}", printable::line(error));
    }

    /// What is wrong with the command line, with long values cut.
    pub fn misuse(&self, error: &clap::Error) {
        let text = error.render().to_string();
        let lines: Vec<_> = text.lines().map(printable::line).collect();
        let _ = match text.lines().eq(lines.iter()) {
            // With colours, on a terminal.
            true => error.print(),
            false => writeln!(io::stderr(), "{}", lines.join("\n")),
        };
    }

    /// The evaluation before and after training, side by side.
    pub fn outcome<E>(&self, outcome: &Outcome<E>) {
        let Outcome { before, after, kept, steps, .. } = outcome;
        if kept < steps {
            self.say(format_args!("kept step {kept} of {steps}, the best by the first measure"));
        }
        let lines: Vec<_> = before.beside(after).collect();
        let titles = Measure::ALL.iter().map(|measure| measure.title().len());
        let width = titles.chain(lines.iter().map(|(title, ..)| title.len())).max().unwrap_or(0);
        self.say(format_args!("\n{:width$}    before     after      rows", "evaluation"));
        for (title, before, after) in lines {
            let (before, after, rows) = (before.value, after.value, after.rows);
            self.say(format_args!("{title:width$}  {before:>8.4}  {after:>8.4}  {rows:>8}"));
        }
        self.say("");
    }

    /// Progress over `steps` training steps in `epochs` epochs, of which `done` steps are done.
    pub fn progress(&self, steps: usize, epochs: usize, done: usize) -> Result<Progress, Error> {
        let dashboard = self.dashboard.then(|| Dashboard::new(steps, epochs, done)).transpose()?;
        let bar = if self.interactive && !self.quiet && !self.dashboard {
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
        let lines = !self.interactive && !self.quiet && !self.dashboard;
        let dashboard = dashboard.map(RefCell::new);
        Ok(Progress { bar, epochs, lines, dashboard, held: RefCell::default() })
    }
}

/// The progress of one training run.
pub struct Progress {
    bar: ProgressBar,
    epochs: usize,
    lines: bool,
    dashboard: Option<RefCell<Dashboard>>,
    /// Lines to print once the dashboard has closed.
    held: RefCell<Vec<String>>,
}

impl Progress {
    /// One step is done: the mean loss of its epoch so far, sentences a second.
    pub fn step(&self, stats: &StepStats, loss: f64, speed: f64) -> Result<(), Error> {
        let (epoch, epochs) = (stats.epoch + 1, self.epochs);
        self.bar
            .set_message(format!("epoch {epoch}/{epochs}  loss {loss:.4}  {speed:.0} sentences/s"));
        self.bar.inc(1);
        self.on_dashboard(|dashboard| dashboard.step(stats))
    }

    /// Whether the user has ended the training.
    pub fn stopped(&self) -> bool {
        self.dashboard.as_ref().is_some_and(|dashboard| dashboard.borrow().stopped())
    }

    fn on_dashboard(
        &self,
        show: impl FnOnce(&mut Dashboard) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.dashboard.as_ref().map_or(Ok(()), |dashboard| show(&mut dashboard.borrow_mut()))
    }

    /// A line above the progress bar, or one to print after the dashboard has closed.
    fn line(&self, line: String) {
        if self.lines {
            let _ = writeln!(io::stderr(), "{line}");
        }
        match self.dashboard {
            None => self.bar.println(line),
            Some(_) => self.held.borrow_mut().push(line),
        }
    }

    /// The evaluation before the first step.
    pub fn before(&self, evaluation: &Evaluation) {
        if let Some(dashboard) = &self.dashboard {
            dashboard.borrow_mut().before(evaluation);
        }
    }

    /// One epoch is done: a line of its own where there is no bar to watch.
    pub fn epoch(&self, epoch: usize, loss: f64, speed: f64) {
        if self.lines {
            let epochs = self.epochs;
            let _ = writeln!(
                io::stderr(),
                "epoch {epoch}/{epochs}  loss {loss:.4}  {speed:.0} sentences/s"
            );
        }
    }

    /// An evaluation on the way.
    pub fn evaluation(
        &self,
        step: usize,
        evaluation: &Evaluation,
        best: bool,
    ) -> Result<(), Error> {
        let Some((measure, score)) = evaluation.main() else {
            return Ok(());
        };
        let best = if best { ", the best so far" } else { "" };
        self.line(format!("step {step}  {} {:.4}{best}", measure.title(), score.value));
        self.on_dashboard(|dashboard| dashboard.evaluation(evaluation))
    }

    /// Something that the user should change.
    pub fn warning(&self, line: impl Display) -> Result<(), Error> {
        self.line(printable::line(format_args!("warning: {line}")));
        self.on_dashboard(|dashboard| dashboard.count("Warnings"))
    }

    /// Training is over.
    pub fn finish(&self) {
        self.bar.finish();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // Closing the dashboard restores the terminal.
        self.dashboard = None;
        for line in self.held.take() {
            let _ = writeln!(io::stderr(), "{line}");
        }
    }
}
