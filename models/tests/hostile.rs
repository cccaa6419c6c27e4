//! Tokenizers that are made to do damage: to end the program, to fill memory or never to end.

mod common;

use burn::tensor::Device;
use burn_embedding_models::SentenceTransformer;
use common::{Change, copy, golden, set};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The error for a model after changes of its tokenizer.
fn error(family: &str, changes: &[(&str, Value)]) -> String {
    let directory = TempDir::new().unwrap();
    copy(&golden(family), directory.path());
    let change: Change = ("tokenizer.json", changes);
    set(directory.path(), change);
    let model = SentenceTransformer::open(directory.path(), &Device::flex());
    let error = model.and_then(|model| model.encode(&["a   b"])).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

fn refused(family: &str, pointer: &str, value: Value, message: &str) {
    let error = error(family, &[(pointer, value)]);
    assert!(error.contains("tokenizer.json") && error.contains(message), "{error}");
}

#[test]
fn steps_that_make_texts_without_end_are_refused() {
    let longer = json!({"type": "Replace", "pattern": {"String": "a"}, "content": "aaaaaaaaaa"});
    let many = json!({"type": "Sequence", "normalizers": vec![longer; 8]});
    refused("bert", "/normalizer", many, "may make a text 100000000 times as long");
    let inner = json!({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "a".repeat(65)}]});
    let nested = json!({"type": "Sequence", "normalizers": [inner, inner]});
    refused("bert", "/normalizer", nested, "may make a text 4225 times as long");
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false});
    let many = json!({"type": "Sequence", "pretokenizers": vec![bytes; 13]});
    refused("bert", "/pre_tokenizer", many, "may make a text 8192 times as long");
}

#[test]
fn pieces_of_no_length_are_refused() {
    let pieces = json!({"type": "FixedLength", "length": 0});
    refused("bert", "/pre_tokenizer", pieces, "pieces of length 0");
}

#[test]
fn patterns_that_take_long_to_build_are_refused() {
    let pattern = json!({"Regex": "(?=a)".repeat(2000)});
    let replace = json!({"type": "Replace", "pattern": pattern, "content": ""});
    refused("bert", "/normalizer", replace, "its patterns have 10000 bytes, expected at most");
    let split =
        json!({"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": false});
    refused("bert", "/pre_tokenizer", split, "its patterns have 10000 bytes, expected at most");
}

#[test]
fn words_of_any_length_are_refused() {
    let message = "`max_input_chars_per_word` is 1000000, expected at most 1024";
    refused("bert", "/model/max_input_chars_per_word", json!(1_000_000), message);
}

#[test]
fn merges_that_give_no_token_are_refused() {
    let pairs = |merges: Value| json!({"type": "BPE", "vocab": {"a": 0, "##": 1, "é": 2}, "merges": merges});
    for (merges, prefix, pair) in [
        (json!([["a", "é"]]), json!(null), "\"a\" and \"é\""),
        (json!(["a ##"]), json!(null), "\"a\" and \"##\""),
        // The prefix would be longer than the token that it is taken from, or end within a letter.
        (json!([["a", "##"]]), json!("###"), "\"a\" and \"##\""),
        (json!([["a", "é"]]), json!("x"), "\"a\" and \"é\""),
    ] {
        let mut model = pairs(merges);
        model["continuing_subword_prefix"] = prefix;
        let message = format!("the merge of {pair} gives a token that is not in the vocabulary");
        refused("bert", "/model", model, &message);
    }
}

#[test]
fn added_spaces_that_take_the_spaces_of_others_are_refused() {
    let token = |content: &str, left: bool, right: bool| {
        json!({
            "id": 0, "content": content, "single_word": false, "lstrip": left, "rstrip": right,
            "normalized": false, "special": true,
        })
    };
    let added = json!([token("a", false, true), token(" ", true, false)]);
    let changes =
        [("/model/vocab/!", Value::Null), ("/model/vocab/ ", json!(42)), ("/added_tokens", added)];
    let error = error("bert", &changes);
    assert!(error.contains("the added token \" \" is only spaces, and `lstrip` is set"), "{error}");
}
