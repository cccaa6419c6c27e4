//! `tokenizer.json`, `tokenizer_config.json` and a text, for a network that the first byte of the
//! input chooses. A zero byte ends each of the two files.

#![no_main]

use std::fs;

use burn_embedding_fuzz::{Model, NETWORKS};
use burn_embedding_models::fuzzing::tokenizer;
use libfuzzer_sys::fuzz_target;

std::thread_local! {
    static MODEL: Model = Model::empty();
}

fuzz_target!(|input: &[u8]| {
    let Some((first, input)) = input.split_first() else { return };
    let config = &NETWORKS[usize::from(*first) % NETWORKS.len()];
    MODEL.with(|model| {
        model.write_all(&["tokenizer.json", "tokenizer_config.json", "text"], input);
        let Ok(tokenizer) = tokenizer(model.path(), config) else { return };
        let text = fs::read(model.path().join("text")).expect("the file just written");
        let text = String::from_utf8_lossy(&text);
        if let Ok(tokens) = tokenizer.encode(vec![&text, "The cat sits. ü雨", ""]) {
            let rows = config.shape().vocab_size();
            assert!(tokens.rows.iter().flatten().all(|id| (*id as usize) < rows));
            assert!(tokens.rows.iter().all(|row| row.len() <= tokenizer.max_tokens()));
        }
    });
});
