//! Fields of `config.json` mean what they mean to sentence-transformers 6.2.0, from `goldens/variants.py`.

mod common;

use std::fs;

use burn::tensor::Device;
use burn_embedding_models::SentenceTransformer;
use common::{assert_close, copy, golden, rows, set};
use serde::Deserialize;
use serde_json::{Map, Value};
use tempfile::TempDir;

#[derive(Deserialize)]
struct Variants {
    texts: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    family: String,
    fields: Map<String, Value>,
    file: String,
    expected: Vec<Vec<f32>>,
}

#[test]
fn fields_of_the_configuration_mean_what_they_do_in_python() {
    let variants = fs::read(golden("variants.json")).unwrap();
    let variants: Variants = serde_json::from_slice(&variants).unwrap();
    assert!(variants.cases.len() >= 20);
    for Case { family, fields, file, expected } in variants.cases {
        let what = format!("{family} with {fields:?} in {file}");
        let directory = TempDir::new().unwrap();
        copy(&golden(&family), directory.path());
        let pointers = fields.into_iter().map(|(name, value)| (format!("/{name}"), value));
        let pointers: Vec<_> = pointers.collect();
        let pointers: Vec<_> =
            pointers.iter().map(|(name, value)| (&name[..], value.clone())).collect();
        set(directory.path(), (&file, &pointers));
        let model = SentenceTransformer::open(directory.path(), &Device::flex());
        let model = model.unwrap_or_else(|error| panic!("{what}: {error}"));
        let found = rows(model.encode(&variants.texts).unwrap());
        assert_close(&found, &expected, 1e-5, &what);
    }
}
