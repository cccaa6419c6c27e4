//! `model.safetensors` of a BERT of a few numbers.

#![no_main]

use std::sync::LazyLock;

use burn::tensor::Device;
use burn_embedding_fuzz::{SMALL_BERT, read_weights};
use burn_embedding_models::NetworkConfig;
use burn_embedding_models::fuzzing::network;
use libfuzzer_sys::fuzz_target;

static CONFIG: LazyLock<NetworkConfig> =
    LazyLock::new(|| network(SMALL_BERT.as_bytes(), &Device::flex()).expect("a valid network").0);

fuzz_target!(|input: &[u8]| read_weights(&CONFIG, "model.safetensors", input));
