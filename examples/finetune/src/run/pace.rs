//! The speed of a run, and the mean loss of its epoch.

use std::time::Instant;

use super::train::StepStats;

pub(super) struct Pace {
    start: Instant,
    texts: usize,
    sum: f64,
    steps: usize,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), texts: 0, sum: 0.0, steps: 0 }
    }

    pub(super) fn add(&mut self, stats: &StepStats) {
        self.texts += stats.texts;
        self.sum += stats.loss;
        self.steps += 1;
    }

    pub(super) fn next_epoch(&mut self) {
        (self.sum, self.steps) = (0.0, 0);
    }

    /// The mean loss of the epoch so far.
    pub(super) fn loss(&self) -> f64 {
        self.sum / self.steps as f64
    }

    /// Seconds since the start.
    pub(super) fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Texts a second.
    pub(super) fn speed(&self) -> f64 {
        self.texts as f64 / self.seconds()
    }
}
