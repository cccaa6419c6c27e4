//! No row meets one that shares a value.

use std::collections::HashSet;

use super::*;

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
    for (config, least) in [
        (config.clone(), 1),
        (config.clone().with_min_batch(2), 2),
        (config.with_drop_last(true), 4),
    ] {
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
