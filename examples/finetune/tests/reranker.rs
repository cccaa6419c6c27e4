//! Training models that score pairs of texts.

mod common;

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use burn_embedding_models::CrossEncoder;
use common::{finetune, golden, names, numbers, steps, succeed, text};
use serde_json::{Value, json};
use tempfile::TempDir;

fn model(family: &str) -> String {
    golden(&format!("cross-{family}")).to_str().unwrap().to_string()
}

/// A row of `cross_training.json` under the names of its columns.
fn named(row: &Value, loss: &str) -> Value {
    let names: &[&str] = match (row.as_array().unwrap().len(), loss) {
        (3, "CrossEntropyLoss") => &["sentence1", "sentence2", "label"],
        (3, _) => &["sentence1", "sentence2", "score"],
        (_, "MarginMSELoss") => &["anchor", "positive", "negative", "label"],
        _ => &["anchor", "positive", "negative_1", "negative_2"],
    };
    names.iter().zip(row.as_array().unwrap()).map(|(name, it)| (*name, it.clone())).collect()
}

#[test]
fn the_losses_of_twenty_steps_are_those_of_sentence_transformers() {
    let file = fs::read(golden("cross_training.json")).unwrap();
    let all: Value = serde_json::from_slice(&file).unwrap();
    let [size, rate] = ["batch_size", "learning_rate"].map(|name| all[name].to_string());
    for case in all["cases"].as_array().unwrap() {
        let directory = TempDir::new().unwrap();
        let loss = case["loss"].as_str().unwrap();
        let rows = case["rows"].as_array().unwrap().iter();
        let rows: String = rows.map(|row| format!("{}\n", named(row, loss))).collect();
        fs::write(directory.path().join("rows.jsonl"), rows).unwrap();
        let (model, options) =
            (model(case["family"].as_str().unwrap()), case["options"].to_string());
        let data = ["--data", "rows.jsonl", "--eval", "rows.jsonl", "--no-shuffle"];
        let rates = ["--learning-rate", &rate, "--warm-up", "0", "--dropout", "0"];
        let usual = ["--epochs", "9", "--steps", "20", "--batch-size", &size, "--no-report"];
        let more =
            ["--model", &model, "--loss", loss, "--loss-config", &options, "--log", "log.jsonl"];
        succeed(directory.path(), &[&data[..], &rates, &usual, &more, &["--keep-worse"]].concat());
        let found = numbers(&steps(&directory.path().join("log.jsonl")), "loss");
        let expected = case["losses"].as_array().unwrap();
        assert_eq!(found.len(), expected.len());
        for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
            let expected = expected.as_f64().unwrap();
            let off = (found - expected).abs();
            assert!(
                off < 1e-4 * expected.abs().max(1.0),
                "{loss}, step {step}: {found} is not {expected}"
            );
        }
    }
}

/// Queries with a right and two wrong documents; `end` is at the end of right ones, any number of times.
fn rankings(directory: &Path, end: &str) {
    let row = |number: usize| {
        let (right, wrong) =
            (["cat", "dog", "river"][number % 3], ["dog", "river", "cat"][number % 3]);
        json!({"anchor": format!("the {right}"), "positive": format!("a {right} {number}{}", end.repeat(number % 5 * 3)),
            "negative_1": format!("a {wrong} {number}"), "negative_2": "the mat"})
    };
    let rows: String = (0..24).map(|number| format!("{}\n", row(number))).collect();
    fs::write(directory.join("rows.jsonl"), rows).unwrap();
}

/// What the program measured before and after.
fn measured(directory: &Path, measure: &str) -> (f64, f64) {
    let summary = fs::read(directory.join("training.json")).unwrap();
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    let value = |when: &str| summary[when][measure].as_f64().unwrap();
    (value("before"), value("after"))
}

#[test]
fn a_trained_reranker_puts_right_documents_first() {
    let directory = TempDir::new().unwrap();
    rankings(directory.path(), "");
    let model = model("electra");
    for loss in [
        "BinaryCrossEntropyLoss",
        "MultipleNegativesRankingLoss",
        "CachedMultipleNegativesRankingLoss",
        "LambdaLoss",
    ] {
        let args =
            ["--model", &model, "--data", "rows.jsonl", "--eval", "rows.jsonl", "--loss", loss];
        let more =
            ["--epochs", "12", "--batch-size", "8", "--learning-rate", "0.01", "--out", loss];
        succeed(directory.path(), &[&args[..], &more, &["--dropout", "0"]].concat());
        let saved = directory.path().join(loss);
        let (before, after) = measured(&saved, "MAP of reranking");
        assert!(after > before + 0.1 && after > 0.9, "{loss}: {before} {after}");
        let card = fs::read_to_string(saved.join("README.md")).unwrap();
        assert!(card.contains("CrossEncoder(") && card.contains("- cross-encoder\n"), "{card}");
        assert!(card.contains(&format!("- loss:{loss}\n")), "{card}");
        let trained = CrossEncoder::open(&saved, &Device::flex()).unwrap();
        let ranked = trained.rank("the cat", &["a dog 1", "the mat", "a cat 3"]).unwrap();
        assert_eq!(ranked[0].index, 2, "{loss}");
        // It can be trained on, and used.
        let again =
            ["--model", loss, "--data", "rows.jsonl", "--steps", "1", "--out", "again", "--force"];
        succeed(directory.path(), &[&again[..], &["--no-report"]].concat());
        let lines = ["score", "rows.jsonl", "--model", loss];
        assert_eq!(succeed(directory.path(), &lines).0.lines().count(), 24);
    }
}

#[test]
fn any_number_of_workers_and_any_mini_batch_train_the_same() {
    let directory = TempDir::new().unwrap();
    rankings(directory.path(), "");
    let model = model("bert");
    let losses = |more: &[&str]| {
        let args =
            ["--model", &model, "--data", "rows.jsonl", "--loss", "LambdaLoss", "--steps", "4"];
        let usual = ["--dropout", "0", "--log", "log.jsonl", "--no-report", "--force"];
        let rate = ["--learning-rate", "0.001", "--batch-size", "8", "--keep-worse"];
        succeed(directory.path(), &[&args[..], &usual, &rate, more].concat());
        let losses = numbers(&steps(&directory.path().join("log.jsonl")), "loss");
        fs::remove_file(directory.path().join("log.jsonl")).unwrap();
        losses
    };
    let alone = losses(&["--workers", "1"]);
    for more in [["--workers", "3"], ["--mini-batch-size", "5"]] {
        for (found, expected) in losses(&more).iter().zip(&alone) {
            assert!((found - expected).abs() < 1e-4, "{more:?}: {found} is not {expected}");
        }
    }
}

#[test]
fn classes_of_pairs_are_learnt_by_a_model_with_as_many_labels() {
    let directory = TempDir::new().unwrap();
    let row = |number: usize| {
        let (class, word) = [("same", "cat"), ("other", "dog"), ("none", "river")][number % 3];
        format!("the cat,a {word} {},{class}\n", number / 3)
    };
    let rows: String = (0..30).map(row).collect();
    fs::write(directory.path().join("rows.csv"), format!("sentence1,sentence2,label\n{rows}"))
        .unwrap();
    let model = model("roberta");
    let args = [
        "--model",
        &model,
        "--data",
        "rows.csv",
        "--eval",
        "rows.csv",
        "--loss",
        "CrossEntropyLoss",
    ];
    let more = ["--epochs", "30", "--learning-rate", "0.01", "--dropout", "0", "--out", "model"];
    succeed(directory.path(), &[&args[..], &more].concat());
    let (_, after) = measured(&directory.path().join("model"), "accuracy of pair classes");
    assert!(after > 0.95, "{after}");
}

#[test]
fn an_encoder_becomes_a_reranker() {
    let directory = TempDir::new().unwrap();
    rankings(directory.path(), " and the cat");
    for family in ["bert", "roberta", "distilbert", "deberta-v3", "modernbert"] {
        let encoder = golden(family).to_str().unwrap().to_string();
        let args = [
            "--model",
            &encoder,
            "--task",
            "rerank",
            "--data",
            "rows.jsonl",
            "--eval",
            "rows.jsonl",
        ];
        let more =
            ["--loss", "BinaryCrossEntropyLoss", "--epochs", "12", "--learning-rate", "0.01"];
        let usual = ["--dropout", "0", "--batch-size", "8", "--no-report", "--out", family];
        succeed(directory.path(), &[&args[..], &more, &usual].concat());
        let saved = directory.path().join(family);
        let (before, after) = measured(&saved, "MAP of reranking");
        assert!(after > before.min(0.85) + 0.1, "{family}: {before} {after}");
        let config: Value =
            serde_json::from_slice(&fs::read(saved.join("config.json")).unwrap()).unwrap();
        let class = config["architectures"][0].as_str().unwrap();
        assert!(class.ends_with("ForSequenceClassification"), "{class}");
        // The saved model reads texts as the trained one did.
        let again =
            ["--model", family, "--data", "rows.jsonl", "--eval", "rows.jsonl", "--steps", "1"];
        let usual =
            ["--loss", "BinaryCrossEntropyLoss", "--no-report", "--out", "again", "--force"];
        succeed(directory.path(), &[&again[..], &usual, &["--learning-rate", "1e-12"]].concat());
        let (start, _) = measured(&directory.path().join("again"), "MAP of reranking");
        assert!((start - after).abs() < 1e-6, "{family}: {start} is not {after}");
    }
    let bert = golden("bert").to_str().unwrap().to_string();
    fs::write(
        directory.path().join("pairs.csv"),
        "sentence1,sentence2,label\na,b,x\nc,d,y\ne,f,z\n",
    )
    .unwrap();
    let args = ["--model", &bert, "--task", "rerank", "--data", "pairs.csv", "--eval", "pairs.csv"];
    let more = ["--loss", "CrossEntropyLoss", "--steps", "2", "--no-report", "--out", "classes"];
    succeed(directory.path(), &[&args[..], &more].concat());
    let classes = CrossEncoder::open(directory.path().join("classes"), &Device::flex()).unwrap();
    assert_eq!(classes.labels(), 3);
}

#[test]
fn what_does_not_fit_a_reranker_is_refused() {
    let directory = TempDir::new().unwrap();
    rankings(directory.path(), "");
    fs::write(
        directory.path().join("pairs.csv"),
        "sentence1,sentence2,label\na,b,x\nc,d,y\ne,f,z\ng,h,u\n",
    )
    .unwrap();
    let before = names(directory.path());
    let [one, three] = ["bert", "roberta"].map(model);
    let [encoder, other] = ["bert", "qwen3"].map(|it| golden(it).to_str().unwrap().to_string());
    for (args, message) in [
        (
            vec!["--model", &other, "--task", "rerank"],
            "`model_type` \"qwen3\" has no classifier of text pairs",
        ),
        (vec!["--task", "rerank"], "--model <DIR>"),
        (vec!["--model", &one, "--task", "embed", "--loss", "TripletLoss"], "gives scores"),
        (
            vec!["--model", &one, "--loss", "CoSENTLoss"],
            "CoSENTLoss compares embeddings, and the model scores pairs",
        ),
        (
            vec!["--model", &encoder, "--loss", "LambdaLoss"],
            "LambdaLoss needs a model that scores pairs of texts",
        ),
        (vec!["--loss", "cross_encoder.MSELoss"], "needs a model that scores pairs of texts"),
        (
            vec!["--model", &one, "--lora", "r=2,alpha=2"],
            "a model that scores pairs of texts has none",
        ),
        (
            vec!["--model", &three, "--data", "rows.jsonl"],
            "the model has 3 labels, and cross_encoder.Multiple",
        ),
        (
            vec![
                "--model",
                &three,
                "--data",
                "pairs.csv",
                "--eval",
                "pairs.csv",
                "--loss",
                "CrossEntropyLoss",
            ],
            "the model has 3 labels, and the data 4 classes",
        ),
        (
            vec!["--model", &one, "--data", "pairs.csv", "--loss", "LambdaLoss"],
            "queries with a positive and negatives",
        ),
    ] {
        let output = finetune(directory.path(), &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let error = text(&output.stderr);
        assert!(error.contains(message), "{args:?}: {error}");
        assert_eq!(names(directory.path()), before);
    }
}
