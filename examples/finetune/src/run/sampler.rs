//! The batches of an epoch: which examples share a training step.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use burn_embedding_losses::catalog::BatchKind;
use burn_embedding_losses::sampler::{
    BatchSampler, GroupByLabelConfig, InOrderConfig, MixedPlan, MixedSampler, NoDuplicatesConfig,
    Plan, Proportional, ShuffledConfig,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::schedule::Schedule;
use crate::data::repeats::Repeats;
use crate::data::task::{Example, is_ranked};

/// Texts of one class in a batch.
const ROWS_OF_A_CLASS: usize = 4;

/// How the examples of a loss are put into batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// In the order of the data.
    InOrder,
    /// In random order.
    Shuffled,
    /// No text twice in a batch, whose rows are negatives of each other.
    NoDuplicates,
    /// No query and no positive twice in a batch, whose rows lend each other documents.
    NoRepeatedPairs,
    /// Several texts of each of several classes.
    GroupByLabel,
}

impl Kind {
    fn of(takes: BatchKind, schedule: &Schedule) -> Self {
        let separate = schedule.repeats == Repeats::Separate;
        match takes {
            _ if !schedule.shuffle => Self::InOrder,
            BatchKind::LabeledRows => Self::GroupByLabel,
            takes if is_ranked(takes) && separate => Self::NoDuplicates,
            BatchKind::Candidates if separate => Self::NoRepeatedPairs,
            _ => Self::Shuffled,
        }
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InOrder => "in order",
            Self::Shuffled => "shuffled",
            Self::NoDuplicates => "without duplicates",
            Self::NoRepeatedPairs => "without repeated queries and positives",
            Self::GroupByLabel => "grouped by label",
        })
    }
}

/// The batches of each epoch, as indices into the examples. All rows of a batch have the same number
/// of columns, unless they are lists.
#[derive(Debug)]
pub struct Sampler {
    kind: Kind,
    /// The examples with the same number of columns, group by group.
    groups: Vec<Vec<usize>>,
    batches: Box<dyn MixedSampler>,
}

impl Sampler {
    /// A sampler for a loss of this kind of batch.
    pub fn new(takes: BatchKind, examples: &[Example], schedule: &Schedule) -> Self {
        let kind = Kind::of(takes, schedule);
        let groups = match takes {
            // Lists of different lengths share a batch.
            BatchKind::Lists => vec![(0..examples.len()).collect()],
            _ => by_columns(examples),
        };
        let samplers = groups.iter().map(|rows| {
            let examples: Vec<_> = rows.iter().map(|&row| &examples[row]).collect();
            sampler(kind, &examples, schedule)
        });
        let seed = schedule.seed;
        let batches: Box<dyn MixedSampler> = match kind {
            Kind::InOrder => Box::new(OneAfterAnother(samplers.collect())),
            _ => {
                let shuffled = samplers.map(|inner| Box::new(RandomOrder { inner, seed }) as _);
                Box::new(Proportional::new(shuffled.collect(), seed))
            }
        };
        Self { kind, groups, batches }
    }

    /// How it puts examples into batches.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The batches of an epoch, the same for the same seed: in random order, or with the examples in
    /// their own order if not shuffled.
    pub fn epoch(&self, epoch: usize) -> Plan {
        let MixedPlan { batches, left_out } = self.batches.epoch(epoch);
        let examples = |group: usize, rows: Vec<usize>| {
            rows.into_iter().map(move |row| self.groups[group][row])
        };
        let batches = batches.into_iter().map(|(group, rows)| examples(group, rows).collect());
        let left_out = left_out.into_iter().enumerate();
        let mut left_out: Vec<_> =
            left_out.flat_map(|(group, rows)| examples(group, rows)).collect();
        left_out.sort_unstable();
        Plan { batches: batches.collect(), left_out }
    }
}

/// The batches of a sampler in random order: some samplers plan their small batches last.
#[derive(Debug)]
struct RandomOrder {
    inner: Box<dyn BatchSampler>,
    seed: u64,
}

impl BatchSampler for RandomOrder {
    fn rows(&self) -> usize {
        self.inner.rows()
    }

    fn epoch(&self, epoch: usize) -> Plan {
        let mut plan = self.inner.epoch(epoch);
        let mut rng = StdRng::seed_from_u64(self.seed.wrapping_add(epoch as u64));
        plan.batches.shuffle(&mut rng);
        plan
    }
}

/// All batches of the first data set, then all of the next.
#[derive(Debug)]
struct OneAfterAnother(Vec<Box<dyn BatchSampler>>);

impl MixedSampler for OneAfterAnother {
    fn rows(&self) -> Vec<usize> {
        self.0.iter().map(|sampler| sampler.rows()).collect()
    }

    fn epoch(&self, epoch: usize) -> MixedPlan {
        let plans = self.0.iter().map(|sampler| sampler.epoch(epoch));
        let mut all = MixedPlan::default();
        for (number, Plan { batches, left_out }) in plans.enumerate() {
            all.batches.extend(batches.into_iter().map(|batch| (number, batch)));
            all.left_out.push(left_out);
        }
        all
    }
}

fn sampler(kind: Kind, examples: &[&Example], schedule: &Schedule) -> Box<dyn BatchSampler> {
    let Schedule { batch_size, seed, .. } = *schedule;
    let rows = examples.len();
    match kind {
        Kind::InOrder => Box::new(InOrderConfig::new(batch_size).init(rows)),
        Kind::Shuffled => Box::new(ShuffledConfig::new(batch_size).with_seed(seed).init(rows)),
        Kind::NoDuplicates | Kind::NoRepeatedPairs => {
            // A batch of one has no negatives.
            let config = NoDuplicatesConfig::new(batch_size).with_min_batch(2).with_seed(seed);
            let texts = |example: &&Example| match kind {
                Kind::NoDuplicates => example.texts.clone(),
                _ => example.texts[..2].to_vec(),
            };
            Box::new(config.init(examples.iter().map(texts)))
        }
        Kind::GroupByLabel => {
            let rows = ROWS_OF_A_CLASS.min(batch_size / 2).max(2);
            let config = GroupByLabelConfig::new(rows * (batch_size / rows).max(2));
            let config = config.with_rows_per_label(rows).with_seed(seed);
            Box::new(config.init(examples.iter().map(|example| example.target.class())))
        }
    }
}

fn by_columns(examples: &[Example]) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, example) in examples.iter().enumerate() {
        groups.entry(example.texts.len()).or_default().push(index);
    }
    groups.into_values().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::data::task::Target;
    use crate::data::{Collector, Text};

    fn labelled(sizes: &[usize]) -> Vec<Example> {
        let classes = sizes.iter().enumerate();
        let rows = classes.flat_map(|(class, &size)| std::iter::repeat_n(class, size));
        let example = |class| Example { texts: texts("t"), target: Target::Class(class) };
        rows.map(example).collect()
    }

    /// A text for each letter.
    fn texts(letters: &str) -> Vec<Text> {
        let mut collector = Collector::new(None);
        // In the order of their names.
        (b'a'..=b'z').for_each(|letter| {
            collector.add(std::str::from_utf8(&[letter]).unwrap()).unwrap();
        });
        letters.split("").skip(1).take(letters.len()).map(|it| collector.add(it).unwrap()).collect()
    }

    fn ranked(rows: &[&str]) -> Vec<Example> {
        let example = |row: &&str| Example { texts: texts(row), target: Target::None };
        rows.iter().map(example).collect()
    }

    fn plan(takes: BatchKind, examples: &[Example], schedule: Schedule) -> Plan {
        Sampler::new(takes, examples, &schedule).epoch(0)
    }

    fn of(batch_size: usize) -> Schedule {
        Schedule { batch_size, ..Schedule::default() }
    }

    fn sorted(plan: &Plan) -> Vec<usize> {
        let mut indices = plan.batches.concat();
        indices.sort_unstable();
        indices
    }

    #[test]
    fn labelled_batches_hold_several_rows_of_several_classes() {
        let examples = labelled(&[13, 9, 20, 1]);
        let plan = plan(BatchKind::LabeledRows, &examples, of(12));
        // 13 and 9 rows end with hands of three and two; the lone row has no company.
        assert_eq!(plan.left_out, [42]);
        for batch in &plan.batches {
            let mut sizes = BTreeMap::new();
            for &index in batch {
                *sizes.entry(format!("{:?}", examples[index].target)).or_insert(0) += 1;
            }
            assert!(sizes.len() >= 2 && sizes.values().all(|&size| size >= 2), "{sizes:?}");
        }
    }

    #[test]
    fn no_text_comes_twice_in_a_batch_of_rankings() {
        let examples = ranked(&["ab", "ca", "de", "ef"]);
        let plan = plan(BatchKind::Rankings, &examples, of(4));
        assert_eq!(sorted(&plan), [0, 1, 2, 3]);
        for batch in &plan.batches {
            let texts: Vec<_> = batch.iter().flat_map(|&index| &examples[index].texts).collect();
            assert_eq!(texts.iter().collect::<HashSet<_>>().len(), texts.len());
        }
    }

    #[test]
    fn a_pair_without_negatives_is_left_out() {
        let plan = plan(BatchKind::PositivePairs, &ranked(&["ax", "bx", "cy"]), of(4));
        assert_eq!((plan.batches.len(), plan.left_out.len()), (1, 1));
    }

    #[test]
    fn rows_with_and_without_negatives_do_not_mix() {
        let plan = plan(BatchKind::Rankings, &ranked(&["ab", "cde", "fg", "hij"]), of(8));
        assert_eq!(plan.batches.len(), 2);
        assert_eq!(sorted(&plan), [0, 1, 2, 3]);
    }

    #[test]
    fn the_seed_decides_the_order_unless_it_is_that_of_the_data() {
        let examples = labelled(&[40, 40]);
        let batches =
            |seed| plan(BatchKind::ScoredPairs, &examples, Schedule { seed, ..of(8) }).batches;
        assert_eq!(batches(1), batches(1));
        assert_ne!(batches(1), batches(2));
        assert_eq!(batches(1).concat().len(), 80);
        let in_order =
            plan(BatchKind::LabeledRows, &examples, Schedule { shuffle: false, ..of(8) }).batches;
        assert!(in_order.concat().into_iter().eq(0..80));
    }
}
