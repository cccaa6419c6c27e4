//! Which rows of a data set share a batch.
//!
//! A loss is only as good as the batch that it sees. A sampler plans an epoch as lists of row
//! indices; the [`Plan`] lists the rows that it leaves out.
//!
//! | sampler | guarantees | for |
//! | :-- | :-- | :-- |
//! | [`Shuffled`] | nothing but random order | losses that look at each row alone |
//! | [`InOrder`] | the order of the data set | evaluation |
//! | [`NoDuplicates`] | no two rows of a batch share a value | `MultipleNegativesRankingLoss`, `MegaBatchMarginLoss` |
//! | [`GroupByLabel`] | two labels or more in a batch, two rows or more of each | the `Batch*TripletLoss`es |
//!
//! [`RoundRobin`] and [`Proportional`] plan several data sets, each with a sampler of its own. With
//! the feature `dataset`, `SampledLoader` makes any of them a data loader of Burn.
//!
//! # Example
//!
//! ```
//! use burn_embedding_losses::sampler::{BatchSampler, NoDuplicatesConfig};
//!
//! let pairs = [["who?", "me"], ["you?", "me"], ["where?", "here"]];
//! let plan = NoDuplicatesConfig::new(2).init(pairs).epoch(0);
//!
//! // The two rows with "me" are never together.
//! assert!(plan.batches.iter().all(|batch| !(batch.contains(&0) && batch.contains(&1))));
//! assert!(plan.left_out.is_empty());
//! ```

mod chunks;
mod first_fit;
mod group_by_label;
mod hands;
#[cfg(feature = "dataset")]
mod loader;
mod mixed;
mod no_duplicates;
#[cfg(test)]
mod tests;

use core::fmt::Debug;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::error::ConfigError;

pub use chunks::{InOrder, InOrderConfig, Shuffled, ShuffledConfig};
pub use group_by_label::{GroupByLabel, GroupByLabelConfig};
#[cfg(feature = "dataset")]
pub use loader::{SampledLoader, Source};
pub use mixed::{MixedPlan, MixedSampler, Proportional, RoundRobin};
pub use no_duplicates::{NoDuplicates, NoDuplicatesConfig};

/// Plans the batches of an epoch.
pub trait BatchSampler: Debug + Send + Sync {
    /// The number of rows of the data set.
    fn rows(&self) -> usize;

    /// The batches of an epoch, counted from zero; the same for the same seed and epoch.
    fn epoch(&self, epoch: usize) -> Plan;
}

/// The batches of an epoch: every row of the data set is in exactly one of them, or is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The row indices of each batch; no batch is empty.
    pub batches: Vec<Vec<usize>>,
    /// The rows that no batch could take, in ascending order.
    pub left_out: Vec<usize>,
}

impl Plan {
    /// Leaves out the batches with fewer than `minimum` rows.
    fn of_at_least(minimum: usize, batches: Vec<Vec<usize>>) -> Self {
        let (batches, small): (Vec<_>, Vec<_>) =
            batches.into_iter().partition(|batch| batch.len() >= minimum);
        let mut left_out = small.concat();
        left_out.sort_unstable();
        Self { batches, left_out }
    }
}

/// The random numbers of an epoch; as in sentence-transformers, epochs count on from the seed.
fn random(seed: u64, epoch: usize) -> StdRng {
    StdRng::seed_from_u64(seed.wrapping_add(epoch as u64))
}

fn permutation(rows: usize, rng: &mut StdRng) -> Vec<usize> {
    let mut order: Vec<_> = (0..rows).collect();
    order.shuffle(rng);
    order
}

fn check_size(sampler: &str, batch_size: usize) -> Result<(), ConfigError> {
    ConfigError::unless(batch_size >= 1, sampler, "batch_size", "must be at least 1", batch_size)
}
