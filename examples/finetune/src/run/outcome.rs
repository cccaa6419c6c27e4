//! The result of a training run.

use burn::module::Module;
use burn_embedding_models::{Error as ModelError, TextEncoder};

use super::checkpoint::Checkpoints;
use super::evaluation::{Evaluation, Measure, Score};
use super::objective::Trainable;
use super::routes::Routes;
use super::session::Evaluate;
use super::train::{Best, State};
use crate::error::Error;
use crate::report::pictures::History;

/// The result of a training run.
#[derive(Debug)]
pub struct Outcome<E> {
    /// The trained encoder.
    pub encoder: E,
    /// Its tokenizer, or those of its routes.
    pub routes: Routes,
    /// The number of examples that the data gave.
    pub examples: usize,
    /// The number of training steps.
    pub steps: usize,
    /// The step that the encoder was taken from.
    pub kept: usize,
    /// The evaluation of the untrained encoder.
    pub before: Evaluation,
    /// The evaluation of the trained encoder.
    pub after: Evaluation,
    /// The losses and evaluations on the way.
    pub history: History,
    /// What could not be written on the way, and why.
    pub unwritten: Vec<String>,
    checkpoints: Option<Checkpoints>,
}

impl<E> Outcome<E> {
    /// Removes the checkpoints of the run, once the encoder is saved.
    pub fn forget_checkpoints(&self) -> Result<(), Error> {
        self.checkpoints.as_ref().map_or(Ok(()), Checkpoints::remove)
    }

    /// Why the encoder is not saved, with the checkpoint that the run can go on from, if there is one.
    pub fn unsaved(&self, error: Error) -> Error {
        let kept = |error: &ModelError| {
            matches!(error, ModelError::Kept { .. } | ModelError::Unfinished { .. })
        };
        let saved = match &error {
            Error::Incomplete { .. } => true,
            Error::Model(error) => kept(error),
            _ => false,
        };
        match self.checkpoints.as_ref().and_then(Checkpoints::left) {
            Some((checkpoint, step)) if !saved => {
                Error::Unsaved { reason: error.to_string(), checkpoint, step }
            }
            _ => error,
        }
    }
}

impl<E> Outcome<E> {
    /// Why a model that was good before is not replaced by this one: it can no longer be measured, or the
    /// main measure is less than half of what it was.
    pub fn collapsed(&self) -> Option<String> {
        let lost = |(measure, before): (Measure, Score)| match self.after.get(measure) {
            None => {
                Some(format!("{} was {:.4} and is not defined now", measure.title(), before.value))
            }
            Some(_) => None,
        };
        let fallen = || {
            let (measure, before) = self.before.main()?;
            let after = self.after.get(measure)?;
            let fell = before.value > NOTABLE && after.value < before.value / 2.0;
            let title = measure.title();
            fell.then(|| format!("{title} fell from {:.4} to {:.4}", before.value, after.value))
        };
        self.before.iter().find_map(lost).or_else(fallen)
    }
}

/// A measure below this says too little to fall from.
const NOTABLE: f64 = 0.2;

/// A run after its last step.
pub(super) struct Trained<E: Module, L: Module> {
    best: Best<E, L>,
    steps: usize,
    before: Evaluation,
    history: History,
    unwritten: Vec<String>,
}

impl<E: TextEncoder, L: Trainable> Trained<E, L> {
    /// The best model that was evaluated, or else the last.
    pub(super) fn of(state: State<E, L>, evaluate: &Evaluate<'_, E, L>) -> Result<Self, Error> {
        let State { model, before, best, step: steps, mut history, unwritten, .. } = state;
        let best = match best {
            Some(best) => best,
            None => {
                let evaluation = evaluate(&model)?;
                history.evaluated(steps, &evaluation);
                Best { model, step: steps, evaluation }
            }
        };
        Ok(Self { best, steps, before, history, unwritten })
    }

    pub(super) fn outcome(
        self,
        routes: Routes,
        examples: usize,
        checkpoints: Option<Checkpoints>,
    ) -> Outcome<E> {
        let Self { best, steps, before, history, unwritten } = self;
        let (encoder, kept, after) = (best.model.encoder, best.step, best.evaluation);
        Outcome {
            encoder,
            routes,
            examples,
            steps,
            kept,
            before,
            after,
            history,
            unwritten,
            checkpoints,
        }
    }
}
