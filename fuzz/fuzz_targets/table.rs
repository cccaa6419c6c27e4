//! `model.safetensors` of a StaticEmbedding, as model2vec saves it.

#![no_main]

use burn_embedding_fuzz::Model;
use libfuzzer_sys::fuzz_target;

std::thread_local! {
    static MODEL: Model = Model::golden("model2vec");
}

fuzz_target!(|input: &[u8]| {
    MODEL.with(|model| {
        model.write("model.safetensors", input);
        model.embed();
    });
});
