//! Parquet files, and the examples that each loss finds in them.

#![no_main]

use burn_embedding_fuzz::examples_of_all;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| examples_of_all("a.parquet", bytes));
