//! The guarantees of samplers, for all small data sets and some large ones.

mod by_label;
#[cfg(feature = "dataset")]
mod loader;
mod mixed;
mod no_duplicates;

use super::*;

/// Every row is in one batch or left out, and no batch is empty or too large.
fn assert_complete(plan: &Plan, rows: usize, batch_size: usize, what: &dyn Debug) {
    let mut seen = [plan.batches.concat(), plan.left_out.clone()].concat();
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..rows), "{what:?}: {plan:?}");
    let sizes = 1..=batch_size;
    assert!(plan.batches.iter().all(|batch| sizes.contains(&batch.len())), "{what:?}: {plan:?}");
    assert!(plan.left_out.is_sorted());
}

/// All lists of `length` numbers below `base`.
fn all(base: usize, length: usize) -> impl Iterator<Item = Vec<usize>> {
    let digits = move |n: usize| (0..length).map(move |i| n / base.pow(i as u32) % base).collect();
    (0..base.pow(length as u32)).map(digits)
}

#[test]
fn the_seed_and_the_epoch_decide_the_batches() {
    let rows = 60;
    let samplers = |seed| -> Vec<Box<dyn BatchSampler>> {
        vec![
            Box::new(ShuffledConfig::new(8).with_seed(seed).init(rows)),
            Box::new(NoDuplicatesConfig::new(8).with_seed(seed).init((0..rows).map(|i| [i / 2]))),
            Box::new(GroupByLabelConfig::new(8).with_seed(seed).init((0..rows).map(|i| i % 5))),
        ]
    };
    for index in 0..3 {
        let epoch = |seed, epoch| samplers(seed)[index].epoch(epoch);
        assert_eq!(epoch(1, 4), epoch(1, 4));
        assert_ne!(epoch(1, 4), epoch(1, 5));
        assert_ne!(epoch(1, 4), epoch(2, 4));
        let plan = epoch(1, 0);
        assert_complete(&plan, rows, 8, &samplers(1)[index]);
    }
    for (seed, other) in [((1, 4), (1, 5)), ((1, 4), (2, 4))] {
        let mixed = |(seed, epoch)| Proportional::new(samplers(seed), seed).epoch(epoch);
        let order = |at| mixed(at).batches.iter().map(|batch| batch.0).collect::<Vec<_>>();
        assert_eq!(mixed(seed), mixed(seed));
        assert_ne!(order(seed), order(other));
    }
}

/// With a search that starts anew for each row, these would take hours.
#[test]
fn a_million_rows_of_the_worst_kind_take_seconds() {
    let million = 1_000_000;
    // One value in half of the rows.
    let half = (0..million).map(|row| [row, if row % 2 == 0 { -1 } else { -2 - row }]);
    let plan = NoDuplicatesConfig::new(32).init(half).epoch(0);
    assert_complete(&plan, million as usize, 32, &"half");
    assert_eq!(plan.batches.len(), 500_000);

    // Two values, each in half of the rows.
    let two = (0..million).map(|row| [row % 2]);
    let plan = NoDuplicatesConfig::new(32).init(two).epoch(0);
    assert_eq!(plan.batches.len(), 500_000);

    // Ten values in pairs: combinations are few, their rows many.
    let pairs = (0..million).map(|row| [row % 10, (row / 10 * 7 + row / 90) % 10]);
    assert_complete(&NoDuplicatesConfig::new(32).init(pairs).epoch(0), 1_000_000, 32, &"pairs");

    let labels = (0..million).map(|row| if row % 10 == 0 { row } else { -1 - row % 2 });
    let plan = GroupByLabelConfig::new(32).init(labels).epoch(0);
    assert_complete(&plan, million as usize, 32, &"labels");
    let skewed = (0..million).map(|row| if row % 100 == 0 { row / 1000 } else { -1 });
    let plan = GroupByLabelConfig::new(32).init(skewed).epoch(0);
    assert_complete(&plan, million as usize, 32, &"skewed");
    assert_eq!(plan.left_out.len(), million as usize - 32 * 5000);
}

macro_rules! refuses {
    ($($name:ident: $config:expr, $message:literal;)*) => {$(
        #[test]
        #[should_panic(expected = $message)]
        fn $name() {
            $config;
        }
    )*};
}

refuses! {
    an_empty_batch: ShuffledConfig::new(0).init(4),
        "Shuffled: `batch_size` must be at least 1, got 0";
    an_empty_batch_in_order: InOrderConfig::new(0).init(4),
        "InOrder: `batch_size` must be at least 1, got 0";
    an_empty_batch_without_duplicates: NoDuplicatesConfig::new(0).init([[1]]),
        "NoDuplicates: `batch_size` must be at least 1, got 0";
    a_minimum_above_the_size: NoDuplicatesConfig::new(4).with_min_batch(5).init([[1]]),
        "NoDuplicates: `min_batch` must be from 1 to `batch_size` (4), got 5";
    one_row_a_label: GroupByLabelConfig::new(4).with_rows_per_label(1).init([1]),
        "GroupByLabel: `rows_per_label` must be at least 2, got 1";
    a_batch_of_one_label: GroupByLabelConfig::new(3).init([1]),
        "GroupByLabel: `batch_size` must be at least 4, got 3";
    a_batch_of_odd_size: GroupByLabelConfig::new(10).with_rows_per_label(4).init([1]),
        "GroupByLabel: `batch_size` must be a multiple of `rows_per_label` (4), got 10";
    no_data_set: RoundRobin::new(vec![]),
        "RoundRobin: `samplers` must hold at least 1 sampler, got 0";
    no_data_set_in_proportion: Proportional::new(vec![], 1),
        "Proportional: `samplers` must hold at least 1 sampler, got 0";
}
