//! `config.json` of any network: its parameters are listed, and a small one embeds a text.

#![no_main]

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use burn_embedding_models::Network;
use burn_embedding_models::fuzzing::network;
use libfuzzer_sys::fuzz_target;

/// Networks with more parameters are not run.
const SMALL: usize = 1 << 15;
/// Nor are those with more layers, which ALBERT runs several times.
const SHALLOW: usize = 32;
/// The longest text, in tokens.
const TOKENS: usize = 5;

fuzz_target!(|input: &[u8]| {
    let device = Device::flex();
    let Ok((config, network)) = network(input, &device) else { return };
    let shallow = match &network {
        Network::Bert(transformer) => transformer.depth() <= SHALLOW,
        _ => true,
    };
    if network.num_params() > SMALL || !shallow {
        return;
    }
    let shape = config.shape();
    let tokens = shape.max_tokens().unwrap_or(TOKENS).min(TOKENS) as i64;
    let ids = Tensor::<1, Int>::arange(0..tokens, &device);
    let ids = ids.remainder_scalar(shape.vocab_size() as i64).reshape([1, tokens as usize]);
    let vectors = network.token_vectors(ids.clone());
    let padding = ids.equal_elem(-1);
    let vectors = network.forward(vectors, padding);
    assert_eq!(vectors.dims(), [1, tokens as usize, shape.hidden_size()]);
});
