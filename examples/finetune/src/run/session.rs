//! One training run, from rows to a trained encoder with its evaluation before and after.

use burn::module::Module;
use burn::tensor::Device;
use burn_embedding_losses::Workers;
use burn_embedding_losses::catalog::BatchKind;
use burn_embedding_losses::reranking::MultipleNegativesRankingLoss;
use burn_embedding_models::{TextEncoder, Tokenizer};

use super::batches::Batches;
use super::checkpoint::Checkpoints;
use super::encoder::{Encoder, EncoderConfig};
use super::encoder_with_loss::EncoderWithLoss;
use super::evaluation::{Embedder, Evaluation, Measure, Score, Scorer, share};
use super::guide::Guide;
use super::lora;
use super::objective::{Choice, Objective, Trainable};
use super::optimizer::Optimizer;
pub use super::outcome::Outcome;
use super::outcome::Trained;
use super::routes::Routes;
use super::schedule::Schedule;
pub use super::start::Start;
use super::train::{Best, Run, State};
use crate::data::Dataset;
use crate::data::derive::class_places;
use crate::data::task::{self, Example};
use crate::error::Error;
use crate::report::console::Console;
use crate::report::log::Log;
use crate::report::pictures::History;

/// The most word pieces that a tokenizer learns.
const VOCABULARY: usize = 8000;

/// It takes seconds to draw as many examples, only to count the steps.
const MANY: usize = 1 << 25;

/// Everything that decides a training run.
#[derive(Debug)]
pub struct Session<'a> {
    /// The rows to train on.
    pub training: &'a Dataset,
    /// The rows to evaluate on.
    pub evaluation: &'a Dataset,
    /// The schedule.
    pub schedule: Schedule,
    /// The device of the parameters and of the optimizer.
    pub device: Device,
    /// Further devices, which embed a part of each batch each, and of what is evaluated.
    pub more_devices: Vec<Device>,
    /// The checkpoints of the run, if it writes any or goes on from one.
    pub checkpoints: Option<Checkpoints>,
    /// The model that tells the loss which texts are no negatives, if the loss wants one.
    pub guide: Option<Guide>,
    /// Whether to go on from a checkpoint.
    pub resume: bool,
    /// The file that gets a line for each step.
    pub log: Option<Log>,
}

/// Evaluates a model.
pub(super) type Evaluate<'a, E, L> =
    dyn Fn(&EncoderWithLoss<E, L>) -> Result<Evaluation, Error> + 'a;

/// A loss with the examples that it learns from.
struct Task {
    loss: String,
    takes: BatchKind,
    examples: Vec<Example>,
    negatives: Option<MultipleNegativesRankingLoss>,
}

impl Task {
    /// The same; the classes of a model that knows some have the places that it gives them.
    fn with_classes_of(self, routes: &Routes, training: &Dataset) -> Result<Self, Error> {
        match (self.takes, routes.pairs()) {
            (BatchKind::ClassLogits, Some(pairs)) if pairs.classes.names().len() == 1 => {
                let loss = task::short_name(&self.loss);
                let reason = format!("the model has 1 label, and {loss} needs one for each class");
                Err(Error::option("--model", reason))
            }
            (BatchKind::ClassLogits, Some(pairs)) => {
                let examples = task::examples_of_classes(&pairs.classes, training)?;
                Ok(Self { examples, ..self })
            }
            _ => Ok(self),
        }
    }
}

impl Session<'_> {
    /// A small encoder with random parameters, and a tokenizer that knows the training rows.
    pub fn from_scratch(&self) -> Result<(Start<Encoder>, EncoderConfig), Error> {
        let tokenizer = self.tokenizer(EncoderConfig::new(0).max_tokens)?;
        let config = EncoderConfig::new(tokenizer.vocabulary());
        let encoder = config.init(&self.tracking());
        let routes = tokenizer.into();
        Ok((Start { encoder, routes, dimension: config.dimension }, config))
    }

    /// A tokenizer that knows the training rows, for texts of at most `max_tokens`.
    pub fn tokenizer(&self, max_tokens: usize) -> Result<Tokenizer, Error> {
        let mut unread = None;
        let texts = self
            .training
            .all_texts()
            .map_while(|text| self.training.text(text).map_err(|error| unread = Some(error)).ok());
        let tokenizer = Tokenizer::train(texts, VOCABULARY, max_tokens)?;
        unread.map_or(Ok(tokenizer), Err)
    }

    /// The device of the run, tracking gradients, with its random numbers at their start.
    pub fn tracking(&self) -> Device {
        let device = self.device.clone().autodiff();
        device.seed(self.schedule.seed);
        device
    }

    /// Trains with a loss of the catalog, and evaluates.
    pub fn run<E: TextEncoder>(
        self,
        start: Start<E>,
        loss: &Choice,
        console: &Console,
    ) -> Result<Outcome<E>, Error> {
        let task = self.task(&loss.name, task::kind_of(&loss.name)?)?;
        let task =
            Task { loss: loss.title(), ..task.with_classes_of(&start.routes, self.training)? };
        let device = self.device.clone().autodiff();
        let objective = loss.build(&task.examples, &start, &device)?;
        let task = Task { negatives: objective.draws_negatives(), ..task };
        self.train(start, task, objective, console)
    }

    /// Trains with a loss of your own, and evaluates.
    pub fn run_with<E: TextEncoder, L: Trainable>(
        self,
        start: Start<E>,
        loss: L,
        console: &Console,
    ) -> Result<Outcome<E>, Error> {
        let task = self.task(loss.name(), loss.takes())?;
        self.train(start, task, Objective::Any(loss), console)
    }

    fn task(&self, loss: &str, takes: BatchKind) -> Result<Task, Error> {
        let examples = task::examples(loss, takes, self.training)?;
        match self.evaluation.tells_something() {
            true => Ok(Task { loss: loss.to_string(), takes, examples, negatives: None }),
            false => Err(self.nothing_to_evaluate()),
        }
    }

    fn train<E: TextEncoder, L: Trainable>(
        mut self,
        start: Start<E>,
        task: Task,
        objective: Objective<L>,
        console: &Console,
    ) -> Result<Outcome<E>, Error> {
        let log = self.log.take();
        let Start { encoder, routes, .. } = start;
        let device = self.device.clone().autodiff();
        let drawn = task.examples.len().saturating_mul(self.schedule.epochs);
        if self.schedule.steps.is_none() && drawn > MANY {
            console.note("counting the steps of all epochs; --steps N begins at once");
        }
        let (batches, steps) = self.batches(&task, &routes)?;
        let model = EncoderWithLoss { encoder, objective };
        self.announce(&task.loss, &model.encoder, &routes, &batches, steps, console);
        let evaluate = |model: &EncoderWithLoss<E, L>| self.evaluate(model, &routes);
        let workers = self.workers(&device);
        let run = Run {
            batches: &batches,
            schedule: &self.schedule,
            steps,
            device: &device,
            workers: workers.as_ref(),
            mini_batch: self.mini_batch(),
            evaluate: &evaluate,
            checkpoints: self.checkpoints.as_ref(),
            log,
            console,
        };
        let state = run.train(self.state(model, (steps, routes.rates()), &evaluate, console)?)?;
        if state.step < steps {
            console.say(format_args!("stopped after step {} of {steps}", state.step));
        }
        let trained = Trained::of(state, &evaluate)?;
        Ok(trained.outcome(routes, task.examples.len(), self.checkpoints))
    }

    fn devices(&self) -> Vec<Device> {
        [&self.device].into_iter().chain(&self.more_devices).cloned().collect()
    }

    /// Those who embed parts of a batch at the same time, if there are several.
    fn workers(&self, device: &Device) -> Option<Workers> {
        let count = self.schedule.workers;
        match self.more_devices.is_empty() {
            true => (count > 1).then(|| Workers::threads(count, device)),
            false => Some(Workers::devices(self.devices().into_iter().map(Device::autodiff))),
        }
    }

    /// How many texts each of them takes at a time. Threads share the memory of one device, in which they have all of a
    /// mini-batch together.
    fn mini_batch(&self) -> Option<usize> {
        let threads = if self.more_devices.is_empty() { self.schedule.workers } else { 1 };
        self.schedule.mini_batch_size.map(|size| size.div_ceil(threads))
    }

    /// The batches of the run, and the number of its steps.
    fn batches<'b>(
        &'b self,
        task: &'b Task,
        routes: &'b Routes,
    ) -> Result<(Batches<'b>, usize), Error> {
        let (examples, texts) = (&task.examples, &self.training.texts);
        let batches = Batches::new(task.takes, examples, texts, routes, &self.schedule);
        let batches = batches.guided_by(self.guide.as_ref());
        let batches = batches.with_negatives(task.negatives.as_ref());
        match batches.count() {
            0 => Err(Error::NoBatches { data: self.training.name() }),
            steps => Ok((batches, steps)),
        }
    }

    /// Says what will be trained, and how many examples the batches leave out.
    fn announce<E: TextEncoder>(
        &self,
        loss: &str,
        encoder: &E,
        routes: &Routes,
        batches: &Batches,
        steps: usize,
        console: &Console,
    ) {
        let examples = batches.examples();
        let (parameters, pieces) = (Module::num_params(encoder), routes.tokenizer().vocabulary());
        let trained = match lora::trained_parameters(encoder) {
            trained if trained == parameters => String::new(),
            trained => format!(" ({trained} of them trained)"),
        };
        console.say(format_args!(
            "{loss} on {examples} examples, {steps} steps; encoder of {parameters} parameters{trained}, \
             {pieces} word pieces",
        ));
        let (left_out, kind) = batches.left_out(0);
        if left_out > 0 {
            console.note(format_args!(
                "batches are {kind}: the first epoch leaves out {left_out} of {examples} examples"
            ));
        }
    }

    /// The state before the first step, or where the run was interrupted.
    fn state<E: TextEncoder, L: Trainable>(
        &self,
        model: EncoderWithLoss<E, L>,
        (steps, rates): (usize, &[(usize, f64)]),
        evaluate: &Evaluate<'_, E, L>,
        console: &Console,
    ) -> Result<State<E, L>, Error> {
        let optimizer = Optimizer::new(&self.schedule, steps, rates);
        let mut state = State {
            model,
            optimizer,
            step: 0,
            before: Evaluation::default(),
            best: None,
            history: History::default(),
            unwritten: Vec::new(),
        };
        match &self.checkpoints {
            Some(checkpoints) if self.resume => {
                state = checkpoints.read(state)?;
                console.say(format_args!("going on after step {}", state.step));
            }
            _ => {
                state.before = evaluate(&state.model)?;
                state.history.evaluated(0, &state.before);
                if self.schedule.evaluate_every.is_some() {
                    // The model as it was may be the best.
                    let (model, evaluation) = (state.model.clone(), state.before.clone());
                    state.best = Some(Best { model, step: 0, evaluation });
                }
            }
        }
        Ok(state)
    }

    fn evaluate<E: TextEncoder, L: Trainable>(
        &self,
        model: &EncoderWithLoss<E, L>,
        routes: &Routes,
    ) -> Result<Evaluation, Error> {
        if let Some(pairs) = routes.pairs() {
            let scorer = Scorer::new(routes, pairs, &model.encoder, &self.devices());
            return self.not_empty(scorer.evaluate(self.evaluation)?);
        }
        let embedder = Embedder::new(routes, &model.encoder, &self.devices());
        let dims = model.objective.truncated_dims();
        let mut evaluation = Evaluation::of(&embedder, self.evaluation, &dims)?;
        let classes = self.pair_classes(model, &embedder)?;
        evaluation.insert(Measure::PairClasses, classes);
        self.not_empty(evaluation)
    }

    fn not_empty(&self, evaluation: Evaluation) -> Result<Evaluation, Error> {
        match evaluation.is_empty() {
            true => Err(self.nothing_to_evaluate()),
            false => Ok(evaluation),
        }
    }

    fn nothing_to_evaluate(&self) -> Error {
        Error::NothingToEvaluate { data: self.evaluation.name() }
    }

    /// The share of pairs that the loss's own classifier gets right; `None` if it has none.
    fn pair_classes<E: TextEncoder, L: Trainable>(
        &self,
        model: &EncoderWithLoss<E, L>,
        embedder: &Embedder<E>,
    ) -> Result<Option<Score>, Error> {
        let objective = model.objective.valid();
        let places = class_places(&self.training.pair_classes());
        let rows = self.evaluation.pairs.iter();
        let rows: Vec<_> = rows.filter_map(|pair| Some((pair, pair.class.as_deref()?))).collect();
        if rows.is_empty() || !objective.takes_classes() {
            return Ok(None);
        }
        let left: Vec<_> = rows.iter().map(|(pair, _)| (0, pair.left)).collect();
        let right: Vec<_> = rows.iter().map(|(pair, _)| (1, pair.right)).collect();
        let texts = &self.evaluation.texts;
        let columns = [left, right].map(|column| embedder.tensor(&column, texts));
        let columns = columns.into_iter().collect::<Result<Vec<_>, _>>()?;
        let Some(given) = objective.classify(&columns) else {
            return Ok(None);
        };
        let right =
            rows.iter().zip(given).map(|((_, class), given)| places.get(class) == Some(&given));
        Ok(share(right))
    }
}
