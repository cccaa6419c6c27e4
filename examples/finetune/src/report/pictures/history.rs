//! The losses and evaluations of a run, for its curves.

use serde::{Deserialize, Serialize};

use crate::run::evaluation::{Evaluation, Measure};

/// The losses and the evaluations of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The loss of each step.
    pub losses: Vec<f64>,
    /// The steps after which was evaluated, in order, with what was measured.
    pub evaluations: Vec<(usize, Vec<(Measure, f64)>)>,
}

impl History {
    /// Adds the evaluation after a step, unless it is there.
    pub fn evaluated(&mut self, step: usize, evaluation: &Evaluation) {
        if self.evaluations.last().is_none_or(|(last, _)| *last < step) {
            let values = evaluation.iter().map(|(measure, score)| (measure, score.value));
            self.evaluations.push((step, values.collect()));
        }
    }

    /// The values of a measure by step.
    pub fn curve(&self, measure: Measure) -> Vec<(f64, f64)> {
        let value = |values: &[(Measure, f64)]| {
            values.iter().find(|(other, _)| *other == measure).map(|(_, value)| *value)
        };
        let points = self.evaluations.iter();
        points.filter_map(|(step, values)| Some((*step as f64, value(values)?))).collect()
    }
}
