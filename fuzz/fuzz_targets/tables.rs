//! Files of training and evaluation data, and the examples that each loss finds in them.
//!
//! The first byte of the input chooses the name of the file, the rest is the file.

#![no_main]

use burn_embedding_fuzz::examples_of_all;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 7] = ["a.csv", "a.tsv", "a.txt", "a.jsonl", "a.json", "a.csv.gz", "a.json.gz"];

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    examples_of_all(NAMES[usize::from(*first) % NAMES.len()], bytes);
});
