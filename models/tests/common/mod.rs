//! The tiny models that `goldens/generate.py` makes.
#![allow(dead_code, unused_imports, reason = "each test program uses some of it")]

mod files;
mod gradients;

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor};
use burn_embedding_models::SentenceTransformer;
pub use files::{Change, copy, set};
pub use gradients::{named, texts_without_padding, weighted_squares};

/// The directories of the tiny models.
pub const FAMILIES: [&str; 32] = [
    "bert",
    "roberta",
    "xlm-roberta",
    "mpnet",
    "distilbert",
    "camembert",
    "electra",
    "albert",
    "deberta-v2",
    "deberta-v3",
    "t5",
    "mt5",
    "umt5",
    "modernbert",
    "nomic_bert",
    "gte",
    "new",
    "qwen2",
    "qwen2-bidirectional",
    "qwen3",
    "llama",
    "mistral",
    "gemma",
    "gemma2",
    "gemma3",
    "gemma3-causal",
    "dense",
    "dense-tokens",
    "layers",
    "layers-qwen3",
    "static",
    "model2vec",
];

/// The directory of a tiny model.
pub fn golden(family: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens").join(family)
}

/// Opens a model.
pub fn open(directory: &Path) -> SentenceTransformer {
    SentenceTransformer::open(directory, &Device::flex()).unwrap()
}

/// The texts that Python embedded.
pub fn texts() -> Vec<String> {
    serde_json::from_slice(&fs::read(golden("texts.json")).unwrap()).unwrap()
}

/// The embeddings that Python gave.
pub fn expected(family: &str) -> Vec<Vec<f32>> {
    let file = fs::read(golden(family).join("expected.json")).unwrap();
    serde_json::from_slice(&file).unwrap()
}

/// Compares embeddings with the expected ones.
pub fn assert_close(found: &[Vec<f32>], expected: &[Vec<f32>], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len());
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            let difference = (found - expected).abs();
            assert!(difference <= tolerance, "{what}, text {row}: {found} is not {expected}");
        }
    }
}

/// Embeddings as rows of numbers.
pub fn rows(embeddings: Tensor<2>) -> Vec<Vec<f32>> {
    let [_, dimension] = embeddings.dims();
    let values: Vec<f32> = embeddings.into_data().iter().collect();
    values.chunks(dimension).map(<[f32]>::to_vec).collect()
}

/// Changes the header of a safetensors file, whose length may change with it.
pub fn change_header(bytes: &[u8], change: impl Fn(&str) -> String) -> Vec<u8> {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = change(std::str::from_utf8(&bytes[8..8 + length]).unwrap());
    let start = (header.len() as u64).to_le_bytes();
    [&start, header.as_bytes(), &bytes[8 + length..]].concat()
}
