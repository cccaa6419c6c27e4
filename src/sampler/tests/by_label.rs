//! Every label of a batch has two rows, and every row another label to compare with.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::*;

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
            // Full batches, except at the end.
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
    // 20 labels in a round, 4 labels a batch: none comes twice in a batch, and others meet each round.
    let sets = plan.batches.iter().map(|batch| {
        let labels: BTreeSet<_> = batch.iter().map(|&row| labels[row]).collect();
        assert_eq!(labels.len(), 4, "{plan:?}");
        labels
    });
    assert!(sets.collect::<HashSet<_>>().len() > 20, "{plan:?}");
}

#[test]
fn the_end_of_a_round_and_the_start_of_the_next_are_of_two_labels() {
    let labels: Vec<_> = (0..100).map(|row| row % 5).collect();
    for seed in 0..100 {
        let plan = GroupByLabelConfig::new(4).with_seed(seed).init(labels.clone()).epoch(0);
        assert_complete(&plan, labels.len(), 4, &seed);
        assert_grouped(&plan, &labels);
    }
}

#[test]
fn a_label_too_large_for_the_others_is_used_as_far_as_they_reach() {
    let labels = labels(&[20, 2]);
    let plan = GroupByLabelConfig::new(8).init(labels).epoch(0);
    assert_eq!((plan.batches.len(), plan.left_out.len()), (1, 14));
}
