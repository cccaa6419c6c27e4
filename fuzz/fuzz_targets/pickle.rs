//! `pytorch_model.bin` of a tiny BERT.

#![no_main]

use burn_embedding_fuzz::{NETWORKS, read_weights};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| read_weights(&NETWORKS[0], "pytorch_model.bin", input));
