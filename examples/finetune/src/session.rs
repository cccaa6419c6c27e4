//! One training run, from rows to a trained encoder with its evaluation before and after.

use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use serde_json::{Map, Value};

use crate::batches::Batches;
use crate::checkpoint::Checkpoints;
use crate::console::Console;
use crate::data::Dataset;
use crate::embed::Embedder;
use crate::encoder::{Encoder, EncoderConfig, TextEncoder};
use crate::error::Error;
use crate::evaluate::{Evaluation, Measure, Score, share};
use crate::log::Log;
use crate::objective::{self, Objective};
use crate::optimizer::Optimizer;
use crate::pictures::History;
use crate::schedule::Schedule;
use crate::task::{self, Example, Need};
use crate::tokenizer::Tokenizer;
use crate::train::{Learner, Run, State};

/// The most word pieces that a tokenizer learns.
const VOCABULARY: usize = 8000;

/// Everything that decides a training run.
#[derive(Debug)]
pub struct Session<'a> {
    /// The rows to train on.
    pub training: &'a Dataset,
    /// The rows to evaluate on.
    pub evaluation: &'a Dataset,
    /// The Python name of the loss.
    pub loss: &'a str,
    /// Its options, by their Python names.
    pub options: Map<String, Value>,
    /// The parameters that the loss starts with, if not random ones.
    pub loss_weights: Option<&'a Path>,
    /// How long and how fast to train.
    pub schedule: Schedule,
    /// Where to compute.
    pub device: Device,
    /// The checkpoints of the run, if it writes any or goes on from one.
    pub checkpoints: Option<Checkpoints>,
    /// Whether to go on from a checkpoint.
    pub resume: bool,
    /// Where each step leaves a line.
    pub log: Option<Log>,
}

/// What a training run starts from.
#[derive(Debug)]
pub struct Start<E> {
    /// The encoder, on a device that tracks gradients.
    pub encoder: E,
    /// Texts to its token ids.
    pub tokenizer: Tokenizer,
    /// The longest text that it reads, in tokens.
    pub max_tokens: usize,
    /// The size of its embeddings.
    pub dimension: usize,
}

/// What a training run gives.
#[derive(Debug)]
pub struct Outcome<E> {
    /// The trained encoder.
    pub encoder: E,
    /// Its tokenizer.
    pub tokenizer: Tokenizer,
    /// The number of examples that the data gave.
    pub examples: usize,
    /// The number of training steps.
    pub steps: usize,
    /// The step that the encoder is from.
    pub kept: usize,
    /// The evaluation of the untrained encoder.
    pub before: Evaluation,
    /// The evaluation of the trained encoder.
    pub after: Evaluation,
    /// The losses and evaluations on the way.
    pub history: History,
    checkpoints: Option<Checkpoints>,
}

impl<E> Outcome<E> {
    /// Removes the checkpoints of the run, once the encoder is saved.
    pub fn forget_checkpoints(&self) -> Result<(), Error> {
        self.checkpoints.as_ref().map_or(Ok(()), Checkpoints::remove)
    }
}

impl Session<'_> {
    /// A small encoder with random parameters, and a tokenizer that knows the training rows.
    pub fn from_scratch(&self) -> Result<(Start<Encoder>, EncoderConfig), Error> {
        let tokenizer = Tokenizer::train(self.training.texts(), VOCABULARY)?;
        let config = EncoderConfig::new(tokenizer.vocabulary());
        let encoder = config.init(&self.tracking());
        let (max_tokens, dimension) = (config.max_tokens, config.dimension);
        Ok((Start { encoder, tokenizer, max_tokens, dimension }, config))
    }

    /// The device of the run, tracking gradients, with its random numbers at their start.
    pub fn tracking(&self) -> Device {
        let device = self.device.clone().autodiff();
        device.seed(self.schedule.seed);
        device
    }

    /// Trains and evaluates.
    pub fn run<E: TextEncoder>(
        mut self,
        start: Start<E>,
        console: &Console,
    ) -> Result<Outcome<E>, Error> {
        let examples = task::examples(self.loss, self.training)?;
        if !self.evaluation.tells_something() {
            return Err(self.nothing_to_evaluate());
        }
        let Start { encoder, tokenizer, max_tokens, dimension } = start;
        let device = self.device.clone().autodiff();
        let objective = self.objective(&examples, &encoder, dimension, &device)?;
        let need = Need::of(self.loss).ok_or_else(|| task::unknown_loss(self.loss))?;
        let batches = Batches::new(need, &examples, &tokenizer, max_tokens, &self.schedule)?;
        let steps = batches.count();
        if steps == 0 {
            return Err(Error::NoBatches { data: self.training.name() });
        }
        let learner = Learner { encoder, objective };
        console.say(format_args!(
            "{} on {} examples, {steps} steps; encoder of {} parameters, {} word pieces",
            self.loss,
            examples.len(),
            Module::num_params(&learner.encoder),
            tokenizer.vocabulary(),
        ));
        let (left_out, kind) = batches.left_out(0);
        if left_out > 0 {
            console.note(format_args!(
                "batches are {kind}: the first epoch leaves out {left_out} of {} examples",
                examples.len()
            ));
        }
        let log = self.log.take();
        let evaluate = |learner: &Learner<E>| self.evaluate(learner, &tokenizer, max_tokens);
        let state = self.state(learner, steps, &evaluate, console)?;
        let run = Run {
            batches: &batches,
            schedule: &self.schedule,
            steps,
            device: &device,
            evaluate: &evaluate,
            checkpoints: self.checkpoints.as_ref(),
            log,
            console,
        };
        let State { learner, before, best, step, mut history, .. } = run.train(state)?;
        if step < steps {
            console.say(format_args!("stopped after step {step} of {steps}"));
        }
        let steps = step;
        let (learner, kept, after) = match best {
            Some(best) => (best.learner, best.step, best.evaluation),
            None => {
                let after = evaluate(&learner)?;
                history.evaluated(steps, &after);
                (learner, steps, after)
            }
        };
        let (encoder, examples) = (learner.encoder, examples.len());
        let checkpoints = self.checkpoints;
        Ok(Outcome {
            encoder,
            tokenizer,
            examples,
            steps,
            kept,
            before,
            after,
            history,
            checkpoints,
        })
    }

    fn objective<E: TextEncoder>(
        &self,
        examples: &[Example],
        encoder: &E,
        dimension: usize,
        device: &Device,
    ) -> Result<Objective, Error> {
        let options = self.options.clone();
        let objective = objective::build(self.loss, options, examples, encoder, dimension, device)?;
        match self.loss_weights {
            Some(path) => objective.with_weights(path),
            None => Ok(objective),
        }
    }

    /// Before the first step, or where a run was interrupted.
    fn state<E: TextEncoder>(
        &self,
        learner: Learner<E>,
        steps: usize,
        evaluate: &dyn Fn(&Learner<E>) -> Result<Evaluation, Error>,
        console: &Console,
    ) -> Result<State<E>, Error> {
        let optimizer = Optimizer::new(&self.schedule, steps);
        let mut state = State {
            learner,
            optimizer,
            step: 0,
            before: Evaluation::default(),
            best: None,
            history: History::default(),
        };
        match &self.checkpoints {
            Some(checkpoints) if self.resume => {
                state = checkpoints.read(state)?;
                console.say(format_args!("going on after step {}", state.step));
            }
            _ => {
                state.before = evaluate(&state.learner)?;
                state.history.evaluated(0, &state.before);
            }
        }
        Ok(state)
    }

    fn evaluate<E: TextEncoder>(
        &self,
        learner: &Learner<E>,
        tokenizer: &Tokenizer,
        max_tokens: usize,
    ) -> Result<Evaluation, Error> {
        let embedder = Embedder::new(tokenizer, &learner.encoder, max_tokens);
        let mut evaluation = Evaluation::of(&embedder, self.evaluation, &self.device)?;
        let classes = self.pair_classes(learner, &embedder)?;
        evaluation.insert(Measure::PairClasses, classes);
        if evaluation.is_empty() {
            return Err(self.nothing_to_evaluate());
        }
        Ok(evaluation)
    }

    fn nothing_to_evaluate(&self) -> Error {
        Error::NothingToEvaluate { data: self.evaluation.name() }
    }

    /// How many pairs the loss's own classifier gets right; `None` if it has none.
    fn pair_classes<E: TextEncoder>(
        &self,
        learner: &Learner<E>,
        embedder: &Embedder<E>,
    ) -> Result<Option<Score>, Error> {
        let objective = learner.objective.valid();
        let classes = self.training.pair_classes();
        let rows = self.evaluation.pairs.iter();
        let rows: Vec<_> = rows.filter_map(|pair| Some((pair, pair.class.as_deref()?))).collect();
        if rows.is_empty() || !matches!(objective, Objective::Softmax(_)) {
            return Ok(None);
        }
        let left = rows.iter().map(|(pair, _)| pair.left.as_str()).collect();
        let right = rows.iter().map(|(pair, _)| pair.right.as_str()).collect();
        let columns =
            vec![embedder.tensor(left, &self.device)?, embedder.tensor(right, &self.device)?];
        let given = objective.classify(columns).unwrap_or_default();
        let right =
            rows.iter().zip(given).map(|((_, class), given)| classes.get(given) == Some(class));
        Ok(share(right))
    }
}
