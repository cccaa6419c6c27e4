//! Runs of Burn's learner, whose summary must have every epoch.

use std::sync::{Arc, Mutex};

use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::module::Param;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::ExecutionError;
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{Adaptor, MetricDefinition};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use burn::train::{
    InferenceStep, ItemLazy, Learner, LearnerSummary, SupervisedTraining, TrainOutput, TrainStep,
};

use super::*;

/// Scales embeddings.
#[derive(Module, Debug)]
struct Scale {
    factor: Param<Tensor<1>>,
}

/// The two sides of a pair, and its score.
type Row = ([f32; 2], [f32; 2], f32);

#[derive(Debug, Clone)]
struct Pairs {
    left: Tensor<2>,
    right: Tensor<2>,
    scores: Tensor<1>,
}

#[derive(Clone)]
struct ToPairs;

impl Batcher<Row, Pairs> for ToPairs {
    fn batch(&self, rows: Vec<Row>, device: &Device) -> Pairs {
        let side = |side: fn(&Row) -> [f32; 2]| {
            let values: Vec<f32> = rows.iter().flat_map(side).collect();
            Tensor::from_data(TensorData::new(values, [rows.len(), 2]), device)
        };
        let scores: Vec<f32> = rows.iter().map(|row| row.2).collect();
        Pairs {
            left: side(|row| row.0),
            right: side(|row| row.1),
            scores: Tensor::from_floats(scores.as_slice(), device),
        }
    }
}

impl ItemLazy for Pairs {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

impl Adaptor<SpearmanInput> for Pairs {
    fn adapt(&self) -> SpearmanInput {
        SpearmanInput::new(self.left.clone(), self.right.clone(), self.scores.clone())
    }
}

impl TrainStep for Scale {
    type Input = Pairs;
    type Output = Pairs;

    fn step(&self, batch: Pairs) -> TrainOutput<Pairs> {
        let loss = (self.factor.val() - 1.0).powi_scalar(2).sum();
        let gradients = GradientsParams::from_grads(loss.backward(), self);
        TrainOutput { grads: gradients, item: batch }
    }
}

impl InferenceStep for Scale {
    type Input = Pairs;
    type Output = Pairs;

    fn step(&self, batch: Pairs) -> Pairs {
        batch
    }
}

/// Keeps the summary that the learner hands to its renderer.
#[derive(Clone, Default)]
struct Summary(Arc<Mutex<Option<LearnerSummary>>>);

impl MetricsRendererTraining for Summary {
    fn update_train(&mut self, _state: MetricState) {}

    fn update_valid(&mut self, _state: MetricState) {}

    fn on_train_end(
        &mut self,
        summary: Option<LearnerSummary>,
    ) -> Result<(), Box<dyn core::error::Error>> {
        *self.0.lock().unwrap() = summary;
        Ok(())
    }
}

impl MetricsRendererEvaluation for Summary {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl TrainingProgressLogger for Summary {
    fn start(&mut self, _: usize, _: usize, _: Option<usize>, _: Option<&str>) {}

    fn update_epoch(&mut self, _epoch: usize) {}

    fn start_split(&mut self, _split: &str, _total_items: usize) {}

    fn update_split(&mut self, _items_processed: usize) {}

    fn end_split(&mut self) {}

    fn end(&mut self) {}

    fn log_event_training(&mut self, _event: String) {}
}

impl EvaluationProgressLogger for Summary {
    fn start_global_progress(&mut self, _total_tests: usize) {}

    fn start_test(&mut self, _name: &str, _total_items: usize) {}

    fn update_test_progress(&mut self, _items_processed: usize) {}

    fn end_test(&mut self) {}

    fn end_global_progress(&mut self) {}

    fn log_event_evaluation(&mut self, _event: String) {}
}

impl MetricsRenderer for Summary {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, _definition: MetricDefinition) {}
}

/// The summary of `epochs` epochs over these rows, without checkpoints and early stopping.
fn summary(rows: &[Row], epochs: usize) -> LearnerSummary {
    let directory = tempfile::tempdir().unwrap();
    let device = Device::flex();
    let loader = DataLoaderBuilder::new(ToPairs)
        .batch_size(2)
        .set_device(device.clone())
        .build(InMemDataset::new(rows.to_vec()));
    let kept = Summary::default();
    let name = SpearmanMetric::new(Similarity::Cosine).name().to_string();
    let run = SupervisedTraining::new(directory.path(), loader.clone(), loader)
        .metric_valid_numeric(SpearmanMetric::new(Similarity::Cosine))
        .renderer(Box::new(kept.clone()))
        .with_application_logger(None)
        .num_epochs(epochs)
        .early_stopping(WaitForMetrics::new(name))
        .summary();
    let scale = Scale { factor: Param::from_tensor(Tensor::ones([1], &device.autodiff())) };
    let result = run.launch(Learner::new(scale, SgdConfig::new().init(), 0.1));
    assert!(result.error.is_none());
    kept.0.lock().unwrap().take().expect("the run has a summary")
}

#[test]
fn the_summary_has_the_last_epoch() {
    let rows: Vec<Row> = vec![
        ([1.0, 0.0], [1.0, 0.1], 0.2),
        ([0.0, 1.0], [1.0, 0.5], 0.9),
        ([1.0, 1.0], [0.0, 1.0], 0.4),
        ([1.0, 0.3], [0.3, 1.0], 0.1),
        ([0.2, 1.0], [1.0, 0.0], 0.8),
    ];
    let pairs = ToPairs.batch(rows.clone(), &Device::flex());
    let scores: Vec<f64> = pairs.scores.clone().into_data().iter().collect();
    let expected = embedding_similarity(pairs.left, pairs.right, &scores, Similarity::Cosine);
    let expected = expected.unwrap().spearman.unwrap();
    for epochs in [1, 2, 3] {
        let summary = summary(&rows, epochs);
        let [metric] = summary.metrics.valid.as_slice() else {
            panic!("after {epochs} epochs the summary has {:?}", summary.metrics.valid);
        };
        let values: Vec<_> = metric.entries.iter().map(|entry| (entry.step, entry.value)).collect();
        let every: Vec<_> = (1..=epochs).map(|epoch| (epoch, expected)).collect();
        assert_eq!(values, every);
    }
}
