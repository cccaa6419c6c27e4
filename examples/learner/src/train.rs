//! The training run.

use std::path::Path;
use std::sync::Arc;

use burn::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn::optim::AdamWConfig;
use burn::tensor::Device;
use burn::train::metric::store::{Aggregate, Direction, Split};
use burn::train::metric::{LearningRateMetric, LossMetric};
use burn::train::{Learner, MetricEarlyStoppingStrategy, StoppingCondition, SupervisedTraining};
use burn_embedding_losses::Workers;
use burn_embedding_losses::evaluation::metric::LossPartMetric;

use crate::loaders::{self, Training};
use crate::model::{Model, Task};

/// Training stops after this many epochs without a lower validation loss.
const PATIENCE: usize = 3;

/// The options of a run.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct Options {
    /// Passes over the data; fewer if the validation loss no longer falls
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u16).range(1..))]
    pub epochs: u16,

    /// Learning rate at the start; it falls to 0 along a cosine
    #[arg(long, value_name = "RATE", default_value = "0.003", value_parser = rate)]
    pub learning_rate: f64,

    /// Seed of the parameters and the batches
    #[arg(long, value_name = "N", default_value = "42")]
    pub seed: u64,

    /// Threads that embed parts of a batch at the same time
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..))]
    pub workers: u16,

    /// Resume from the checkpoint of this epoch, with the same options
    #[arg(long, value_name = "EPOCH")]
    pub resume: Option<usize>,
}

/// Trains, and leaves logs and checkpoints in `directory`. With the feature `dashboard`, a terminal shows
/// the run.
///
/// # Errors
///
/// If the directory holds another run, or no checkpoint to resume from, or if training fails.
pub fn train(directory: &Path, options: &Options, device: &Device) -> Result<Model, String> {
    check(directory, options.resume)?;
    device.seed(options.seed);
    let Training { loader, batches, left_out } = loaders::training(options.seed, device);
    println!("the first epoch has {batches} batches and leaves out {left_out} rows");
    let training = loader.from_epoch(options.resume.unwrap_or(0));
    let validation = loaders::validation(device);

    let loss = LossMetric::new();
    let stop = MetricEarlyStoppingStrategy::new(
        &loss,
        Aggregate::Mean,
        Direction::Lowest,
        Split::Valid,
        StoppingCondition::NoImprovementSince { n_epochs: PATIENCE },
    );
    let mut run = SupervisedTraining::new(directory, Arc::new(training), Arc::new(validation))
        .metrics((
            loss,
            LossPartMetric::new(Task::Pairs.loss()),
            LossPartMetric::new(Task::Topics.loss()),
            LossPartMetric::new(Task::Pairs.recall()).higher_is_better(),
            LossPartMetric::new(Task::Topics.recall()).higher_is_better(),
        ))
        .metric_train_numeric(LearningRateMetric::new())
        .with_default_checkpointers()
        .early_stopping(stop)
        .num_epochs(options.epochs.into())
        .summary();
    if let Some(epoch) = options.resume {
        run = run.checkpoint(epoch);
    }

    let steps = batches * usize::from(options.epochs);
    let schedule = CosineAnnealingLrSchedulerConfig::new(options.learning_rate, steps).init()?;
    let device = device.clone().autodiff();
    let workers = Workers::threads(options.workers.into(), &device);
    let model = Model::new(workers, &device);
    let result = run.launch(Learner::new(model, AdamWConfig::new().init(), schedule));
    match result.error {
        Some(error) => Err(error.to_string()),
        None => Ok(result.model),
    }
}

/// Refuses what Burn would not: it writes into the logs of another run, and panics without a checkpoint.
fn check(directory: &Path, resume: Option<usize>) -> Result<(), String> {
    let shown = directory.display();
    match resume {
        Some(epoch) if !directory.join(format!("checkpoint/model-{epoch}.bpk")).exists() => {
            Err(format!("{shown} has no checkpoint of epoch {epoch}: see {shown}/checkpoint"))
        }
        None if directory.join("checkpoint").exists() => {
            Err(format!("{shown} holds another run: use --resume EPOCH or another --out"))
        }
        _ => Ok(()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| *rate > 0.0 && *rate <= 1.0);
    rate.ok_or_else(|| "expected a number above 0, at most 1".into())
}
