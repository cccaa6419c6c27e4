//! Batches of several data sets.

use rand::seq::SliceRandom;

use super::{BatchSampler, Plan, random};
use crate::error::{ConfigError, expect_valid};

/// Plans the batches of several data sets, each with a sampler of its own.
pub trait MixedSampler: core::fmt::Debug + Send + Sync {
    /// The number of rows of each data set.
    fn rows(&self) -> Vec<usize>;

    /// The batches of an epoch, counted from zero; the same for the same seeds and epoch.
    fn epoch(&self, epoch: usize) -> MixedPlan;
}

/// The batches of an epoch over several data sets. No batch mixes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MixedPlan {
    /// The number of the data set and the row indices of each batch.
    pub batches: Vec<(usize, Vec<usize>)>,
    /// For each data set the rows that are in no batch, in ascending order.
    pub left_out: Vec<Vec<usize>>,
}

/// One batch of each data set in turn, until one of them has no more; what the others have left is
/// left out.
///
/// # Example
///
/// ```
/// use burn_embedding_losses::sampler::{InOrderConfig, MixedSampler, RoundRobin};
///
/// let of = |rows| Box::new(InOrderConfig::new(1).init(rows)) as Box<_>;
/// let plan = RoundRobin::new(vec![of(3), of(2)]).epoch(0);
/// assert_eq!(plan.batches.iter().map(|batch| batch.0).collect::<Vec<_>>(), [0, 1, 0, 1]);
/// assert_eq!(plan.left_out, [vec![2], vec![]]);
/// ```
#[derive(Debug)]
pub struct RoundRobin {
    samplers: Vec<Box<dyn BatchSampler>>,
}

impl RoundRobin {
    /// # Panics
    ///
    /// If there is no sampler.
    #[track_caller]
    pub fn new(samplers: Vec<Box<dyn BatchSampler>>) -> Self {
        expect_valid(check("RoundRobin", &samplers));
        Self { samplers }
    }
}

impl MixedSampler for RoundRobin {
    fn rows(&self) -> Vec<usize> {
        rows(&self.samplers)
    }

    fn epoch(&self, epoch: usize) -> MixedPlan {
        let mut plans = plans(&self.samplers, epoch);
        let rounds = plans.iter().map(|plan| plan.batches.len()).min().unwrap_or(0);
        for plan in &mut plans {
            let more = plan.batches.split_off(rounds);
            plan.left_out.extend(more.into_iter().flatten());
            plan.left_out.sort_unstable();
        }
        in_turns((0..rounds).flat_map(|_| 0..self.samplers.len()), plans)
    }
}

/// All batches of all data sets in random order, so that each data set comes as often as it has
/// batches. The batches of one data set keep their order.
///
/// # Example
///
/// ```
/// use burn_embedding_losses::sampler::{InOrderConfig, MixedSampler, Proportional};
///
/// let of = |rows| Box::new(InOrderConfig::new(1).init(rows)) as Box<_>;
/// let plan = Proportional::new(vec![of(30), of(10)], 7).epoch(0);
/// assert_eq!(plan.batches.iter().filter(|batch| batch.0 == 0).count(), 30);
/// assert_eq!(plan.batches.len(), 40);
/// ```
#[derive(Debug)]
pub struct Proportional {
    samplers: Vec<Box<dyn BatchSampler>>,
    seed: u64,
}

impl Proportional {
    /// The seed decides the order of the data sets, together with the epoch.
    ///
    /// # Panics
    ///
    /// If there is no sampler.
    #[track_caller]
    pub fn new(samplers: Vec<Box<dyn BatchSampler>>, seed: u64) -> Self {
        expect_valid(check("Proportional", &samplers));
        Self { samplers, seed }
    }
}

impl MixedSampler for Proportional {
    fn rows(&self) -> Vec<usize> {
        rows(&self.samplers)
    }

    fn epoch(&self, epoch: usize) -> MixedPlan {
        let plans = plans(&self.samplers, epoch);
        let numbered = plans.iter().enumerate();
        let mut turns: Vec<_> = numbered
            .flat_map(|(number, plan)| core::iter::repeat_n(number, plan.batches.len()))
            .collect();
        turns.shuffle(&mut random(self.seed, epoch));
        in_turns(turns.into_iter(), plans)
    }
}

fn check(mix: &str, samplers: &[Box<dyn BatchSampler>]) -> Result<(), ConfigError> {
    let rule = "must hold at least 1 sampler";
    ConfigError::unless(!samplers.is_empty(), mix, "samplers", rule, samplers.len())
}

fn rows(samplers: &[Box<dyn BatchSampler>]) -> Vec<usize> {
    samplers.iter().map(|sampler| sampler.rows()).collect()
}

fn plans(samplers: &[Box<dyn BatchSampler>], epoch: usize) -> Vec<Plan> {
    samplers.iter().map(|sampler| sampler.epoch(epoch)).collect()
}

/// The next batch of each data set that has its turn.
fn in_turns(turns: impl Iterator<Item = usize>, plans: Vec<Plan>) -> MixedPlan {
    let (mut batches, left_out): (Vec<_>, Vec<_>) =
        plans.into_iter().map(|plan| (plan.batches.into_iter(), plan.left_out)).unzip();
    let batches = turns.filter_map(|number| Some((number, batches[number].next()?))).collect();
    MixedPlan { batches, left_out }
}
