//! Batches of a few rows of each of several labels.

use core::hash::Hash;
use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::hands::Hands;
use super::{BatchSampler, Plan, random};
use crate::config::config;
use crate::error::{ConfigError, expect_valid};

config! {
    /// Configuration of [`GroupByLabel`].
    pub struct GroupByLabelConfig (
        /// The most rows of a batch: a multiple of `rows_per_label`, at least twice as many.
        pub batch_size: usize,
    ) {
        /// Rows of a label that come together, at least 2.
        pub rows_per_label: usize = 2, set by with_rows_per_label;
        /// Whether every batch that is not full is left out.
        pub drop_last: bool = false, set by with_drop_last;
        /// Decides the order, together with the epoch.
        pub seed: u64 = 0, set by with_seed;
    }
}

impl GroupByLabelConfig {
    /// # Errors
    ///
    /// If `rows_per_label` is below 2, or `batch_size` is below twice as many or no multiple of it.
    pub fn check(&self) -> Result<(), ConfigError> {
        let Self { batch_size, rows_per_label, .. } = *self;
        let unless = |holds, field, rule: &str, got| {
            ConfigError::unless(holds, "GroupByLabel", field, rule, got)
        };
        unless(rows_per_label >= 2, "rows_per_label", "must be at least 2", rows_per_label)?;
        let least = rows_per_label.saturating_mul(2);
        let rule = format!("must be at least {least}");
        unless(batch_size >= least, "batch_size", &rule, batch_size)?;
        let rule = format!("must be a multiple of `rows_per_label` ({rows_per_label})");
        unless(batch_size.is_multiple_of(rows_per_label), "batch_size", &rule, batch_size)
    }

    /// A sampler of a data set whose rows have these labels. If fewer than two labels have two rows
    /// or more, it plans no batch and leaves out every row.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init(&self, labels: impl IntoIterator<Item: Hash + Eq>) -> GroupByLabel {
        expect_valid(self.check());
        let mut numbers = HashMap::new();
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut rows = 0;
        for label in labels {
            let next = numbers.len();
            let number = *numbers.entry(label).or_insert(next);
            if number == next {
                members.push(Vec::new());
            }
            members[number].push(rows);
            rows += 1;
        }
        GroupByLabel { config: self.clone(), members, rows }
    }
}

/// In every batch at least two labels, and of each at least two rows: P × K batches, in which every
/// row has a positive and a negative.
///
/// Labels take turns in random order with `rows_per_label` rows each (or with the two or more that
/// they have left), and the stream is cut into batches. Where one label has more rows than all
/// turns can use, batches hold more of it, up to all rows but one turn of another label. So only
/// these are left out, a random choice each epoch:
///
/// - the row of a label that has no other;
/// - with two rows a label, the odd row of a label;
/// - of a label with more rows than the others can accompany, what is beyond;
/// - with two turns a batch, a last turn that finds no partner;
/// - with `drop_last`, what makes up no full turn or no full batch.
///
/// # Differences
///
/// From sentence-transformers' `GROUP_BY_LABEL`, which always takes two rows a label, stops as soon as
/// one label is left (of 20 and 2 rows it uses 4; this one 8 at a batch size of 8), and raises an
/// error without two labels of two rows.
///
/// # Example
///
/// ```
/// use burn_embedding_losses::sampler::{BatchSampler, GroupByLabelConfig};
///
/// let plan = GroupByLabelConfig::new(4).init(["a", "b", "a", "b", "c"]).epoch(0);
/// assert_eq!((plan.batches.len(), plan.left_out), (1, vec![4]));
/// ```
///
/// # References
///
/// - A. Hermans, L. Beyer, B. Leibe: In Defense of the Triplet Loss for Person Re-Identification,
///   2017, <https://arxiv.org/abs/1703.07737>
#[derive(Debug, Clone)]
pub struct GroupByLabel {
    config: GroupByLabelConfig,
    /// The rows of each label.
    members: Vec<Vec<usize>>,
    rows: usize,
}

impl BatchSampler for GroupByLabel {
    fn rows(&self) -> usize {
        self.rows
    }

    fn epoch(&self, epoch: usize) -> Plan {
        let mut rng = random(self.config.seed, epoch);
        let mut members = self.members.clone();
        members.iter_mut().for_each(|rows| rows.shuffle(&mut rng));
        let counts = members.iter().map(|rows| self.hands(rows.len())).collect();
        let mut hands = Hands::new(counts);
        let hands_of_batch = self.config.batch_size / self.config.rows_per_label;
        let usable = usable(&mut hands, hands_of_batch, self.config.drop_last);
        hands.trim(usable);
        let mut batches = Vec::new();
        while hands.total() > 0 {
            let labels = deal(&mut hands, hands_of_batch, &mut rng);
            batches.push(labels.into_iter().flat_map(|l| self.hand(&mut members[l])).collect());
        }
        let mut left_out = members.concat();
        left_out.sort_unstable();
        Plan { batches, left_out }
    }
}

impl GroupByLabel {
    /// The number of hands that so many rows of a label make.
    fn hands(&self, rows: usize) -> usize {
        let size = self.config.rows_per_label;
        // A lone row at the end takes one of the hand before it.
        let short = rows % size >= 2 || (rows % size == 1 && rows > size && size > 2);
        rows / size + usize::from(short && !self.config.drop_last)
    }

    /// Takes the next hand of a label's rows.
    fn hand(&self, rows: &mut Vec<usize>) -> Vec<usize> {
        let size = self.config.rows_per_label;
        let lone = rows.len() == size + 1 && size > 2 && !self.config.drop_last;
        let taken = if lone { size - 1 } else { size.min(rows.len()) };
        rows.split_off(rows.len() - taken)
    }
}

/// The number of hands that fit into batches, if every batch has at least two labels.
fn usable(hands: &mut Hands, hands_of_batch: usize, drop_last: bool) -> usize {
    let Some((_, others)) = hands.most() else { return 0 };
    let usable = hands.total().min(others * hands_of_batch);
    match usable % hands_of_batch {
        rest if drop_last => usable - rest,
        1 if usable == 1 || hands_of_batch == 2 => usable - 1,
        _ => usable,
    }
}

/// The labels of the hands of the next batch.
fn deal(hands: &mut Hands, hands_of_batch: usize, rng: &mut StdRng) -> Vec<usize> {
    // The last batch must not have a single hand.
    let alone = hands.total() == hands_of_batch + 1;
    let size = if alone { hands_of_batch - 1 } else { hands_of_batch.min(hands.total()) };
    let later = hands.total().div_ceil(hands_of_batch) - 1;
    let (most, others) = hands.most().expect("hands are left");
    // Each later batch needs a hand of another label than the one with most.
    let forced = (size + later).saturating_sub(others);
    let mut labels = Vec::with_capacity(size);
    while labels.len() < size {
        let label = match labels.len() {
            dealt if dealt < forced => most,
            _ if forced > 0 => hands.next(Some(most), rng),
            1 => hands.next(labels.first().copied(), rng),
            _ => hands.next(None, rng),
        };
        hands.take(label);
        labels.push(label);
    }
    labels
}
