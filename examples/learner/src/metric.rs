//! A metric of one of several data sets.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorReadError};
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
};

use crate::model::{Seen, Task};

/// The mean, over the batches of one data set, of something that a batch shows.
#[derive(Clone)]
pub struct OfTask {
    name: MetricName,
    task: Task,
    of: fn(&Seen) -> Tensor<1>,
    higher_is_better: bool,
    state: NumericMetricState,
    /// Whether the last batch was of this data set.
    current: bool,
}

impl OfTask {
    /// The loss.
    pub fn loss(name: &str, task: Task) -> Self {
        Self::new(name, task, |seen| seen.loss.clone(), false)
    }

    /// The share of rows whose nearest neighbour is the right one.
    pub fn recall(name: &str, task: Task) -> Self {
        Self::new(name, task, |seen| seen.found.clone(), true)
    }

    fn new(name: &str, task: Task, of: fn(&Seen) -> Tensor<1>, higher_is_better: bool) -> Self {
        let (name, state) = (Arc::new(name.into()), NumericMetricState::default());
        Self { name, task, of, higher_is_better, state, current: false }
    }

    fn format(&self) -> FormatOptions {
        FormatOptions::new(self.name()).precision(3)
    }
}

impl Metric for OfTask {
    type Input = Seen;

    fn update(
        &mut self,
        seen: &Seen,
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.current = seen.task == self.task;
        if !self.current {
            return Ok(SerializedEntry::not_available(None));
        }
        let [rows] = seen.found.dims();
        self.state.update((self.of)(seen).mean().try_into_scalar()?, rows);
        Ok(self.state.compute_update(self.format()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.state.compute_final(self.format()))
    }

    fn clear(&mut self) {
        self.state.reset();
    }

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes { unit: None, higher_is_better: self.higher_is_better }.into()
    }
}

impl Numeric for OfTask {
    fn value(&self) -> Option<NumericEntry> {
        self.current.then(|| self.state.current_value())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        self.current.then(|| self.state.running_value())
    }

    fn final_value(&self) -> NumericEntry {
        self.state.final_value()
    }
}
