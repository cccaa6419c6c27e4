//! `modules.json` and the configurations of modules. The first byte of the input chooses a tiny model,
//! some of whose files the rest replaces; a zero byte ends each but the last.

#![no_main]

use burn_embedding_fuzz::Model;
use libfuzzer_sys::fuzz_target;

const MODELS: [(&str, &[&str]); 4] = [
    (
        "bert",
        &[
            "modules.json",
            "sentence_bert_config.json",
            "1_Pooling/config.json",
            "config_sentence_transformers.json",
        ],
    ),
    (
        "dense",
        &[
            "modules.json",
            "1_Pooling/config.json",
            "2_Dense/config.json",
            "4_LayerNorm/config.json",
            "5_Dropout/config.json",
            "7_Normalize/config.json",
        ],
    ),
    ("layers", &["modules.json", "1_WeightedLayerPooling/config.json", "2_Pooling/config.json"]),
    ("static", &["modules.json", "1_Dense/config.json", "config_sentence_transformers.json"]),
];

std::thread_local! {
    static DIRECTORIES: Vec<Model> = MODELS.map(|(name, _)| Model::golden(name)).into();
}

fuzz_target!(|input: &[u8]| {
    let Some((first, input)) = input.split_first() else { return };
    let chosen = usize::from(*first) % MODELS.len();
    DIRECTORIES.with(|models| {
        models[chosen].write_all(MODELS[chosen].1, input);
        models[chosen].embed();
    });
});
