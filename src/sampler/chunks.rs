//! Batches of consecutive rows.

use super::{BatchSampler, Plan, check_size, permutation, random};
use crate::config::config;
use crate::error::{ConfigError, expect_valid};

config! {
    /// Configuration of [`Shuffled`].
    pub struct ShuffledConfig (
        /// Rows of a batch, at least 1.
        pub batch_size: usize,
    ) {
        /// Whether a last batch that is not full is left out.
        pub drop_last: bool = false, set by with_drop_last;
        /// Decides the order, together with the epoch.
        pub seed: u64 = 0, set by with_seed;
    }
}

impl ShuffledConfig {
    /// # Errors
    ///
    /// If `batch_size` is 0.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_size("Shuffled", self.batch_size)
    }

    /// A sampler of a data set of so many rows.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init(&self, rows: usize) -> Shuffled {
        expect_valid(self.check());
        Shuffled { config: self.clone(), rows }
    }
}

/// All rows in a new random order each epoch, a batch after the other.
///
/// # Example
///
/// ```
/// use burn_embedding_losses::sampler::{BatchSampler, ShuffledConfig};
///
/// let plan = ShuffledConfig::new(4).with_drop_last(true).init(10).epoch(0);
/// assert_eq!((plan.batches.len(), plan.left_out.len()), (2, 2));
/// ```
#[derive(Debug, Clone)]
pub struct Shuffled {
    config: ShuffledConfig,
    rows: usize,
}

impl BatchSampler for Shuffled {
    fn rows(&self) -> usize {
        self.rows
    }

    fn epoch(&self, epoch: usize) -> Plan {
        let ShuffledConfig { batch_size, drop_last, seed } = self.config;
        let order = permutation(self.rows, &mut random(seed, epoch));
        let batches = order.chunks(batch_size).map(<[usize]>::to_vec).collect();
        Plan::of_at_least(if drop_last { batch_size } else { 1 }, batches)
    }
}

config! {
    /// Configuration of [`InOrder`].
    pub struct InOrderConfig (
        /// Rows of a batch, at least 1.
        pub batch_size: usize,
    ) {}
}

impl InOrderConfig {
    /// # Errors
    ///
    /// If `batch_size` is 0.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_size("InOrder", self.batch_size)
    }

    /// A sampler of a data set of so many rows.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init(&self, rows: usize) -> InOrder {
        expect_valid(self.check());
        InOrder { config: self.clone(), rows }
    }
}

/// All rows in the order of the data set, the same in every epoch.
///
/// # Example
///
/// ```
/// use burn_embedding_losses::sampler::{BatchSampler, InOrderConfig};
///
/// assert_eq!(InOrderConfig::new(2).init(3).epoch(5).batches, [vec![0, 1], vec![2]]);
/// ```
#[derive(Debug, Clone)]
pub struct InOrder {
    config: InOrderConfig,
    rows: usize,
}

impl BatchSampler for InOrder {
    fn rows(&self) -> usize {
        self.rows
    }

    fn epoch(&self, _epoch: usize) -> Plan {
        let order: Vec<_> = (0..self.rows).collect();
        let batches = order.chunks(self.config.batch_size).map(<[usize]>::to_vec).collect();
        Plan { batches, left_out: Vec::new() }
    }
}
