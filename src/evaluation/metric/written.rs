use burn::train::EarlyStoppingStrategy;
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};

/// Waits after every epoch until its metrics are written, and never stops a run.
///
/// Burn writes metrics on threads of their own. Its
/// [`summary`](burn::train::SupervisedTraining::summary) reads the files at the end of a run without
/// waiting for them, unless checkpoints or early stopping do. A run without either needs this one for a
/// complete summary: give it to `SupervisedTraining::early_stopping`, with the name of a metric of the run.
#[derive(Debug, Clone)]
pub struct WaitForMetrics {
    metric: String,
}

impl WaitForMetrics {
    /// Waits for the metric of this name on the validation split.
    pub fn new(metric: impl Into<String>) -> Self {
        Self { metric: metric.into() }
    }
}

impl EarlyStoppingStrategy for WaitForMetrics {
    fn should_stop(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        // The answer comes when everything before the question is written.
        store.find_metric(&self.metric, epoch, Aggregate::Mean, &Split::Valid);
        false
    }
}
