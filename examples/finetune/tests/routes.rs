//! Training models that embed queries and documents in different ways.

mod common;

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use burn_embedding_models::{OpenOptions, RoutedTransformer, SentenceTransformer};
use common::{finetune, golden, names, numbers, steps, succeed, text};
use finetune::data::corpus;
use finetune::run::evaluation::{Embedder, Evaluation, Measure};
use finetune::run::routes::Routes;
use serde_json::Value;
use tempfile::TempDir;

const RATE: [&str; 2] = ["--learning-rate", "0.01"];

/// Trains the tiny model with routes, in some steps.
fn train(directory: &Path, out: &str, more: &[&str]) {
    let model = golden("router").to_str().unwrap().to_string();
    let args = ["--model", &model, "--steps", "4", "--no-report", "--out", out];
    succeed(directory, &[&args[..], &RATE, more].concat());
}

/// Embeddings of some texts on one route.
fn embeddings(directory: &Path, route: &str) -> Vec<f32> {
    let model = OpenOptions::new().route(route).open(directory, &Device::flex()).unwrap();
    let texts = ["a cat sleeps", "two dogs run in the park"];
    model.encode(&texts).unwrap().into_data().iter().collect()
}

fn differs(one: &[f32], other: &[f32]) -> bool {
    one.iter().zip(other).any(|(one, other)| (one - other).abs() > 1e-4)
}

#[test]
fn queries_and_documents_are_trained_each_on_their_route() {
    let directory = TempDir::new().unwrap();
    train(directory.path(), "trained", &[]);
    let trained = directory.path().join("trained");
    assert!(trained.join("router_config.json").exists());
    for route in ["query", "document"] {
        let (before, after) = (embeddings(&golden("router"), route), embeddings(&trained, route));
        assert!(differs(&before, &after), "{route}");
    }
    // What was evaluated is what was saved, each column on its route.
    let summary: Value =
        serde_json::from_slice(&fs::read(trained.join("training.json")).unwrap()).unwrap();
    let device = Device::flex();
    let model = RoutedTransformer::open(&trained, &OpenOptions::new(), &device).unwrap();
    let spearman = |tasks: &[&str]| {
        let tasks: Vec<_> = tasks.iter().map(|task| task.to_string()).collect();
        let routes = Routes::named(&tasks, &model.package, model.tokenizers.clone()).unwrap();
        let embedder = Embedder::new(&routes, &model.encoder, &[Device::flex()]);
        let data = corpus::evaluation().unwrap();
        let evaluation = Evaluation::of(&embedder, &data, &[]).unwrap();
        evaluation.get(Measure::Spearman).unwrap().value
    };
    let saved = summary["after"][Measure::Spearman.title()].as_f64().unwrap();
    assert!((spearman(&["query", "document"]) - saved).abs() < 1e-6);
    assert!((spearman(&["document"]) - saved).abs() > 1e-3);
}

#[test]
fn the_losses_are_those_of_sentence_transformers() {
    let expected: Value =
        serde_json::from_slice(&fs::read(golden("router_training.json")).unwrap()).unwrap();
    let directory = TempDir::new().unwrap();
    let rows = expected["rows"].as_array().unwrap().iter().map(|row| format!("{row}\n"));
    fs::write(directory.path().join("pairs.jsonl"), rows.collect::<String>()).unwrap();
    let rate = |route: &str| expected["rates"][route].to_string();
    let (other, rates) = (rate("document"), format!("query={}", rate("query")));
    let size = expected["batch_size"].to_string();
    let model = golden("router").to_str().unwrap().to_string();
    let data =
        ["--data", "pairs.jsonl", "--eval", "pairs.jsonl", "--no-shuffle", "--batch-size", &size];
    let rates = ["--learning-rate", &other, "--learning-rates", &rates, "--warm-up", "0"];
    let usual = ["--epochs", "1", "--dropout", "0", "--no-report", "--log", "log.jsonl"];
    succeed(directory.path(), &[&["--model", &model][..], &data, &rates, &usual].concat());
    let found = numbers(&steps(&directory.path().join("log.jsonl")), "loss");
    let expected = expected["losses"].as_array().unwrap().iter().map(|loss| loss.as_f64().unwrap());
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
    }
}

#[test]
fn triplets_that_follow_from_pairs_are_embedded_on_their_routes() {
    let directory = TempDir::new().unwrap();
    // The second text of each pair is also the anchor of a triplet.
    let rows =
        "sentence1,sentence2,score\na cat,the dog,1.0\na mat,the dog,0.0\na river,the dog,0.5\n";
    fs::write(directory.path().join("pairs.csv"), rows).unwrap();
    let data = ["--data", "pairs.csv", "--eval", "pairs.csv", "--loss", "CosineSimilarityLoss"];
    train(directory.path(), "trained", &[&data[..], &["--keep-worse"]].concat());
    let summary = fs::read_to_string(directory.path().join("trained/training.json")).unwrap();
    assert!(summary.contains("accuracy of triplets"), "{summary}");
}

#[test]
fn only_the_routes_of_the_columns_are_trained() {
    let directory = TempDir::new().unwrap();
    train(directory.path(), "trained", &["--routes", "document"]);
    let trained = directory.path().join("trained");
    let pair = |route| (embeddings(&golden("router"), route), embeddings(&trained, route));
    let (before, after) = pair("document");
    assert!(differs(&before, &after));
    let (before, after) = pair("query");
    assert_eq!(before, after);
}

#[test]
fn a_route_may_learn_at_a_rate_of_its_own() {
    let directory = TempDir::new().unwrap();
    // So slow that nothing else moves.
    let rates =
        ["--learning-rate", "1e-9", "--learning-rates", "query=0.05", "--weight-decay", "0"];
    let model = golden("router").to_str().unwrap().to_string();
    let args = ["--model", &model, "--steps", "4", "--no-report", "--out", "trained"];
    succeed(directory.path(), &[&args[..], &rates].concat());
    let trained = directory.path().join("trained");
    let moved =
        |route| differs(&embeddings(&golden("router"), route), &embeddings(&trained, route));
    assert!(moved("query") && !moved("document"));
}

#[test]
fn any_number_of_workers_and_any_mini_batch_train_the_same() {
    let directory = TempDir::new().unwrap();
    let losses = |more: &[&str]| {
        let args = [more, &["--dropout", "0", "--log", "log.jsonl", "--force"]].concat();
        train(directory.path(), "trained", &args);
        let losses = numbers(&steps(&directory.path().join("log.jsonl")), "loss");
        fs::remove_file(directory.path().join("log.jsonl")).unwrap();
        losses
    };
    let alone = losses(&["--workers", "1"]);
    assert_eq!(alone.len(), 4);
    for more in [["--workers", "3"], ["--mini-batch-size", "5"]] {
        for (found, expected) in losses(&more).iter().zip(&alone) {
            assert!((found - expected).abs() < 1e-4, "{more:?}: {found} is not {expected}");
        }
    }
}

#[test]
fn the_usual_routes_are_those_for_queries_and_documents() {
    let directory = TempDir::new().unwrap();
    train(directory.path(), "usual", &[]);
    train(directory.path(), "named", &["--routes", "query,document"]);
    let [usual, named] = ["usual", "named"].map(|run| directory.path().join(run));
    for route in ["query", "document"] {
        assert_eq!(embeddings(&usual, route), embeddings(&named, route), "{route}");
    }
}

#[test]
fn one_route_is_trained_alone_when_it_is_named() {
    let directory = TempDir::new().unwrap();
    for route in ["query", "document"] {
        train(directory.path(), "trained", &["--route", route, "--force"]);
        let trained = directory.path().join("trained");
        assert!(!trained.join("router_config.json").exists());
        SentenceTransformer::open(&trained, &Device::flex()).unwrap();
    }
}

#[test]
fn routes_that_do_not_fit_are_refused() {
    let directory = TempDir::new().unwrap();
    let [router, bert] = ["router", "bert"].map(|it| golden(it).to_str().unwrap().to_string());
    let named = "\"answer\" is no route of the model; it has query, document; name those of the columns in \
                 their order, as in --routes query,document, or with --route a single one";
    for (args, message) in [
        (vec!["--model", &router, "--routes", "query,answer"], named),
        (vec!["--model", &router, "--learning-rates", "query"], "expected ROUTE=RATE"),
        (vec!["--model", &router, "--learning-rates", "query=0"], "expected a number above zero"),
        (vec!["--model", &router, "--learning-rates", "x=1"], "\"x\" is no route of the model"),
        (
            vec!["--model", &router, "--learning-rates", "query=1", "--routes", "document"],
            "no column takes the route \"query\"",
        ),
        (vec!["--model", &bert, "--learning-rates", "query=1"], "the model has no routes"),
        (vec!["--model", &bert, "--routes", "query"], "--routes: the model has no routes"),
        (vec!["--model", &router, "--routes", "query", "--route", "query"], "cannot be used with"),
        (vec!["--model", &router, "--lora", "r=2,alpha=4"], "name it with --route"),
        (
            vec!["--model", &router, "--loss", "DenoisingAutoEncoderLoss"],
            "DenoisingAutoEncoderLoss needs --model with BERT or RoBERTa",
        ),
    ] {
        let output = finetune(directory.path(), &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let error = text(&output.stderr);
        assert!(error.contains(message), "{args:?}: {error}");
        assert!(names(directory.path()).is_empty());
    }
}
