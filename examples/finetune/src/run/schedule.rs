//! The length, speed and regularisation of a run.

use std::collections::BTreeMap;

use burn::lr_scheduler::LrSchedulerConfig;
use burn::lr_scheduler::linear::LinearLrSchedulerConfig;
use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::lr_scheduler::sequential::SequentialLrSchedulerConfig;
use serde::Serialize;

use crate::data::repeats::Repeats;

/// Everything about a run except its data and its loss.
#[derive(Debug, Clone, Serialize)]
pub struct Schedule {
    /// Passes over the examples.
    pub epochs: usize,
    /// Stop after this many steps.
    #[serde(rename = "max_steps")]
    pub steps: Option<usize>,
    /// Examples that the loss sees at once.
    pub batch_size: usize,
    /// Texts that go through the encoder at a time; a whole batch if `None`.
    pub mini_batch_size: Option<usize>,
    /// Threads that embed parts of a batch at the same time; the gradients do not depend on it.
    #[serde(skip)]
    pub workers: usize,
    /// Batches whose gradients are averaged for one step.
    pub gradient_accumulation: usize,
    /// The treatment of equal texts in a batch whose rows are negatives of each other.
    pub repeats: Repeats,
    /// Whether each epoch has a random order; otherwise the order of the data.
    pub shuffle: bool,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Peak learning rates of routes that have their own, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub learning_rates: BTreeMap<String, f64>,
    /// The share of the steps in which the learning rate rises to its peak.
    pub warm_up: f64,
    /// Weight decay of all parameters except biases and normalisations.
    pub weight_decay: f32,
    /// The longest gradient of all parameters together; a longer one is scaled down.
    pub max_gradient_norm: f64,
    /// The probability to leave a word out of a text.
    pub word_dropout: f64,
    /// The probability that DenoisingAutoEncoderLoss deletes a word.
    pub deletion_ratio: f64,
    /// Seed of the order of the examples, of dropout and of the words that are left out.
    pub seed: u64,
    /// Evaluate every this many steps, and keep the best.
    pub evaluate_every: Option<usize>,
    /// Log what the loss saw in a batch every this many steps.
    #[serde(skip)]
    pub diagnose_every: Option<usize>,
    /// Write a checkpoint every this many steps.
    #[serde(skip)]
    pub checkpoint_every: Option<usize>,
}

impl Default for Schedule {
    /// The schedule of a small encoder from scratch.
    fn default() -> Self {
        Self {
            epochs: 10,
            steps: None,
            batch_size: 32,
            mini_batch_size: None,
            workers: 1,
            gradient_accumulation: 1,
            repeats: Repeats::default(),
            shuffle: true,
            learning_rate: 1e-3,
            learning_rates: BTreeMap::new(),
            warm_up: 0.1,
            weight_decay: 0.01,
            max_gradient_norm: 1.0,
            word_dropout: 0.2,
            deletion_ratio: 0.6,
            seed: 42,
            evaluate_every: None,
            diagnose_every: None,
            checkpoint_every: None,
        }
    }
}

impl Schedule {
    /// The schedule of a pretrained model, with a lower learning rate.
    pub fn of_pretrained() -> Self {
        Self { epochs: 3, learning_rate: 2e-5, word_dropout: 0.0, ..Self::default() }
    }

    /// The schedule of LoRA adapters, which start from nothing.
    pub fn of_adapters() -> Self {
        Self { learning_rate: 2e-4, ..Self::of_pretrained() }
    }

    /// The schedule of a StaticEmbedding: a step moves only the vectors of its own tokens, so the
    /// learning rate is high.
    pub fn of_static() -> Self {
        Self { learning_rate: 0.2, ..Self::of_pretrained() }
    }

    /// The seed of everything random in one step, so that a step does not depend on earlier ones.
    pub fn seed_of(&self, step: usize) -> u64 {
        self.seed ^ (step as u64).rotate_left(32)
    }

    /// The share of the peak learning rate in each of `steps` steps, one after the other: it rises
    /// to 1 and falls towards 0, and neither the first nor the last step is lost at 0.
    pub fn shares(&self, steps: usize) -> ModuleLrScheduler {
        let rising = ((steps as f64 * self.warm_up) as usize).clamp(1, steps.max(1));
        let falling = steps.saturating_sub(rising);
        let linear = |from, to, calls| {
            LrSchedulerConfig::Linear(LinearLrSchedulerConfig::new(from, to, calls))
        };
        let mut schedulers = vec![linear(1.0 / rising as f64, 1.0, (rising - 1).max(1))];
        let mut milestones = Vec::new();
        if falling > 0 {
            let start = falling as f64 / (falling + 1) as f64;
            schedulers.push(linear(start, 0.0, falling));
            milestones.push(rising);
        }
        let config = SequentialLrSchedulerConfig::new(schedulers, milestones);
        config.init().expect("shares lie in (0, 1] and milestones are as many as changes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(steps: usize, warm_up: f64) -> Vec<f64> {
        let mut scheduler = Schedule { warm_up, ..Schedule::default() }.shares(steps);
        (0..steps).map(|_| scheduler.step().base()).collect()
    }

    #[test]
    fn the_learning_rate_rises_then_falls_and_is_never_zero() {
        let shares = shares(100, 0.1);
        assert!(shares[..10].is_sorted() && shares[9] == 1.0, "{shares:?}");
        assert!((shares[0] - 0.1).abs() < 1e-12, "{shares:?}");
        assert!(shares[9..].is_sorted_by(|a, b| a > b));
        assert!(shares.iter().all(|&share| share > 0.0));
    }

    #[test]
    fn without_warm_up_the_first_step_is_taken_at_the_peak() {
        assert_eq!(shares(4, 0.0), [1.0, 0.75, 0.5, 0.25]);
        assert_eq!(shares(1, 0.1), [1.0]);
    }

    #[test]
    fn it_may_rise_to_the_end() {
        let shares = shares(4, 1.0);
        assert!(shares.is_sorted() && shares[3] == 1.0, "{shares:?}");
    }

    #[test]
    fn steps_and_seeds_do_not_meet() {
        let schedule = |seed| Schedule { seed, ..Schedule::default() };
        assert_ne!(schedule(1).seed_of(2), schedule(2).seed_of(1));
        assert_ne!(schedule(1).seed_of(2), schedule(1).seed_of(3));
    }
}
