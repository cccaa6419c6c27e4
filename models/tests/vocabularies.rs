//! Tokenizers without `tokenizer.json`, put together from their vocabularies as transformers does.

mod common;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burn::tensor::Device;
use burn_embedding_models::SentenceTransformer;
use common::{copy, golden, open, set};
use serde_json::Value;
use tempfile::TempDir;

/// A copy of a tiny model whose tokenizer is in older files.
fn older(family: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    copy(&golden(family), directory.path());
    let path = directory.path().join("tokenizer.json");
    let file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    fs::remove_file(path).unwrap();
    // The class of the model's family.
    set(directory.path(), ("tokenizer_config.json", &[("/tokenizer_class", Value::Null)]));
    let model = &file["model"];
    match model["type"].as_str().unwrap() {
        "Unigram" => {}
        "WordPiece" => write_lines(directory.path(), "vocab.txt", &by_id(&model["vocab"])),
        _ => {
            fs::write(directory.path().join("vocab.json"), model["vocab"].to_string()).unwrap();
            let pair = |pair: &Value| match pair {
                Value::String(pair) => pair.clone(),
                pair => format!("{} {}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap()),
            };
            let pairs = model["merges"].as_array().unwrap().iter().map(pair);
            let version = "#version: 0.2".to_string();
            let lines: Vec<String> = std::iter::once(version).chain(pairs).collect();
            write_lines(directory.path(), "merges.txt", &lines);
        }
    }
    directory
}

fn by_id(vocabulary: &Value) -> Vec<String> {
    let mut tokens: Vec<_> = vocabulary.as_object().unwrap().iter().collect();
    tokens.sort_by_key(|(_, id)| id.as_u64());
    tokens.into_iter().map(|(token, _)| token.clone()).collect()
}

fn write_lines(directory: &Path, name: &str, lines: &[String]) {
    let text = lines.iter().fold(String::new(), |mut text, line| {
        writeln!(text, "{line}").unwrap();
        text
    });
    fs::write(directory.join(name), text).unwrap();
}

fn ids(model: &SentenceTransformer, texts: &[String]) -> Value {
    let texts = texts.iter().map(String::as_str).collect();
    serde_json::to_value(model.tokenizer.encode(texts).unwrap().rows).unwrap()
}

/// A case of `vocabularies.py`: a directory with its files.
fn case_of(case: &Value) -> TempDir {
    let directory = older(case["family"].as_str().unwrap());
    let config = directory.path().join("tokenizer_config.json");
    fs::write(config, case["config"].to_string()).unwrap();
    // What sentence-transformers does before is not in the ids.
    fs::write(directory.path().join("sentence_bert_config.json"), "{}").unwrap();
    for (name, bytes) in case["files"].as_object().unwrap() {
        let bytes = STANDARD.decode(bytes.as_str().unwrap()).unwrap();
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    directory
}

#[test]
fn ids_are_those_of_transformers() {
    let file = fs::read(golden("vocabularies.json")).unwrap();
    let expected: Value = serde_json::from_slice(&file).unwrap();
    let texts: Vec<String> = serde_json::from_value(expected["texts"].clone()).unwrap();
    let mut compared = 0;
    for case in expected["cases"].as_array().unwrap() {
        let directory = case_of(case);
        let expected: Vec<Vec<u64>> = serde_json::from_value(case["ids"].clone()).unwrap();
        let model = open(directory.path());
        let rows = model.package.config.shape().vocab_size() as u64;
        // Longer texts are cut here.
        let limit = model.tokenizer.max_tokens();
        for (text, expected) in texts.iter().zip(&expected).filter(|(_, ids)| ids.len() <= limit) {
            // An id without an embedding is refused.
            if expected.iter().all(|id| *id < rows) {
                assert_eq!(
                    ids(&model, std::slice::from_ref(text))[0],
                    serde_json::json!(expected),
                    "{case}: {text}"
                );
                compared += 1;
            } else {
                let error = model.tokenizer.encode(vec![text]).unwrap_err().to_string();
                let id = expected.iter().find(|id| **id >= rows).unwrap();
                assert!(
                    error.contains(&format!("it gives the id {id} ")),
                    "{case}: {text}: {error}"
                );
            }
        }
    }
    assert!(compared > 60, "{compared}");
}

#[test]
fn a_token_beside_the_vocabulary_has_its_own_id() {
    let directory = older("bert");
    fs::write(directory.path().join("added_tokens.json"), r#"{"atat": 44}"#).unwrap();
    let model = open(directory.path());
    let error = model.tokenizer.encode(vec!["the atat"]).unwrap_err().to_string();
    assert!(error.contains("it gives the id 44 (\"atat\")"), "{error}");
}

#[test]
fn a_saved_model_has_the_whole_tokenizer() {
    for family in ["bert", "roberta"] {
        let directory = older(family);
        let saved = directory.path().join("saved");
        let texts = ["the cat runs".to_string()];
        let model = open(directory.path());
        model.save(&saved).unwrap();
        assert!(saved.join("tokenizer.json").exists());
        assert_eq!(ids(&open(&saved), &texts), ids(&model, &texts), "{family}");
    }
}

#[test]
fn what_no_tokenizer_can_be_built_from_is_refused() {
    let refused = |family: &str, change: &dyn Fn(&Path)| {
        let directory = older(family);
        change(directory.path());
        let opened = SentenceTransformer::open(directory.path(), &Device::flex());
        let error = opened.unwrap_err().to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
        error
    };
    let remove = |name: &'static str| move |path: &Path| fs::remove_file(path.join(name)).unwrap();
    let write = |name: &'static str, text: &'static [u8]| {
        move |path: &Path| fs::write(path.join(name), text).unwrap()
    };
    for (error, message) in [
        (refused("bert", &remove("vocab.txt")), "tokenizer.json: No such file or directory"),
        (
            refused("roberta", &remove("merges.txt")),
            "cannot be built from vocab.json here: write it",
        ),
        (
            refused("t5", &write("spiece.model", b"\n")),
            "spiece.model: it is damaged, or no model of",
        ),
        (
            refused("t5", &write("tokenizer.model", b"\n")),
            "from tokenizer.model here: write it in Python",
        ),
        (refused("bert", &write("vocab.txt", b"\xff")), "vocab.txt: invalid utf-8"),
        (refused("roberta", &write("vocab.json", b"[]")), "vocab.json: invalid type"),
        (refused("roberta", &write("merges.txt", b"a b c\n")), "tokenizer.json"),
    ] {
        assert!(error.contains(message), "{error}\n  does not contain\n{message}");
    }
}
