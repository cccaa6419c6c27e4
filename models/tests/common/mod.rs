//! The tiny models that `goldens/generate.py` makes.
#![allow(dead_code, reason = "each test program uses some of it")]

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor};
use burn_embedding_models::SentenceTransformer;
use serde_json::Value;

/// The directories of the tiny models.
pub const FAMILIES: [&str; 13] = [
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

/// Copies a directory with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Changes fields of a file.
pub type Change<'a> = (&'a str, &'a [(&'a str, Value)]);

/// Changes fields of a JSON file in `directory`, by their pointers; null removes one.
pub fn set(directory: &Path, (file, fields): Change) {
    let path = directory.join(file);
    let mut content: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (pointer, value) in fields {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = content.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            Value::Null => parent.remove(name),
            value => parent.insert((*name).to_string(), value.clone()),
        };
    }
    fs::write(path, content.to_string()).unwrap();
}
