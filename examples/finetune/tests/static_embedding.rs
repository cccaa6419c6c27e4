//! Training a model without a transformer.

mod common;

use std::fs;

use burn::tensor::Device;
use burn_embedding_models::SentenceTransformer;
use common::{finetune, golden, names, succeed, text};
use serde_json::Value;
use tempfile::TempDir;

/// The first measure before and after training.
fn measured(summary: &Value) -> (f64, f64) {
    let first = |when: &str| {
        let values = summary[when].as_object().unwrap();
        values["Spearman of scored pairs"].as_f64().unwrap()
    };
    (first("before"), first("after"))
}

fn summary(directory: &std::path::Path) -> Value {
    serde_json::from_slice(&fs::read(directory.join("training.json")).unwrap()).unwrap()
}

#[test]
fn a_table_learns_from_the_built_in_sentences() {
    let directory = TempDir::new().unwrap();
    let args = ["--static", "64", "--no-report", "--out", "table"];
    succeed(directory.path(), &args);
    let saved = directory.path().join("table");
    let (before, after) = measured(&summary(&saved));
    assert!(after > before + 0.05, "{before} {after}");
    assert_eq!(
        names(&saved),
        [
            "README.md",
            "config_sentence_transformers.json",
            "model.safetensors",
            "modules.json",
            "tokenizer.json",
            "training.json"
        ]
    );
    let card = fs::read_to_string(saved.join("README.md")).unwrap();
    assert!(card.contains("- Longest text: any\n") && card.contains("`0.2`"), "{card}");
    let model = SentenceTransformer::open(&saved, &Device::flex()).unwrap();
    assert_eq!(model.dimension(), 64);
}

#[test]
fn its_tokens_may_be_those_of_a_model_and_it_can_be_trained_on() {
    let directory = TempDir::new().unwrap();
    let model = golden("bert");
    let args = ["--static", "16", "--model", model.to_str().unwrap(), "--no-report"];
    succeed(directory.path(), &[&args[..], &["--steps", "3", "--out", "first"]].concat());
    let tokenizer = |path: &str| fs::read(directory.path().join(path)).unwrap();
    let further = ["--model", "first", "--no-report", "--steps", "3", "--out", "second"];
    succeed(directory.path(), &further);
    assert_eq!(tokenizer("first/tokenizer.json"), tokenizer("second/tokenizer.json"));
    assert_ne!(tokenizer("first/model.safetensors"), tokenizer("second/model.safetensors"));
    let rate = &summary(&directory.path().join("second"))["learning_rate"];
    assert_eq!(rate.as_f64(), Some(0.2), "a table that is trained on keeps the rate of tables");
}

#[test]
fn what_a_table_cannot_do_is_refused() {
    let directory = TempDir::new().unwrap();
    let model = golden("bert");
    let model = model.to_str().unwrap();
    for (args, message) in [
        (vec!["--static", "0"], "invalid value '0' for '--static <N>'"),
        (vec!["--static", "8", "--model", "none"], "cannot read none: No such file"),
        (vec!["--static", "8", "--model", model, "--pooling", "cls"], "cannot be used with"),
        (vec!["--static", "8", "--model", model, "--dropout", "0.1"], "cannot be used with"),
        (vec!["--static", "8", "--loss", "DenoisingAutoEncoderLoss"], "DenoisingAutoEncoderLoss"),
    ] {
        let output = finetune(directory.path(), &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let error = text(&output.stderr);
        assert!(error.contains(message), "{args:?}: {error}");
        assert!(names(directory.path()).is_empty());
    }
}
