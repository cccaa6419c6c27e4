//! Classes of transformers that take only the vocabulary of tokenizer.json: the token ids are those of
//! sentence-transformers 6.2.0 with transformers 5.24.0, for the same directories.

mod common;

use std::fs;

use burn::tensor::Device;
use burn_embedding_models::SentenceTransformer;
use common::{copy, golden, set};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

const TEXT: &str = "The  cat's ``mat''\tsits, in the é river ’ Ü ﬁ on  ";

/// What Python found, from `goldens/class_ids.py`.
#[derive(Deserialize)]
struct Case {
    /// A model.
    family: String,
    /// Fields of its tokenizer_config.json; null removes one.
    fields: Value,
    /// Whether tokenizer.json loses its template.
    without_template: bool,
    ids: Vec<u32>,
}

/// The ids of the text in a model whose files are changed.
fn ids(family: &str, fields: &Value, without_template: bool) -> Vec<u32> {
    let directory = TempDir::new().unwrap();
    copy(&golden(family), directory.path());
    for (name, value) in fields.as_object().unwrap() {
        let field = (format!("/{name}"), value.clone());
        set(directory.path(), ("tokenizer_config.json", &[(&field.0, field.1)]));
    }
    if without_template {
        set(directory.path(), ("tokenizer.json", &[("/post_processor", Value::Null)]));
    }
    let model = SentenceTransformer::open(directory.path(), &Device::flex()).unwrap();
    model.tokenizer.encode(vec![TEXT]).unwrap().rows.remove(0)
}

#[test]
fn classes_build_what_is_around_the_vocabulary() {
    let cases = fs::read(golden("class_ids.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_slice(&cases).unwrap();
    for Case { family, fields, without_template, ids: expected } in cases {
        let found = ids(&family, &fields, without_template);
        assert_eq!(found, expected, "{family}, {fields}, {without_template}");
    }
}

#[test]
fn a_template_with_a_token_that_is_not_there_is_refused() {
    for (piece, message) in [
        (json!({"SpecialToken": {"id": "<x>", "type_id": 0}}), "its template names \"<x>\""),
        (json!({"Sequence": {"id": "B", "type_id": 0}}), "names the sequence \"B\""),
    ] {
        let directory = TempDir::new().unwrap();
        copy(&golden("bert"), directory.path());
        set(directory.path(), ("tokenizer.json", &[("/post_processor/single", json!([piece]))]));
        let error = SentenceTransformer::open(directory.path(), &Device::flex()).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}
