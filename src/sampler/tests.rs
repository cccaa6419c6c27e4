//! What samplers guarantee, for all small data sets and some large ones.

use std::collections::{HashMap, HashSet};

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

/// Batch after batch from the rows that are left, as sentence-transformers fills them.
fn one_batch_after_the_other(rows: &[[usize; 2]], batch_size: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut waiting = permutation(rows.len(), &mut random(seed, 0));
    let mut batches = Vec::new();
    while !waiting.is_empty() {
        let (mut batch, mut values) = (Vec::new(), HashSet::new());
        waiting.retain(|&row| {
            let fits = batch.len() < batch_size && rows[row].iter().all(|v| !values.contains(v));
            if fits {
                batch.push(row);
                values.extend(rows[row]);
            }
            !fits
        });
        batches.push(batch);
    }
    batches
}

#[test]
fn no_small_data_set_has_a_value_twice_in_a_batch_and_rows_wait_in_order() {
    for length in 0..=5 {
        for kinds in all(9, length) {
            let rows: Vec<_> = kinds.iter().map(|kind| [kind / 3, kind % 3]).collect();
            for batch_size in 1..=3 {
                let seed = batch_size as u64;
                let plan = NoDuplicatesConfig::new(batch_size).with_seed(seed).init(rows.clone());
                let plan = plan.epoch(0);
                assert_complete(&plan, length, batch_size, &rows);
                assert_eq!(plan.batches, one_batch_after_the_other(&rows, batch_size, seed));
                for batch in &plan.batches {
                    let sets = batch.iter().map(|&row| HashSet::from(rows[row]));
                    let sum: usize = sets.clone().map(|values| values.len()).sum();
                    let union: HashSet<_> = sets.flatten().collect();
                    assert_eq!(sum, union.len(), "{rows:?}: {batch:?}");
                }
            }
        }
    }
}

#[test]
fn batches_that_are_too_small_are_left_out_and_named() {
    // One value in ten rows, ten rows on their own.
    let rows: Vec<_> = (0..20).map(|row: i32| [if row < 10 { -1 } else { row }]).collect();
    let of = |config: NoDuplicatesConfig| config.init(rows.clone()).epoch(3);
    let config = NoDuplicatesConfig::new(4);
    for (config, least) in
        [(config.clone(), 1), (config.clone().with_min_batch(2), 2), (config.with_drop_last(true), 4)]
    {
        let plan = of(config);
        assert_complete(&plan, 20, 4, &rows);
        assert!(plan.batches.iter().all(|batch| batch.len() >= least), "{plan:?}");
        assert_eq!(plan.left_out.is_empty(), least == 1, "{plan:?}");
    }
}

#[test]
fn rows_of_any_number_of_columns_are_compared_in_all_of_them() {
    let rows = [vec!["a", "b", "c"], vec!["d"], vec!["c", "c"], vec![], vec!["d", "e"]];
    let plan = NoDuplicatesConfig::new(5).init(rows).epoch(0);
    assert_complete(&plan, 5, 5, &"");
    assert_eq!(plan.batches.len(), 2);
    let together = |a, b| plan.batches.iter().any(|batch| batch.contains(&a) && batch.contains(&b));
    assert!(!together(0, 2) && !together(1, 4));
}

/// The most hands that batches of two labels or more can hold, found by trying all of them.
fn most_hands(counts: [usize; 4], size: usize, known: &mut HashMap<[usize; 4], usize>) -> usize {
    if let Some(&most) = known.get(&counts) {
        return most;
    }
    let mut most = 0;
    for batch in all(size, 4) {
        let hands = batch.iter().sum::<usize>();
        let labels = batch.iter().filter(|&&hands| hands > 0).count();
        if labels >= 2 && hands <= size && (0..4).all(|l| batch[l] <= counts[l]) {
            let mut rest: [_; 4] = core::array::from_fn(|l| counts[l] - batch[l]);
            rest.sort_unstable();
            most = most.max(hands + most_hands(rest, size, known));
        }
    }
    known.insert(counts, most);
    most
}

/// Four labels with so many rows each, interleaved.
fn labels(counts: &[usize]) -> Vec<usize> {
    let longest = counts.iter().max().copied().unwrap_or(0);
    let round = |i: usize| (0..counts.len()).filter(move |&label| counts[label] > i);
    (0..longest).flat_map(round).collect()
}

fn assert_grouped(plan: &Plan, labels: &[usize]) {
    for batch in &plan.batches {
        let mut counts = HashMap::new();
        batch.iter().for_each(|&row| *counts.entry(labels[row]).or_insert(0) += 1);
        assert!(counts.len() >= 2, "{labels:?}: {plan:?}");
        assert!(counts.values().all(|&count| count >= 2), "{labels:?}: {plan:?}");
    }
}

#[test]
fn every_label_of_a_batch_has_company_whatever_the_labels() {
    for counts in all(8, 4) {
        let labels = labels(&counts);
        for (rows, hands) in [(2, 2), (2, 3), (2, 4), (3, 2), (3, 3), (4, 2), (5, 3)] {
            let size = rows * hands;
            let config = GroupByLabelConfig::new(size).with_rows_per_label(rows);
            for drop_last in [false, true] {
                let config = config.clone().with_drop_last(drop_last);
                let plan = config.init(labels.iter().copied()).epoch(0);
                assert_complete(&plan, labels.len(), size, &counts);
                assert_grouped(&plan, &labels);
                let full = plan.batches.iter().all(|batch| batch.len() == size);
                assert!(full || !drop_last, "{counts:?}: {plan:?}");
            }
        }
    }
}

#[test]
fn no_batches_by_label_could_use_more_pairs() {
    for hands in 2..=4 {
        let mut known = HashMap::new();
        for counts in all(10, 4).filter(|counts| counts.is_sorted()) {
            let labels = labels(&counts);
            let plan = GroupByLabelConfig::new(2 * hands).init(labels.iter().copied()).epoch(0);
            let pairs = core::array::from_fn(|label| counts[label] / 2);
            let used = 2 * most_hands(pairs, hands, &mut known);
            assert_eq!(labels.len() - plan.left_out.len(), used, "{counts:?}: {plan:?}");
            // Full batches, save at the end.
            let full = plan.batches.iter().filter(|batch| batch.len() == 2 * hands).count();
            assert!(full + 2 >= plan.batches.len(), "{counts:?}: {plan:?}");
        }
    }
}

#[test]
fn labels_take_turns() {
    let labels: Vec<_> = (0..400).map(|row| row % 20).collect();
    let plan = GroupByLabelConfig::new(16).with_rows_per_label(4).init(labels.clone()).epoch(0);
    assert_eq!((plan.batches.len(), plan.left_out.len()), (25, 0));
    // 20 labels in a round, 4 labels a batch: none comes twice in a batch.
    for batch in &plan.batches {
        let labels: HashSet<_> = batch.iter().map(|&row| labels[row]).collect();
        assert_eq!(labels.len(), 4, "{plan:?}");
    }
}

#[test]
fn a_label_too_large_for_the_others_is_used_as_far_as_they_reach() {
    let labels = labels(&[20, 2]);
    let plan = GroupByLabelConfig::new(8).init(labels).epoch(0);
    assert_eq!((plan.batches.len(), plan.left_out.len()), (1, 14));
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

#[test]
fn several_data_sets_lose_no_row_silently() {
    for (first, second) in (0..12).flat_map(|first| (0..12).map(move |second| (first, second))) {
        let samplers = || -> Vec<Box<dyn BatchSampler>> {
            vec![
                Box::new(ShuffledConfig::new(3).with_drop_last(true).init(first)),
                Box::new(ShuffledConfig::new(2).init(second)),
            ]
        };
        let (of_first, of_second) = (first / 3, second.div_ceil(2));
        let plans = [RoundRobin::new(samplers()).epoch(1), Proportional::new(samplers(), 1).epoch(1)];
        for (plan, sizes) in plans.iter().zip([
            [of_first.min(of_second); 2],
            [of_first, of_second],
        ]) {
            for (number, rows, size) in [(0, first, 3), (1, second, 2)] {
                let batches = plan.batches.iter().filter(|batch| batch.0 == number);
                let batches: Vec<_> = batches.map(|batch| batch.1.clone()).collect();
                assert_eq!(batches.len(), sizes[number]);
                let plan = Plan { batches, left_out: plan.left_out[number].clone() };
                assert_complete(&plan, rows, size, &(first, second));
            }
        }
        let turns = plans[0].batches.iter().map(|batch| batch.0);
        assert!(turns.eq((0..2 * sizes_of_round(of_first, of_second)).map(|turn| turn % 2)));
    }
}

fn sizes_of_round(first: usize, second: usize) -> usize {
    first.min(second)
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
