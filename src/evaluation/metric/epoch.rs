//! A metric whose value is computed from all batches of an epoch at once.

use burn::prelude::*;
use burn::tensor::TensorReadError;
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry, format_float,
};

/// A measure of all rows of an epoch. [`EpochMetric`] makes a metric of it.
pub trait OverEpoch: Clone + Send + Sync {
    /// The input from one batch.
    type Input;

    /// The name of the metric.
    fn name(&self) -> String;

    /// The rows to keep of a batch, detached from the graph, `[n, columns]`.
    fn gather(&self, input: &Self::Input) -> Tensor<2>;

    /// The value for all kept rows, `[rows, columns]`, or `None` if it is undefined.
    ///
    /// # Errors
    ///
    /// If the device fails to read the rows.
    fn value(&self, gathered: Tensor<2>) -> Result<Option<f64>, TensorReadError>;
}

/// A metric with one value per epoch.
///
/// It is written to the log with the last batch of the epoch, and again when the epoch is over, so that the
/// [`summary`](burn::train::SupervisedTraining::summary) of a run has the last epoch too. Burn reads the files
/// for the summary without waiting for what is written at the end of an epoch; a run without checkpoints
/// and early stopping also needs [`WaitForMetrics`](super::WaitForMetrics). The last batch is the one
/// whose [progress](burn::data::dataloader::Progress) is complete.
///
/// If the value is undefined, for instance because all scores are equal, the learner shows `N/A` and plots 0.
#[derive(Debug, Clone)]
pub struct EpochMetric<M> {
    measure: M,
    gathered: Vec<Tensor<2>>,
    value: Option<f64>,
    /// The number of batches that `value` was computed from.
    measured: usize,
}

impl<M: OverEpoch> EpochMetric<M> {
    /// Computes this measure.
    pub fn over(measure: M) -> Self {
        Self { measure, gathered: Vec::new(), value: None, measured: 0 }
    }

    /// Brings `value` up to date. The second call of an epoch costs nothing.
    fn measure(&mut self) -> Result<(), TensorReadError> {
        if self.measured < self.gathered.len() {
            self.value = self.measure.value(Tensor::cat(self.gathered.clone(), 0))?;
            self.measured = self.gathered.len();
        }
        Ok(())
    }
}

impl<M: OverEpoch> Metric for EpochMetric<M> {
    type Input = M::Input;

    fn name(&self) -> MetricName {
        MetricName::new(self.measure.name())
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes { unit: None, higher_is_better: true }.into()
    }

    fn update(
        &mut self,
        item: &M::Input,
        metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.gathered.push(self.measure.gather(item));
        match metadata.progress.is_completed() {
            true => self.compute(),
            false => Ok(SerializedEntry::not_available(None)),
        }
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        self.measure()?;
        Ok(self.value.map_or(SerializedEntry::not_available(None), |value| {
            let shown = format!("epoch {} - batch N/A", format_float(value, 4));
            SerializedEntry::new(shown, NumericEntry::Final(value).serialize())
        }))
    }

    fn clear(&mut self) {
        self.gathered.clear();
        (self.value, self.measured) = (None, 0);
    }
}

impl<M: OverEpoch> Numeric for EpochMetric<M> {
    fn value(&self) -> Option<NumericEntry> {
        None
    }

    fn running_value(&self) -> Option<NumericEntry> {
        None
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Final(self.value.unwrap_or(0.0))
    }
}
