//! Classes of tokenizers that build what is around byte pairs themselves: the token ids are those of
//! transformers 5.24.0, for the same files.

mod common;

use std::collections::BTreeMap;
use std::fs;

use burn::tensor::Device;
use burn_embedding_models::SentenceTransformer;
use common::{copy, golden};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

#[derive(Deserialize)]
struct Classes {
    texts: Vec<String>,
    /// Each `tokenizer.json`, by a name.
    files: BTreeMap<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    /// The model whose tokenizer is replaced.
    family: String,
    file: String,
    /// `tokenizer_config.json`.
    options: Value,
    ids: Vec<Vec<u32>>,
}

#[test]
fn token_ids_are_those_of_the_class() {
    let classes = fs::read(golden("bpe_classes.json")).unwrap();
    let Classes { texts, files, cases } = serde_json::from_slice(&classes).unwrap();
    for Case { family, file, options, ids } in cases {
        let directory = TempDir::new().unwrap();
        copy(&golden(&family), directory.path());
        let write = |name: &str, content: &Value| {
            fs::write(directory.path().join(name), content.to_string()).unwrap();
        };
        write("tokenizer.json", &files[&file]);
        write("tokenizer_config.json", &options);
        let model = SentenceTransformer::open(directory.path(), &Device::flex()).unwrap();
        let found = model.tokenizer.encode(texts.iter().map(String::as_str).collect()).unwrap();
        assert_eq!(found.rows, ids, "{family}, {file}, {options}");
    }
}
