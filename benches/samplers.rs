//! A million rows into batches of 64.
//!
//! ```sh
//! cargo bench --bench samplers
//! ```

use std::hint::black_box;

use burn_embedding_losses::sampler::{
    BatchSampler, GroupByLabelConfig, NoDuplicatesConfig, ShuffledConfig,
};
use divan::Bencher;

const ROWS: usize = 1_000_000;
const BATCH: usize = 64;

fn main() {
    divan::main();
}

/// Pairs of a question of its own and an answer that so many rows share.
fn pairs(rows_per_answer: usize) -> impl Iterator<Item = [usize; 2]> {
    (0..ROWS).map(move |row| [row, ROWS + row / rows_per_answer])
}

fn epochs(bencher: Bencher, sampler: impl BatchSampler) {
    bencher.bench_local(|| black_box(sampler.epoch(0)));
}

#[divan::bench(sample_count = 5)]
fn shuffled(bencher: Bencher) {
    epochs(bencher, ShuffledConfig::new(BATCH).init(ROWS));
}

#[divan::bench(sample_count = 5, args = [1, 10, ROWS / 2])]
fn no_duplicates(bencher: Bencher, rows_per_answer: usize) {
    epochs(bencher, NoDuplicatesConfig::new(BATCH).init(pairs(rows_per_answer)));
}

#[divan::bench(sample_count = 5, args = [1, 10])]
fn no_duplicates_of_new_data(bencher: Bencher, rows_per_answer: usize) {
    let config = NoDuplicatesConfig::new(BATCH);
    bencher.bench_local(|| black_box(config.init(pairs(rows_per_answer)).epoch(0)));
}

#[divan::bench(sample_count = 5, args = [2, 10, 100_000])]
fn group_by_label(bencher: Bencher, labels: usize) {
    epochs(bencher, GroupByLabelConfig::new(BATCH).init((0..ROWS).map(|row| row % labels)));
}

#[divan::bench(sample_count = 5)]
fn group_by_label_nine_of_ten_alike(bencher: Bencher) {
    let labels = (0..ROWS).map(|row| if row % 10 == 0 { row % 100 } else { 1 });
    epochs(bencher, GroupByLabelConfig::new(BATCH).init(labels));
}
