//! LoRA adapters that peft and sentence-transformers saved, added to the model when it is read.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use burn_embedding_models::{OpenOptions, PoolingMode, SentenceTransformer};
use common::{assert_close, copy, expected, golden, open, rows, set, texts};
use serde_json::{Value, json};
use tempfile::TempDir;

const ADAPTER: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";
const BASE: &str = "/base_model_name_or_path";

/// The model with the adapter beside its own files.
fn together(family: &str, adapter: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    copy(&golden(family), directory.path());
    for file in [ADAPTER, WEIGHTS] {
        fs::copy(golden(adapter).join(file), directory.path().join(file)).unwrap();
    }
    directory
}

/// The adapter alone, with its model under `base`.
fn alone(adapter: &str, base: &Path) -> TempDir {
    let directory = TempDir::new().unwrap();
    copy(&golden(adapter), directory.path());
    set(directory.path(), (ADAPTER, &[(BASE, json!(base.to_str().unwrap()))]));
    directory
}

fn embeddings(model: &SentenceTransformer) -> Vec<Vec<f32>> {
    rows(model.encode(&texts()).unwrap())
}

fn error(directory: &Path) -> String {
    let error = SentenceTransformer::open(directory, &Device::flex()).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

/// The embeddings are Python's, also after the model is saved without the adapter.
fn assert_merged(model: &SentenceTransformer, adapter: &str) {
    let found = embeddings(model);
    assert_close(&found, &expected(adapter), 1e-5, adapter);
    let saved = TempDir::new().unwrap();
    let path = saved.path().join("saved");
    model.save(&path).unwrap();
    let files = burn_embedding_models::directory::names(&path).unwrap();
    assert!(!files.iter().any(|name| name.starts_with("adapter")), "{files:?}");
    assert!(files.contains(&"config.json".to_string()), "{files:?}");
    assert_eq!(embeddings(&open(&path)), found);
}

#[test]
fn an_adapter_beside_its_model_is_added() {
    for (family, adapter) in [("bert", "lora"), ("bert", "lora-options"), ("qwen3", "lora-qwen3")] {
        assert_merged(&open(together(family, adapter).path()), adapter);
    }
}

#[test]
fn an_adapter_may_be_a_pickle() {
    let directory = together("bert", "lora");
    fs::remove_file(directory.path().join(WEIGHTS)).unwrap();
    let pickle = "adapter_model.bin";
    fs::copy(golden("files").join(pickle), directory.path().join(pickle)).unwrap();
    assert_merged(&open(directory.path()), "lora");
    fs::write(directory.path().join(pickle), b"no pickle").unwrap();
    assert!(error(directory.path()).contains(pickle));
}

#[test]
fn an_adapter_of_sentence_transformers_names_its_model() {
    // By a path relative to the adapter, and by an absolute one.
    assert_merged(&open(&golden("lora")), "lora");
    assert_merged(&open(alone("lora", &golden("bert")).path()), "lora");
}

#[cfg(unix)]
#[test]
fn a_link_from_an_adapter_to_a_model_elsewhere_is_refused() {
    let directory = alone("lora", Path::new("model"));
    let base = directory.path().join("model");
    copy(&golden("bert"), &base);
    assert_merged(&open(directory.path()), "lora");
    fs::remove_dir_all(&base).unwrap();
    std::os::unix::fs::symlink(golden("bert"), &base).unwrap();
    let message = error(directory.path());
    assert!(message.contains("model: it is a link that leaves the directory"), "{message}");
}

#[test]
fn an_adapter_of_peft_needs_a_pooling() {
    let directory = alone("lora-options", &golden("bert"));
    // As in Python, the length that the base's sentence_bert_config.json gives is not that of a plain directory.
    for file in ["tokenizer.json", "tokenizer_config.json"] {
        fs::copy(golden("bert").join(file), directory.path().join(file)).unwrap();
    }
    set(directory.path(), ("tokenizer_config.json", &[("/model_max_length", 24.into())]));
    let options = OpenOptions::new().pooling(PoolingMode::Mean);
    let model = options.open(directory.path(), &Device::flex()).unwrap();
    // The model that Python used has vectors of length one.
    let unit = |row: Vec<f32>| {
        let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        row.iter().map(|value| value / length).collect()
    };
    let found: Vec<Vec<f32>> = embeddings(&model).into_iter().map(unit).collect();
    assert_close(&found, &expected("lora-options"), 1e-5, "lora-options");
}

#[test]
fn a_base_that_is_not_there_is_told_how_to_get() {
    let directory = alone("lora", &PathBuf::from("sentence-transformers/all-MiniLM-L6-v2"));
    let message = error(directory.path());
    assert!(message.contains("hf download sentence-transformers/all-MiniLM-L6-v2"), "{message}");
    set(directory.path(), (ADAPTER, &[(BASE, Value::Null)]));
    let message = error(directory.path());
    assert!(message.contains("has no `base_model_name_or_path`"), "{message}");
}

#[test]
fn an_adapter_of_an_adapter_is_refused() {
    let base = together("bert", "lora");
    let message = error(alone("lora", base.path()).path());
    assert!(message.contains("has an adapter itself"), "{message}");
}

#[test]
fn adapters_of_other_kinds_are_refused_by_name() {
    for (field, value) in [
        ("peft_type", json!("IA3")),
        ("use_dora", json!(true)),
        ("lora_bias", json!(true)),
        ("trainable_token_indices", json!([1])),
        ("layer_replication", json!([[0, 1]])),
        ("init_lora_weights", json!("pissa_niter_4")),
    ] {
        let directory = together("bert", "lora");
        set(directory.path(), (ADAPTER, &[(&format!("/{field}"), value)]));
        let message = error(directory.path());
        assert!(message.contains(ADAPTER) && message.contains(field), "{message}");
    }
}

/// Changes the names in the adapter's weights, to names as long.
fn rename(directory: &Path, from: &str, to: &str) {
    let path = directory.join(WEIGHTS);
    let bytes = fs::read(&path).unwrap();
    fs::write(path, common::change_header(&bytes, |header| header.replace(from, to))).unwrap();
}

#[test]
fn adapters_that_do_not_fit_are_refused() {
    for (from, to, message) in [
        ("query.lora_B", "query.lora_C", "belongs to no parameter of the model"),
        ("layer.1.attention", "layer.7.attention", "belongs to no parameter of the model"),
        ("layer.1.attention.self.query.lora_A", "other", "belongs to no parameter of the model"),
        ("[2,16]", "[4,8]", "do not fit a weight of [16, 16]"),
        ("\"F32\"", "\"I32\"", "expected floats"),
        (
            "query.lora_A.weight",
            "query.lora_A.default.weight",
            "save it with peft's save_pretrained",
        ),
    ] {
        let directory = together("bert", "lora");
        rename(directory.path(), from, to);
        let found = error(directory.path());
        assert!(found.contains(WEIGHTS) && found.contains(message), "{from}: {found}");
    }
    let directory = together("bert", "lora");
    fs::write(directory.path().join(WEIGHTS), "no header").unwrap();
    assert!(error(directory.path()).contains("damaged"));
    fs::remove_file(directory.path().join(WEIGHTS)).unwrap();
    let message = error(directory.path());
    assert!(message.contains(WEIGHTS) && message.contains("No such file"), "{message}");
    let directory = together("bert", "lora");
    set(directory.path(), (ADAPTER, &[("/alpha_pattern", json!({"(": 2}))]));
    assert!(error(directory.path()).contains("is no pattern"));
}
