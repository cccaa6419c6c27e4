//! `finetune score` and `finetune rank`: what a CrossEncoder says of pairs of texts.

mod common;

use std::fs;

use burn::tensor::Device;
use burn_embedding_models::CrossEncoder;
use common::{finetune, golden, succeed, text};
use serde_json::Value;
use tempfile::TempDir;

fn model() -> String {
    golden("cross-bert").to_str().unwrap().to_string()
}

/// The score of a pair, by the library.
fn score(first: &str, second: &str) -> f64 {
    let model = CrossEncoder::open(model(), &Device::flex()).unwrap();
    let scores = model.predict(&[(first, second)]).unwrap();
    f64::from(scores.into_scalar::<f32>())
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn assert_close(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
}

#[test]
fn lines_are_ranked_for_a_query() {
    let directory = TempDir::new().unwrap();
    let documents = ["the dog runs", "the cat sits on the mat", "", "the river", "the dog runs"];
    fs::write(directory.path().join("documents.txt"), documents.join("\n")).unwrap();
    let model = model();
    let args = ["rank", "documents.txt", "--query", "a cat", "--model", &model];
    let (stdout, _) = succeed(directory.path(), &args);
    let found = lines(&stdout);
    assert_eq!(found.len(), 5);
    for line in &found {
        let document = documents[line["line"].as_u64().unwrap() as usize - 1];
        assert_eq!(line["text"], document);
        assert_close(&line["score"], score("a cat", document));
    }
    let scores: Vec<_> = found.iter().map(|line| line["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|one, other| one >= other), "{scores:?}");
    let more = ["--top-k", "2", "--batch-size", "1"];
    let (few, _) = succeed(directory.path(), &[&args[..], &more].concat());
    assert_eq!(lines(&few).len(), 2);
    assert_eq!(lines(&few)[1]["line"], found[1]["line"]);
}

#[test]
fn many_lines_are_ranked_group_by_group() {
    let directory = TempDir::new().unwrap();
    // More than are read at a time; the best is in the first group.
    let documents: Vec<_> = (0..9000).map(|line| if line == 7 { "A" } else { "the cat" }).collect();
    fs::write(directory.path().join("documents.txt"), documents.join("\n")).unwrap();
    let model = model();
    let args = ["rank", "documents.txt", "--query", "the dog", "--model", &model, "--top-k", "3"];
    let (stdout, _) = succeed(directory.path(), &[&args[..], &["--batch-size", "512"]].concat());
    let found: Vec<_> = lines(&stdout).iter().map(|line| line["line"].as_u64().unwrap()).collect();
    let best =
        if score("the dog", "A") > score("the dog", "the cat") { [8, 1, 2] } else { [1, 2, 3] };
    assert_eq!(found, best);
}

#[test]
fn scores_of_pairs_are_data_again() {
    let directory = TempDir::new().unwrap();
    let rows = "anchor,positive\nthe cat,the dog\n\"a cat, small\",the mat\n";
    fs::write(directory.path().join("pairs.csv"), rows).unwrap();
    let model = model();
    let args = ["score", "pairs.csv", "--model", &model, "--out", "scored.jsonl"];
    succeed(directory.path(), &args);
    let scored = lines(&fs::read_to_string(directory.path().join("scored.jsonl")).unwrap());
    let expected = [("the cat", "the dog"), ("a cat, small", "the mat")];
    assert_eq!(scored.len(), 2);
    for (line, (first, second)) in scored.iter().zip(expected) {
        assert_eq!((&line["sentence1"], &line["sentence2"]), (&first.into(), &second.into()));
        assert_close(&line["score"], score(first, second));
    }
}

#[test]
fn a_teachers_scores_train_a_model() {
    let directory = TempDir::new().unwrap();
    let row = |number: usize| {
        format!(
            "{{\"query\":\"cat {number}\",\"pos\":[\"the cat\",\"a dog\"],\"neg\":[\"mat\",\"the river\"]}}\n"
        )
    };
    fs::write(directory.path().join("rows.jsonl"), (0..12).map(row).collect::<String>()).unwrap();
    let model = model();
    let args = ["score", "rows.jsonl", "--model", &model, "--out", "scored.jsonl"];
    succeed(directory.path(), &args);
    let scored = lines(&fs::read_to_string(directory.path().join("scored.jsonl")).unwrap());
    // A line for each positive.
    assert_eq!(scored.len(), 24);
    assert_eq!(scored[1]["pos"], serde_json::json!(["a dog"]));
    assert_close(&scored[1]["pos_scores"][0], score("cat 0", "a dog"));
    assert_close(&scored[1]["neg_scores"][1], score("cat 0", "the river"));
    for loss in ["MarginMSELoss", "DistillKLDivLoss"] {
        let train = ["--data", "scored.jsonl", "--loss", loss, "--steps", "2", "--no-report"];
        succeed(directory.path(), &[&train[..], &["--out", loss]].concat());
    }
}

#[test]
fn what_cannot_be_scored_is_refused() {
    let directory = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write("pairs.csv", "anchor,positive\na,b\n");
    write("texts.csv", "text,label\na,x\nb,y\n");
    write("lines.txt", "a\nb\n");
    write("empty.txt", "");
    let model = model();
    let [classes, encoder] =
        ["cross-roberta", "bert"].map(|it| golden(it).to_str().unwrap().to_string());
    for (args, message) in [
        (vec!["score", "texts.csv", "--model", &model], "and no pairs of texts"),
        (vec!["score", "pairs.csv", "--model", &classes], "the model has 3 labels"),
        (vec!["score", "pairs.csv", "--model", &encoder], "the model is a SentenceTransformer"),
        (vec!["encode", "lines.txt", "--model", &classes], "the model is a CrossEncoder"),
        (vec!["score", "pairs.csv", "--model", "none"], "cannot read none"),
        (vec!["score", "pairs.csv", "--model", &model, "--out", "pairs.csv"], "it is the input"),
        (vec!["score", "pai*.csv", "--model", &model, "--out", "pairs.csv"], "it is the input"),
        (vec!["rank", "empty.txt", "--query", "a", "--model", &model], "it has no lines"),
        (vec!["rank", "lines.txt", "--model", &model], "--query <TEXT>"),
    ] {
        let output = finetune(directory.path(), &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let error = text(&output.stderr);
        assert!(error.contains(message), "{args:?}: {error}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}
