//! The training loop.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Device;
use burn_embedding_losses::{GradCache, Workers};
use burn_embedding_models::TextEncoder;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;

use super::batches::{Batches, Step};
use super::checkpoint::Checkpoints;
use super::encoder_with_loss::EncoderWithLoss;
use super::evaluation::Evaluation;
use super::objective::{SeenParts, Trainable};
use super::optimizer::{Optimizer, OptimizerStep};
use super::pace::Pace;
use super::schedule::Schedule;
use super::session::Evaluate;
use super::watch::Watch;
use crate::error::Error;
use crate::report::console::{Console, Progress};
use crate::report::log::Log;
use crate::report::pictures::History;

/// The state of a run between two steps.
#[derive(Debug)]
pub struct State<E: Module, L: Module> {
    /// All trained parameters.
    pub model: EncoderWithLoss<E, L>,
    /// Updates them.
    pub optimizer: Optimizer,
    /// The number of steps taken.
    pub step: usize,
    /// The evaluation before the first step.
    pub before: Evaluation,
    /// The best model that was evaluated on the way.
    pub best: Option<Best<E, L>>,
    /// The losses and evaluations so far.
    pub history: History,
    /// What could not be written, and why.
    pub unwritten: Vec<String>,
}

/// The best of the evaluated steps.
#[derive(Debug)]
pub struct Best<E: Module, L: Module> {
    /// The parameters after that step.
    pub model: EncoderWithLoss<E, L>,
    /// The number of the step.
    pub step: usize,
    /// Its evaluation.
    pub evaluation: Evaluation,
}

/// Everything that a training loop needs.
pub struct Run<'a, E: Module, L: Module> {
    /// The examples.
    pub batches: &'a Batches<'a>,
    /// How to train on them.
    pub schedule: &'a Schedule,
    /// The number of all steps.
    pub steps: usize,
    /// The device, tracking gradients.
    pub device: &'a Device,
    /// Who embeds parts of a batch at the same time, if more than one does.
    pub workers: Option<&'a Workers>,
    /// How many texts each of them takes at a time, if not all of its part.
    pub mini_batch: Option<usize>,
    /// Evaluates the model.
    pub evaluate: &'a Evaluate<'a, E, L>,
    /// Where to write checkpoints.
    pub checkpoints: Option<&'a Checkpoints>,
    /// The file that gets a line for each step.
    pub log: Option<Log>,
    /// Where progress is shown.
    pub console: &'a Console,
}

impl<E: TextEncoder, L: Trainable> Run<'_, E, L> {
    /// Takes all steps that `state` has not taken.
    pub fn train(mut self, mut state: State<E, L>) -> Result<State<E, L>, Error> {
        let progress = self.console.progress(self.steps, self.batches.epochs(), state.step)?;
        progress.before(&state.before);
        if let Some(log) = &mut self.log
            && state.step > 0
        {
            log.go_on_after(state.step)?;
        }
        let mut pace = Pace::new();
        let mut watch = Watch::default();
        for step in self.batches.steps().take(self.steps).skip(state.step) {
            let stats;
            (state, stats) = self.step(state, &step)?;
            pace.add(&stats);
            state.history.losses.push(stats.loss);
            let seen = watch.look(&self, &state.model, &step, &stats)?;
            watch.warn(&seen, &stats, self.schedule, &progress)?;
            if let Some(log) = &mut self.log
                && let Err(error) = log.write(&stats, seen.diagnostics.as_ref(), pace.seconds())
            {
                // No line follows one that is torn.
                self.log = None;
                go_on_without(&error, &mut state, &progress)?;
            }
            progress.step(&stats, pace.loss(), pace.speed())?;
            if step.last || state.step == self.steps {
                progress.epoch(step.epoch + 1, pace.loss(), pace.speed());
                pace.next_epoch();
            }
            let stopped = progress.stopped();
            self.evaluate_and_save(&mut state, &progress, stopped)?;
            if stopped {
                break;
            }
        }
        progress.finish();
        Ok(state)
    }

    /// Takes one step. Everything random in it follows from its number.
    fn step(&self, mut state: State<E, L>, step: &Step) -> Result<(State<E, L>, StepStats), Error> {
        let number = state.step + 1;
        let seed = self.schedule.seed_of(number);
        self.device.seed(seed);
        state.model.objective.restart_draws(seed);
        let mut rng = StdRng::seed_from_u64(seed);
        let mut gradients = GradientsAccumulator::new();
        let (mut texts, mut loss, mut parts) = (0, 0.0, BTreeMap::new());
        for rows in &step.batches {
            let share = 1.0 / step.batches.len() as f64;
            let part = self.backward(&state.model, rows, share, &mut rng, &mut gradients)?;
            texts += part.texts;
            loss += part.loss;
            part.parts.iter().for_each(|(name, value)| *parts.entry(*name).or_default() += value);
            if !loss.is_finite() {
                return Err(self.diverged("loss", number, loss.into()));
            }
        }
        let (model, taken) = state.optimizer.step(state.model, gradients.grads());
        state.model = model;
        state.step = number;
        let OptimizerStep { learning_rate, gradient_norm } = taken;
        if !gradient_norm.is_finite() {
            return Err(self.diverged("gradient", number, gradient_norm));
        }
        let (epoch, loss) = (step.epoch, loss.into());
        let step = number;
        Ok((state, StepStats { step, epoch, loss, learning_rate, gradient_norm, texts, parts }))
    }

    /// Adds the gradients of one batch, times `share`, to those of the step.
    fn backward(
        &self,
        model: &EncoderWithLoss<E, L>,
        rows: &[usize],
        share: f64,
        rng: &mut StdRng,
        gradients: &mut GradientsAccumulator<EncoderWithLoss<E, L>>,
    ) -> Result<Part, Error> {
        let batch = self.batches.batch(rows, rng)?;
        let texts = batch.texts.len();
        let mut add = |part| gradients.accumulate(model, part);
        let of_model = |part| GradientsParams::from_grads(part, model);
        let mut seen = SeenParts::default();
        let loss = match (self.schedule.mini_batch_size, self.workers) {
            (_, Some(workers)) => model.loss_by(
                (workers, self.mini_batch),
                batch,
                rng.random(),
                (share, &mut seen),
                add,
            ),
            (Some(size), None) => {
                let random = (self.device, rng.random());
                let add = |part| add(of_model(part));
                model.cached_loss(batch, GradCache::new(size), random, (share, &mut seen), add)
            }
            (None, None) => {
                let loss = model.loss(batch, self.device, &mut seen) * share;
                add(of_model(loss.backward()));
                loss
            }
        };
        let parts = seen.read().map(|(name, value)| (name, value * share)).collect();
        Ok(Part { texts, loss: loss.into_scalar(), parts })
    }

    /// Evaluates and writes a checkpoint where either is due.
    fn evaluate_and_save(
        &self,
        state: &mut State<E, L>,
        progress: &Progress,
        stopped: bool,
    ) -> Result<(), Error> {
        let step = state.step;
        let due = |every: Option<usize>| every.is_some_and(|n| step.is_multiple_of(n));
        let last = stopped || step == self.steps;
        if due(self.schedule.evaluate_every) || (last && state.best.is_some()) {
            self.compare(state, progress)?;
        }
        let written = match self.checkpoints {
            Some(checkpoints) if due(self.schedule.checkpoint_every) => checkpoints.write(state),
            _ => Ok(()),
        };
        written.or_else(|error| go_on_without(&error, state, progress))
    }

    /// Evaluates, and keeps the model if it is better than all before.
    fn compare(&self, state: &mut State<E, L>, progress: &Progress) -> Result<(), Error> {
        let evaluation = (self.evaluate)(&state.model)?;
        let better = state.best.as_ref().is_none_or(|best| evaluation.is_better(&best.evaluation));
        progress.evaluation(state.step, &evaluation, better)?;
        state.history.evaluated(state.step, &evaluation);
        if better {
            let (model, step) = (state.model.clone(), state.step);
            state.best = Some(Best { model, step, evaluation });
        }
        Ok(())
    }

    fn diverged(&self, what: &'static str, step: usize, value: f64) -> Error {
        Error::Diverged { what, step, value, learning_rate: self.schedule.learning_rate }
    }
}

/// Training is worth more than a log or a checkpoint that cannot be written: warns, and says so again at the end.
fn go_on_without<E: Module, L: Module>(
    error: &Error,
    state: &mut State<E, L>,
    progress: &Progress,
) -> Result<(), Error> {
    let reason = error.to_string();
    if state.unwritten.contains(&reason) {
        return Ok(());
    }
    progress.warning(format_args!("{reason}; the training goes on without"))?;
    state.unwritten.push(reason);
    Ok(())
}

/// One batch of a step.
struct Part {
    texts: usize,
    loss: f32,
    parts: Vec<(&'static str, f64)>,
}

/// The figures of one step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepStats {
    /// Its number, counted from one.
    pub step: usize,
    /// Its epoch, counted from zero.
    pub epoch: usize,
    /// The mean loss of its batches.
    pub loss: f64,
    /// The learning rate.
    pub learning_rate: f64,
    /// The length of the gradient of all parameters together, before it was bounded.
    pub gradient_norm: f64,
    /// The number of its texts.
    pub texts: usize,
    /// The parts of the loss, of one that has parts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<&'static str, f64>,
}
