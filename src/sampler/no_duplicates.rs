//! Batches in which nothing comes twice.

use core::hash::Hash;
use std::collections::HashMap;

use super::first_fit::FirstFit;
use super::{BatchSampler, Plan, check_size, permutation, random};
use crate::config::config;
use crate::error::{ConfigError, expect_valid};

config! {
    /// Configuration of [`NoDuplicates`].
    pub struct NoDuplicatesConfig (
        /// The most rows of a batch, at least 1.
        pub batch_size: usize,
    ) {
        /// Whether every batch that is not full is left out.
        pub drop_last: bool = false, set by with_drop_last;
        /// The fewest rows of a batch, from 1 to `batch_size`; smaller ones are left out. A batch of one
        /// row has no negatives.
        pub min_batch: usize = 1, set by with_min_batch;
        /// Decides the order, together with the epoch.
        pub seed: u64 = 0, set by with_seed;
    }
}

impl NoDuplicatesConfig {
    /// # Errors
    ///
    /// If `batch_size` is 0, or `min_batch` is not from 1 to `batch_size`.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_size("NoDuplicates", self.batch_size)?;
        let Self { batch_size, min_batch, .. } = *self;
        let in_range = (1..=batch_size).contains(&min_batch);
        let rule = format!("must be from 1 to `batch_size` ({batch_size})");
        ConfigError::unless(in_range, "NoDuplicates", "min_batch", &rule, min_batch)
    }

    /// A sampler of a data set in which each row has some values: ids, one per column, or the texts
    /// themselves. Only equal values count as equal: case and white space matter.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init<R>(&self, rows: impl IntoIterator<Item = R>) -> NoDuplicates
    where
        R: IntoIterator<Item: Hash + Eq>,
    {
        expect_valid(self.check());
        NoDuplicates { config: self.clone(), rows: SharedValues::new(rows) }
    }
}

/// No two rows of a batch share a value, in any columns; one row may have a value twice.
///
/// The rows come in random order. Each goes into the first batch that has room and none of its
/// values, which is what sentence-transformers gets by filling one batch after the other from the
/// rows that are left. Where a value is in many rows, the last batches are small: `min_batch` and
/// `drop_last` leave them out.
///
/// The time is linear in the rows, also where one value is in half of them: no row is looked at
/// twice. (Batches are searched 64 at a time, from where the last row of the same values went;
/// only many thousand different combinations of values that are each in thousands of rows are
/// slower.)
///
/// # Differences
///
/// From sentence-transformers' `NO_DUPLICATES`: with `drop_last`, rows are not repeated to make up
/// for batches that are left out.
///
/// # Example
///
/// ```
/// use burn_embedding_losses::sampler::{BatchSampler, NoDuplicatesConfig};
///
/// // By ids: rows 0 and 2 have the same answer.
/// let sampler = NoDuplicatesConfig::new(8).with_min_batch(2).init([[1, 10], [2, 11], [3, 10]]);
/// let plan = sampler.epoch(0);
/// assert_eq!((plan.batches.len(), plan.left_out.len()), (1, 1));
/// ```
#[derive(Debug, Clone)]
pub struct NoDuplicates {
    config: NoDuplicatesConfig,
    rows: SharedValues,
}

impl BatchSampler for NoDuplicates {
    fn rows(&self) -> usize {
        self.rows.combinations_of_rows.len()
    }

    fn epoch(&self, epoch: usize) -> Plan {
        let NoDuplicatesConfig { batch_size, drop_last, min_batch, seed } = self.config;
        let mut batches = FirstFit::new(batch_size, self.rows.values, self.rows.combinations.len());
        for row in permutation(self.rows(), &mut random(seed, epoch)) {
            let combination = self.rows.combinations_of_rows[row];
            batches.place(row, combination, &self.rows.combinations[combination]);
        }
        Plan::of_at_least(if drop_last { batch_size } else { min_batch }, batches.into_batches())
    }
}

/// The values that are in more than one row; no other can keep rows apart.
#[derive(Debug, Clone)]
struct SharedValues {
    /// One more than the largest value.
    values: usize,
    /// The different sets of shared values that rows have.
    combinations: Vec<Vec<usize>>,
    /// The one of each row.
    combinations_of_rows: Vec<usize>,
}

impl SharedValues {
    fn new<R>(rows: impl IntoIterator<Item = R>) -> Self
    where
        R: IntoIterator<Item: Hash + Eq>,
    {
        let mut numbers = HashMap::new();
        let (mut first_row, mut shared) = (Vec::new(), Vec::new());
        let (mut flat, mut ends) = (Vec::new(), Vec::new());
        for (row, values) in rows.into_iter().enumerate() {
            for value in values {
                let next = numbers.len();
                let number = *numbers.entry(value).or_insert(next);
                if number == next {
                    first_row.push(row);
                    shared.push(false);
                }
                shared[number] |= first_row[number] != row;
                flat.push(number);
            }
            ends.push(flat.len());
        }
        let mut combinations = HashMap::new();
        let mut start = 0;
        let combination = |end: usize| {
            let values = &flat[start..end];
            start = end;
            let mut values: Vec<_> = values.iter().copied().filter(|&v| shared[v]).collect();
            values.sort_unstable();
            values.dedup();
            let next = combinations.len();
            *combinations.entry(values).or_insert(next)
        };
        let combinations_of_rows = ends.into_iter().map(combination).collect();
        let mut ordered = vec![Vec::new(); combinations.len()];
        for (values, number) in combinations {
            ordered[number] = values;
        }
        Self { values: shared.len(), combinations: ordered, combinations_of_rows }
    }
}
