//! LoRA adapters: trained, saved with the weights and alone, and refused where there can be none.

mod common;

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use burn_embedding_models::SentenceTransformer;
use common::{finetune, golden, names, numbers, steps, succeed, text, texts};
use finetune::data::corpus;
use finetune::run::evaluation::{Embedder, Evaluation, Measure};
use serde_json::Value;
use tempfile::TempDir;

const LORA: &str = "r=4,alpha=8";

/// A short run of a model; `more` are further options.
fn run<'a>(model: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    run_at("0.01", model, more)
}

/// The same with another learning rate.
fn run_at<'a>(rate: &'a str, model: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let usual = ["--loss", "TripletLoss", "--steps", "6", "--no-report", "--learning-rate", rate];
    [&["--model", model][..], &usual, more].concat()
}

fn encode(directory: &Path) -> Vec<f32> {
    let model = SentenceTransformer::open(directory, &Device::flex()).unwrap();
    model.encode(&texts()).unwrap().into_data().iter().collect()
}

fn assert_close(found: &[f32], expected: &[f32]) {
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
    }
}

#[test]
fn adapters_are_saved_in_the_weights_and_alone() {
    let directory = TempDir::new().unwrap();
    let bert = golden("bert");
    let more = ["--lora", LORA, "--out", "whole", "--adapter-out", "alone"];
    let (stdout, _) = succeed(directory.path(), &run(bert.to_str().unwrap(), &more));
    // Queries and values of two layers with 16 inputs and outputs.
    assert!(stdout.contains(&format!("({} of them trained)", 4 * (16 + 16) * 4)), "{stdout}");
    let [whole, alone] = ["whole", "alone"].map(|name| directory.path().join(name));
    let trained = encode(&whole);
    assert_close(&encode(&alone), &trained);
    assert!(trained.iter().zip(encode(&bert)).any(|(it, before)| (it - before).abs() > 1e-3));
    assert_eq!(
        names(&alone),
        [
            "1_Pooling",
            "README.md",
            "adapter_config.json",
            "adapter_model.safetensors",
            "modules.json",
            "sentence_bert_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "training.json",
        ]
    );
    let summary = fs::read(whole.join("training.json")).unwrap();
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!((&summary["lora"], &summary["steps"]), (&LORA.into(), &6.into()));
    // Another run replaces them by force only.
    let again = finetune(directory.path(), &run(bert.to_str().unwrap(), &more));
    assert!(text(&again.stderr).contains("choose another --adapter-out"), "{again:?}");
    succeed(directory.path(), &[&run(bert.to_str().unwrap(), &more)[..], &["--force"]].concat());
    assert_eq!(encode(&whole), trained, "the same seed, the same adapters");
}

#[test]
fn the_first_loss_is_that_of_the_model_and_mini_batches_change_nothing() {
    let directory = TempDir::new().unwrap();
    let bert = golden("bert");
    let losses = |out: &str, more: &[&str]| {
        let usual = ["--dropout", "0", "--out", out, "--log", "log", "--force"];
        succeed(directory.path(), &run(bert.to_str().unwrap(), &[&usual[..], more].concat()));
        numbers(&steps(&directory.path().join("log")), "loss")
    };
    let full = losses("full", &[]);
    let adapters = losses("adapters", &["--lora", LORA]);
    assert_eq!(full[0], adapters[0]);
    assert_ne!(full[5], adapters[5]);
    let parts = losses("parts", &["--lora", LORA, "--mini-batch-size", "5"]);
    for (parts, whole) in parts.iter().zip(&adapters) {
        assert!((parts - whole).abs() < 1e-5, "{parts} is not {whole}");
    }
    let dropout = losses("dropout", &["--lora", "r=4,alpha=8,dropout=0.5"]);
    assert_ne!(dropout[5], adapters[5]);
}

#[test]
fn the_best_adapters_are_kept() {
    let directory = TempDir::new().unwrap();
    let bert = golden("bert");
    let more = ["--lora", LORA, "--eval-steps", "2", "--out", "whole", "--adapter-out", "alone"];
    // At this rate the evaluation goes up and down.
    succeed(directory.path(), &run_at("2", bert.to_str().unwrap(), &more));
    let summary = fs::read(directory.path().join("whole/training.json")).unwrap();
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    let kept = summary["kept_step"].as_u64().unwrap();
    assert!((1..6).contains(&kept), "step {kept} of 6");
    for saved in ["whole", "alone"] {
        let model = SentenceTransformer::open(directory.path().join(saved), &Device::flex());
        let model = model.unwrap();
        let routes = model.tokenizer.into();
        let embedder = Embedder::new(&routes, &model.encoder, &[Device::flex()]);
        let evaluation = corpus::evaluation().unwrap();
        let again = Evaluation::of(&embedder, &evaluation, &[]).unwrap();
        let found = again.get(Measure::Spearman).unwrap().value;
        let expected = summary["after"][Measure::Spearman.title()].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-4, "{saved}: {found} is not {expected}");
    }
}

#[test]
fn a_decoder_of_layers_with_adapters_is_trained() {
    let directory = TempDir::new().unwrap();
    let bert = golden("bert");
    let usual = ["--model", bert.to_str().unwrap(), "--lora", LORA, "--steps", "4"];
    let more = ["--loss", "DenoisingAutoEncoderLoss", "--learning-rate", "0.01", "--no-report"];
    for (out, tie) in [("tied", "true"), ("untied", "false")] {
        let (config, log) = (format!("{{\"tie_encoder_decoder\": {tie}}}"), format!("{out}.log"));
        let last = ["--loss-config", &config, "--out", out, "--log", &log, "--keep-worse"];
        succeed(directory.path(), &[&usual[..], &more, &last].concat());
        let losses = numbers(&steps(&directory.path().join(&log)), "loss");
        assert!(losses[3] < losses[0], "{out}: {losses:?}");
    }
}

/// The program refuses the options with a message that holds `message`, and writes nothing.
fn refused(args: &[&str], message: &str) {
    let directory = TempDir::new().unwrap();
    let output = finetune(directory.path(), args);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
    assert!(stderr.starts_with("error: ") && stderr.contains(message), "{args:?}: {stderr}");
    assert_eq!(stderr.matches("error").count(), 1, "{stderr}");
    assert!(names(directory.path()).is_empty(), "{args:?} wrote something");
}

#[test]
fn adapters_that_cannot_be_are_refused_with_the_way_out() {
    let [bert, table, adapter, nomic] = ["bert", "static", "lora", "nomic_bert"].map(golden);
    let [bert, table, adapter, nomic] =
        [&bert, &table, &adapter, &nomic].map(|path| path.to_str().unwrap());
    refused(&run(bert, &["--lora", "r=0,alpha=1"]), "`r` is 0, expected 1 to 4096");
    refused(&run(bert, &["--lora", "r=1,alpha=-1"]), "`alpha` is -1, expected a number above 0");
    refused(&run(bert, &["--lora", "r=1,beta=1"]), "`beta` is unknown; known are r, alpha");
    let targets = "r=1,alpha=1,targets=q_proj";
    let message = "--lora: `targets` has \"q_proj\", which is no linear layer of the model; it has \
                   dense, key, query, value";
    refused(&run(bert, &["--lora", targets]), message);
    refused(&["--lora", LORA], "name one with --model, or leave --lora out");
    refused(&["--lora", LORA, "--static", "8"], "leave --lora or --static out");
    let message =
        "--lora: a StaticEmbedding is a table without linear layers: train it without adapters";
    refused(&run(table, &["--lora", LORA]), message);

    refused(&run(bert, &["--adapter-out", "a"]), "--lora");
    let alone = |out: &'static str, place: &'static str| {
        ["--lora", LORA, "--out", out, "--adapter-out", place]
    };
    refused(&run(bert, &alone("a", "a")), "--adapter-out: it and --out must not be the same");
    refused(&run(bert, &alone("a", "a/b")), "nor one in the other");
    let replaced = ["--lora", LORA, "--out", "a", "--force", "--adapter-out", bert];
    refused(&run(bert, &replaced), "adapters alone need the model");
    refused(&run(nomic, &alone("a", "b")), "save the merged model alone, without this");
    refused(&run(adapter, &alone("a", "b")), "--adapter-out: ");
    refused(&run(adapter, &alone("a", "b")), "has an adapter itself");
}
