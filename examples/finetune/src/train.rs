//! The training loop.

use std::time::Instant;

use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Tensor};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::batches::Batches;
use crate::console::Console;
use crate::encoder::TextEncoder;
use crate::error::Error;
use crate::objective::Objective;

/// The share of the steps in which the learning rate rises to its peak.
const WARM_UP: f64 = 0.1;

/// What is trained: the encoder, and the parameters that the loss owns.
#[derive(Module, Debug)]
pub struct Learner<E: Module> {
    /// Texts to embeddings.
    pub encoder: E,
    /// Embeddings to the loss.
    pub objective: Objective,
}

/// How long and how fast to train.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Passes over the examples.
    pub epochs: usize,
    /// Stop after this many steps.
    pub steps: Option<usize>,
    /// Examples in a step.
    pub batch_size: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// The probability to leave a word out of a text.
    pub word_dropout: f64,
    /// Decides the order of the examples and which words are left out.
    pub seed: u64,
}

impl Schedule {
    /// The number of training steps.
    pub fn steps(&self, batches: &Batches) -> usize {
        batches.count(self.epochs).min(self.steps.unwrap_or(usize::MAX))
    }
}

/// Trains with AdamW, a linear warm-up and a linear decay; `steps` is the number of all steps.
pub fn train<E: TextEncoder>(
    mut learner: Learner<E>,
    batches: &Batches,
    schedule: &Schedule,
    steps: usize,
    device: &Device,
    console: &Console,
) -> Result<Learner<E>, Error> {
    let device = device.clone().autodiff();
    let mut optimizer = AdamWConfig::new()
        .with_epsilon(1e-8)
        .with_weight_decay(0.01)
        .with_grad_clipping(Some(GradientClippingConfig::Norm(1.0)))
        .init();
    let progress = console.progress(steps, schedule.epochs);
    let mut rng = StdRng::seed_from_u64(schedule.seed);
    let (mut step, mut sentences, start) = (0, 0, Instant::now());
    for epoch in 0..schedule.epochs {
        let (mut sum, mut done) = (0.0, 0);
        for batch in batches.epoch(epoch).iter().take(steps - step) {
            step += 1;
            let dropout = schedule.word_dropout;
            let columns = batches.columns(&learner.encoder, batch, dropout, &mut rng, &device);
            sentences += columns.len() * batch.len();
            let loss = learner.objective.forward(columns, &batches.targets(batch));
            sum += f64::from(finite(&loss, step, schedule)?);
            done += 1;
            let gradients = GradientsParams::from_grads(loss.backward(), &learner);
            let rate = schedule.learning_rate * ramp(step, steps);
            learner = optimizer.step(rate, learner, gradients);
            let speed = sentences as f64 / start.elapsed().as_secs_f64();
            progress.step(epoch + 1, sum / done as f64, speed);
        }
        if done == 0 {
            break;
        }
        let speed = sentences as f64 / start.elapsed().as_secs_f64();
        progress.epoch(epoch + 1, sum / done as f64, speed);
    }
    progress.finish();
    Ok(learner)
}

/// The value of the loss, or the end of the training.
fn finite(loss: &Tensor<1>, step: usize, schedule: &Schedule) -> Result<f32, Error> {
    let loss = loss.clone().into_scalar::<f32>();
    if loss.is_finite() {
        return Ok(loss);
    }
    Err(Error::Diverged { step, loss, learning_rate: schedule.learning_rate })
}

/// The share of the peak learning rate in a step, counted from one.
fn ramp(step: usize, steps: usize) -> f64 {
    let warm_up = (steps as f64 * WARM_UP).max(1.0);
    let rising = step as f64 / warm_up;
    let falling = (steps - step + 1) as f64 / (steps as f64 - warm_up + 1.0);
    rising.min(falling).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_learning_rate_rises_then_falls_and_is_never_zero() {
        let rates: Vec<_> = (1..=100).map(|step| ramp(step, 100)).collect();
        assert!(rates[..10].is_sorted() && rates[9] == 1.0);
        assert!(rates[10..].is_sorted_by(|a, b| a > b));
        assert!(rates.iter().all(|&rate| rate > 0.0));
    }

    #[test]
    fn a_single_step_is_taken_at_the_peak() {
        assert_eq!(ramp(1, 1), 1.0);
    }
}
