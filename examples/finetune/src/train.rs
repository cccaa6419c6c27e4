//! The training loop.

use std::ops::Range;
use std::time::Instant;

use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Gradients, Tensor};
use burn_embedding_losses::{Diagnostics, GradCache};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;

use crate::batches::{Batch, Batches, Step};
use crate::checkpoint::Checkpoints;
use crate::console::{Console, Progress};
use crate::encoder::TextEncoder;
use crate::error::Error;
use crate::evaluate::Evaluation;
use crate::lengths;
use crate::log::Log;
use crate::objective::Objective;
use crate::optimizer::{Optimizer, Taken};
use crate::pictures::History;
use crate::schedule::Schedule;

/// What is trained: the encoder, and the parameters that the loss owns.
#[derive(Module, Debug)]
pub struct Learner<E: Module> {
    /// Texts to embeddings.
    pub encoder: E,
    /// Embeddings to the loss.
    pub objective: Objective,
}

impl<E: TextEncoder> Learner<E> {
    /// The loss of a batch: all its texts go through the encoder together.
    fn loss(&self, batch: Batch, device: &Device) -> Tensor<1> {
        let texts: Vec<_> = batch.texts.iter().map(Vec::as_slice).collect();
        let columns = self.encoder.embed(&texts, device).chunk(batch.columns, 0);
        self.objective.forward(&self.encoder, columns, &batch)
    }

    /// What the loss sees in a batch, with everything random left out; a few texts at a time.
    fn diagnose(&self, batch: &Batch, device: &Device, mini_batch: usize) -> Option<Diagnostics> {
        let learner = self.valid();
        let texts: Vec<_> = batch.texts.iter().map(Vec::as_slice).collect();
        let parts = texts.chunks(mini_batch).map(|texts| learner.encoder.embed(texts, device));
        let columns = Tensor::cat(parts.collect(), 0).chunk(batch.columns, 0);
        learner.objective.diagnose(columns, batch)
    }

    /// The loss of a batch whose texts go through the encoder a few at a time, those of like length
    /// together, times `share`; `gradients` takes the parts of its gradient.
    fn cached(
        &self,
        batch: Batch,
        cache: GradCache,
        (device, seed): (&Device, u64),
        share: f64,
        gradients: impl FnMut(Gradients),
    ) -> Tensor<1> {
        let mut order: Vec<_> = (0..batch.texts.len()).collect();
        order.sort_by_key(|&index| batch.texts[index].len());
        let texts: Vec<_> = order.iter().map(|&index| batch.texts[index].as_slice()).collect();
        let loss = |sorted: Tensor<2>| {
            let places = Tensor::from_data(lengths::places(&order).as_slice(), &sorted.device());
            let columns = sorted.select(0, places).chunk(batch.columns, 0);
            self.objective.forward(&self.encoder, columns, &batch) * share
        };
        let embed = |encoder: &E, rows: Range<usize>| encoder.embed(&texts[rows], device);
        let step = cache.seeded(seed).step(&self.encoder, texts.len(), embed, loss);
        step.gradients.for_each(gradients);
        step.loss
    }
}

/// A run between two steps.
#[derive(Debug)]
pub struct State<E: Module> {
    /// What is trained.
    pub learner: Learner<E>,
    /// What moves it.
    pub optimizer: Optimizer,
    /// The steps that are done.
    pub step: usize,
    /// The evaluation before the first step.
    pub before: Evaluation,
    /// The best that was evaluated on the way.
    pub best: Option<Best<E>>,
    /// What the steps gave.
    pub history: History,
}

/// The best of the evaluated steps.
#[derive(Debug)]
pub struct Best<E: Module> {
    /// What was trained so far.
    pub learner: Learner<E>,
    /// Its step.
    pub step: usize,
    /// How good it is.
    pub evaluation: Evaluation,
}

/// What a run trains on, and what it does on the way.
pub struct Run<'a, E: Module> {
    /// The examples.
    pub batches: &'a Batches<'a>,
    /// How to train on them.
    pub schedule: &'a Schedule,
    /// The number of all steps.
    pub steps: usize,
    /// The device, tracking gradients.
    pub device: &'a Device,
    /// How good the learner is.
    pub evaluate: &'a dyn Fn(&Learner<E>) -> Result<Evaluation, Error>,
    /// Where to write checkpoints.
    pub checkpoints: Option<&'a Checkpoints>,
    /// Where each step leaves a line.
    pub log: Option<Log>,
    /// Whom to tell.
    pub console: &'a Console,
}

impl<E: TextEncoder> Run<'_, E> {
    /// Takes all steps that `state` has not taken.
    pub fn train(mut self, mut state: State<E>) -> Result<State<E>, Error> {
        let progress = self.console.progress(self.steps, self.batches.epochs(), state.step)?;
        progress.before(&state.before);
        let mut pace = Pace::new();
        let mut warned = false;
        for step in self.batches.steps().take(self.steps).skip(state.step) {
            let done;
            (state, done) = self.step(state, &step)?;
            pace.add(&done);
            state.history.losses.push(done.loss);
            let seen = self.diagnose(&state.learner, &step, &done, warned)?;
            if let Some(why) = seen.and_then(|seen| seen.dead()).filter(|_| !warned) {
                warned = true;
                progress.warning(format_args!(
                    "step {} has no signal: {why}{}",
                    done.step,
                    self.hint()
                ))?;
            }
            if let Some(log) = &mut self.log {
                log.write(&done, seen.as_ref(), pace.seconds())?;
            }
            progress.step(&done, pace.loss(), pace.speed())?;
            if step.last || state.step == self.steps {
                progress.epoch(step.epoch + 1, pace.loss(), pace.speed());
                pace.next_epoch();
            }
            let stopped = progress.stopped();
            self.look(&mut state, &progress, stopped)?;
            if stopped {
                break;
            }
        }
        progress.finish();
        Ok(state)
    }

    /// Takes one step. All that is random in it follows from its number.
    fn step(&self, mut state: State<E>, step: &Step) -> Result<(State<E>, Done), Error> {
        let number = state.step + 1;
        let seed = self.schedule.seed_of(number);
        self.device.seed(seed);
        let mut rng = StdRng::seed_from_u64(seed);
        let mut gradients = GradientsAccumulator::new();
        let (mut texts, mut sum) = (0, 0.0);
        for rows in &step.batches {
            let batch = self.batches.batch(rows, &mut rng)?;
            texts += batch.texts.len();
            let learner = &state.learner;
            let mut take = |part| {
                gradients.accumulate(learner, GradientsParams::from_grads(part, learner));
            };
            let share = 1.0 / step.batches.len() as f64;
            let loss = match self.schedule.mini_batch_size {
                Some(size) => {
                    let random = (self.device, rng.random());
                    learner.cached(batch, GradCache::new(size), random, share, take)
                }
                None => {
                    let loss = learner.loss(batch, self.device) * share;
                    take(loss.backward());
                    loss
                }
            };
            sum += loss.into_scalar::<f32>();
            if !sum.is_finite() {
                return Err(self.diverged("loss", number, sum.into()));
            }
        }
        let (learner, taken) = state.optimizer.step(state.learner, gradients.grads());
        state.learner = learner;
        let Taken { learning_rate, gradient_norm } = taken;
        if !gradient_norm.is_finite() {
            return Err(self.diverged("gradient", number, gradient_norm));
        }
        state.step = number;
        let loss = sum.into();
        let done =
            Done { step: number, epoch: step.epoch, loss, learning_rate, gradient_norm, texts };
        Ok((state, done))
    }

    /// What to do about a batch without signal, here.
    fn hint(&self) -> &'static str {
        match self.schedule.shuffle {
            true => "",
            false => " (without --no-shuffle, `GroupByLabel` samples the batches)",
        }
    }

    /// What the loss saw in the first batch of a step: where it is time, and where there was no gradient
    /// or cannot be a right one.
    fn diagnose(
        &self,
        learner: &Learner<E>,
        step: &Step,
        done: &Done,
        warned: bool,
    ) -> Result<Option<Diagnostics>, Error> {
        let every = self.schedule.diagnose_every;
        let time = every.is_some_and(|every| done.step.is_multiple_of(every));
        let silent = done.gradient_norm < NO_GRADIENT;
        let suspicious = !warned && (silent || self.batches.lacks_classes(&step.batches[0]));
        if !time && !suspicious {
            return Ok(None);
        }
        let mut rng = StdRng::seed_from_u64(self.schedule.seed_of(done.step));
        let batch = self.batches.batch(&step.batches[0], &mut rng)?;
        let mini_batch = self.schedule.mini_batch_size.unwrap_or(batch.texts.len());
        Ok(learner.diagnose(&batch, &self.device.clone().inner(), mini_batch))
    }

    /// Evaluates and writes a checkpoint where it is time.
    fn look(&self, state: &mut State<E>, progress: &Progress, stopped: bool) -> Result<(), Error> {
        let step = state.step;
        let time = |every: Option<usize>| every.is_some_and(|n| step.is_multiple_of(n));
        let last = stopped || step == self.steps;
        if time(self.schedule.evaluate_every) || (last && state.best.is_some()) {
            self.compare(state, progress)?;
        }
        match self.checkpoints {
            Some(checkpoints) if time(self.schedule.checkpoint_every) => checkpoints.write(state),
            _ => Ok(()),
        }
    }

    /// Evaluates, and keeps what is better than all before.
    fn compare(&self, state: &mut State<E>, progress: &Progress) -> Result<(), Error> {
        let evaluation = (self.evaluate)(&state.learner)?;
        let better = state.best.as_ref().is_none_or(|best| evaluation.is_better(&best.evaluation));
        progress.evaluation(state.step, &evaluation, better)?;
        state.history.evaluated(state.step, &evaluation);
        if better {
            let (learner, step) = (state.learner.clone(), state.step);
            state.best = Some(Best { learner, step, evaluation });
        }
        Ok(())
    }

    fn diverged(&self, what: &'static str, step: usize, value: f64) -> Error {
        Error::Diverged { what, step, value, learning_rate: self.schedule.learning_rate }
    }
}

/// Gradients shorter than this change nothing.
const NO_GRADIENT: f64 = 1e-12;

/// What a step was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Done {
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
    /// The number of texts that it saw.
    pub texts: usize,
}

/// How fast the run goes, and the mean loss of the epoch.
struct Pace {
    start: Instant,
    texts: usize,
    sum: f64,
    steps: usize,
}

impl Pace {
    fn new() -> Self {
        Self { start: Instant::now(), texts: 0, sum: 0.0, steps: 0 }
    }

    fn add(&mut self, done: &Done) {
        self.texts += done.texts;
        self.sum += done.loss;
        self.steps += 1;
    }

    fn next_epoch(&mut self) {
        (self.sum, self.steps) = (0.0, 0);
    }

    fn loss(&self) -> f64 {
        self.sum / self.steps as f64
    }

    fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    fn speed(&self) -> f64 {
        self.texts as f64 / self.seconds()
    }
}
