//! A run on the terminal dashboard of burn-train.

use std::io::IsTerminal;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use burn::train::Interrupter;
use burn::train::logger::TrainingProgressLogger;
use burn::train::metric::{
    MetricDefinition, MetricEntry, MetricId, NumericAttributes, NumericEntry, SerializedEntry,
};
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::renderer::{MetricState, MetricsRenderer, MetricsRendererTraining};

use super::interrupt::Interrupts;
use super::silence::Silence;
use crate::error::Error;
use crate::run::evaluation::Evaluation;
use crate::run::train::StepStats;

/// The dashboard. It owns the terminal until it is dropped.
pub struct Dashboard {
    /// `None` once the user has killed the run.
    renderer: Option<TuiMetricsRendererWrapper>,
    interrupter: Interrupter,
    interrupts: Interrupts,
    known: Vec<&'static str>,
    epochs: Epochs,
    /// The evaluation before the first step, until the curves of training have a first point.
    before: Option<Evaluation>,
    // Dropped after the renderer, which may write to standard error when it ends.
    _silence: Silence,
}

impl Dashboard {
    /// Fails without a terminal to show it on.
    pub fn check() -> Result<(), Error> {
        match std::io::stdout().is_terminal() {
            true => Ok(()),
            false => {
                let reason = "stdout is no terminal; leave it out, or write a --log";
                Err(Error::option("--dashboard", reason))
            }
        }
    }

    /// Takes the terminal for a run of `steps` steps in `epochs` epochs, of which `done` are done.
    pub fn new(steps: usize, epochs: usize, done: usize) -> Result<Self, Error> {
        let (interrupter, epochs) = (Interrupter::new(), Epochs::new(steps, epochs));
        let interrupts = Interrupts::listen()?;
        let silence =
            Silence::new().map_err(|error| Error::option("--dashboard", error.to_string()))?;
        let past = epochs.past(done);
        let mut renderer =
            TuiMetricsRendererWrapper::new(interrupter.clone(), (past > 0).then_some(past));
        renderer.start(epochs.count, past + 1, Some(epochs.steps), Some("finetune"));
        let (renderer, known) = (Some(renderer), Vec::new());
        Ok(Self {
            renderer,
            interrupter,
            interrupts,
            known,
            epochs,
            before: None,
            _silence: silence,
        })
    }

    /// Keeps the evaluation before the first step, to show it after the curves of training.
    pub fn before(&mut self, evaluation: &Evaluation) {
        self.before = Some(evaluation.clone());
    }

    /// One step is done.
    pub fn step(&mut self, stats: &StepStats) -> Result<(), Error> {
        self.interrupts.let_through();
        let train = MetricsRendererTraining::update_train;
        self.show(LOSS, stats.loss, train)?;
        self.show(LEARNING_RATE, stats.learning_rate, train)?;
        self.show(GRADIENT_NORM, stats.gradient_norm, train)?;
        if let Some(before) = self.before.take() {
            self.evaluation(&before)?;
        }
        let Epochs { steps, .. } = self.epochs;
        let past = self.epochs.past(stats.step - 1);
        self.tell(|renderer| {
            renderer.update_epoch(past);
            renderer.start_split("train", steps);
            renderer.update_split(stats.step - past * steps);
        })
    }

    /// An evaluation on the way.
    pub fn evaluation(&mut self, evaluation: &Evaluation) -> Result<(), Error> {
        for (measure, score) in evaluation.iter() {
            let metric = Metric { name: measure.title(), higher_is_better: true };
            self.show(metric, score.value, MetricsRendererTraining::update_valid)?;
        }
        self.count("Evaluations")
    }

    /// One more of something.
    pub fn count(&mut self, event: &str) -> Result<(), Error> {
        self.tell(|renderer| renderer.log_event_training(event.to_string()))
    }

    /// Whether the user has ended the run.
    pub fn stopped(&self) -> bool {
        self.interrupter.should_stop() || self.interrupts.came()
    }

    fn show(
        &mut self,
        metric: Metric,
        value: f64,
        update: fn(&mut TuiMetricsRendererWrapper, MetricState),
    ) -> Result<(), Error> {
        let Metric { name, higher_is_better } = metric;
        let id = MetricId::new(Arc::new(name.to_string()));
        if !self.known.contains(&name) {
            self.known.push(name);
            let definition = MetricDefinition {
                metric_id: id.clone(),
                name: Arc::new(name.to_string()),
                description: None,
                attributes: NumericAttributes { unit: None, higher_is_better }.into(),
            };
            self.tell(|renderer| renderer.register_metric(definition))?;
        }
        let entry = SerializedEntry::new(written(value), value.to_string());
        let state = MetricState::Numeric(
            MetricEntry::new(id, entry),
            value.is_finite().then_some(NumericEntry::Value(value)),
        );
        self.tell(|renderer| update(renderer, state))
    }

    /// Calls the renderer, which panics once the user has killed the run from its menu.
    fn tell(&mut self, say: impl FnOnce(&mut TuiMetricsRendererWrapper)) -> Result<(), Error> {
        let Some(mut renderer) = self.renderer.take() else { return Err(Error::Killed) };
        match catch_unwind(AssertUnwindSafe(|| say(&mut renderer))) {
            Ok(()) => {
                self.renderer = Some(renderer);
                Ok(())
            }
            Err(_) => {
                // It has restored the terminal, and would panic when dropped.
                std::mem::forget(renderer);
                Err(Error::Killed)
            }
        }
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        // The user may kill the run while it ends.
        let renderer = self.renderer.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(renderer)));
    }
}

/// The name of a curve, and whether higher is better.
#[derive(Clone, Copy)]
struct Metric {
    name: &'static str,
    higher_is_better: bool,
}

const LOSS: Metric = Metric { name: "Loss", higher_is_better: false };
const LEARNING_RATE: Metric = Metric { name: "Learning rate", higher_is_better: false };
const GRADIENT_NORM: Metric = Metric { name: "Gradient norm", higher_is_better: false };

/// A number in four digits.
fn written(value: f64) -> String {
    match value.abs() {
        size if size == 0.0 || (1e-3..1e4).contains(&size) => format!("{value:.4}"),
        _ => format!("{value:.3e}"),
    }
}

/// Epochs of equal length, because the dashboard knows no others.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Epochs {
    count: usize,
    /// The steps of each.
    steps: usize,
}

impl Epochs {
    fn new(steps: usize, count: usize) -> Self {
        let count = count.clamp(1, steps.max(1));
        Self { count, steps: steps.div_ceil(count).max(1) }
    }

    /// The number of epochs that are over after `steps` steps.
    fn past(self, steps: usize) -> usize {
        (steps / self.steps).min(self.count - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_hold_all_steps() {
        for (steps, count) in [(1, 10), (7, 3), (30, 10), (31, 10), (5, 1)] {
            let epochs = Epochs::new(steps, count);
            assert!(epochs.steps * epochs.count >= steps, "{epochs:?}");
            for step in 1..=steps {
                let past = epochs.past(step - 1);
                assert!(past < epochs.count && step - past * epochs.steps >= 1, "{epochs:?}");
                assert!(step - past * epochs.steps <= epochs.steps, "{epochs:?} at {step}");
            }
        }
    }

    #[test]
    fn numbers_keep_four_digits() {
        assert_eq!([0.0, 0.25, 12.5].map(written), ["0.0000", "0.2500", "12.5000"]);
        assert_eq!([2e-5, -3e6].map(written), ["2.000e-5", "-3.000e6"]);
    }
}
