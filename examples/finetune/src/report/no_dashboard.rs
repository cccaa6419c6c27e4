//! Takes the place of the dashboard in a build without the cargo feature `dashboard`.

use crate::error::Error;
use crate::run::evaluation::Evaluation;
use crate::run::train::StepStats;

/// Has no values: such a build never shows a dashboard.
#[derive(Debug)]
pub enum Dashboard {}

impl Dashboard {
    /// Refuses the dashboard, and says how to get it.
    pub fn check() -> Result<(), Error> {
        Err(Self::refusal())
    }

    fn refusal() -> Error {
        let reason = "this build has none; add `--features dashboard` to the cargo command";
        Error::option("--dashboard", reason)
    }

    /// As [`check`](Self::check).
    pub fn new(_steps: usize, _epochs: usize, _done: usize) -> Result<Self, Error> {
        Err(Self::refusal())
    }

    /// Cannot be called.
    pub fn before(&mut self, _evaluation: &Evaluation) {
        match *self {}
    }

    /// Cannot be called.
    pub fn step(&mut self, _stats: &StepStats) -> Result<(), Error> {
        match *self {}
    }

    /// Cannot be called.
    pub fn evaluation(&mut self, _evaluation: &Evaluation) -> Result<(), Error> {
        match *self {}
    }

    /// Cannot be called.
    pub fn count(&mut self, _event: &str) -> Result<(), Error> {
        match *self {}
    }

    /// Cannot be called.
    pub fn stopped(&self) -> bool {
        match *self {}
    }
}
