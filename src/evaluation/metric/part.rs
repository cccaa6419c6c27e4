//! The mean of one named part of a loss.

use burn::tensor::{Tensor, TensorReadError};
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
};

/// Named values of one batch: the terms of a weighted sum, the losses of several data sets, a share of rows.
#[derive(Debug, Clone)]
pub struct LossParts {
    rows: usize,
    parts: Vec<(String, Tensor<1>)>,
}

impl LossParts {
    /// No parts yet, of a batch of this many rows.
    pub fn new(rows: usize) -> Self {
        Self { rows, parts: Vec::new() }
    }

    /// Adds a part. Of several values, such as one per row, the metric takes the mean.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: Tensor<1>) -> Self {
        self.parts.push((name.into(), value.inner()));
        self
    }

    fn get(&self, name: &str) -> Option<&Tensor<1>> {
        self.parts.iter().find(|(part, _)| part == name).map(|(_, value)| value)
    }
}

/// The mean of one of the [`LossParts`], after each batch and over the epoch.
///
/// Batches count by their rows. A batch that does not have the part, such as one of another data set, is left
/// out, and shown as `N/A`.
///
/// # Example
///
/// A reconstruction loss with a penalty, each with a curve of its own:
///
/// ```
/// use burn::prelude::*;
/// use burn::train::metric::Adaptor;
/// use burn_embedding_losses::evaluation::metric::{LossPartMetric, LossParts};
///
/// struct Trained {
///     rows: usize,
///     reconstruction: Tensor<1>,
///     penalty: Tensor<1>,
/// }
///
/// impl Adaptor<LossParts> for Trained {
///     fn adapt(&self) -> LossParts {
///         LossParts::new(self.rows)
///             .with("Reconstruction", self.reconstruction.clone())
///             .with("Penalty", self.penalty.clone())
///     }
/// }
///
/// // For `SupervisedTraining::metrics`:
/// let metrics = (LossPartMetric::new("Reconstruction"), LossPartMetric::new("Penalty"));
/// ```
#[derive(Clone)]
pub struct LossPartMetric {
    name: MetricName,
    higher_is_better: bool,
    state: NumericMetricState,
    /// Whether the last batch had the part, and whether any batch of the epoch had it.
    current: bool,
    any: bool,
}

impl LossPartMetric {
    /// The part of this name, which is the name of the metric too. Lower is better.
    pub fn new(name: impl Into<String>) -> Self {
        let (name, state) = (MetricName::new(name.into()), NumericMetricState::default());
        Self { name, higher_is_better: false, state, current: false, any: false }
    }

    /// For a part that should rise, such as an accuracy.
    #[must_use]
    pub fn higher_is_better(mut self) -> Self {
        self.higher_is_better = true;
        self
    }

    fn format(&self) -> FormatOptions {
        FormatOptions::new(self.name()).precision(4)
    }
}

impl Metric for LossPartMetric {
    type Input = LossParts;

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes { unit: None, higher_is_better: self.higher_is_better }.into()
    }

    fn update(
        &mut self,
        item: &LossParts,
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let part = item.get(&self.name);
        self.current = part.is_some();
        self.any |= self.current;
        match part {
            None => Ok(SerializedEntry::not_available(None)),
            Some(value) => {
                self.state.update(value.clone().mean().try_into_scalar()?, item.rows);
                Ok(self.state.compute_update(self.format()))
            }
        }
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(match self.any {
            true => self.state.compute_final(self.format()),
            false => SerializedEntry::not_available(None),
        })
    }

    fn clear(&mut self) {
        self.state.reset();
        (self.current, self.any) = (false, false);
    }
}

impl Numeric for LossPartMetric {
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
