//! `finetune mine`: the hard negatives that sentence-transformers mines.

mod common;

use std::fs;
use std::path::Path;

use common::{finetune, golden, names, numbers, spoilt, steps, succeed, text};
use serde_json::{Value, json};
use tempfile::TempDir;

fn model(family: &str) -> String {
    golden(family).to_str().unwrap().to_string()
}

/// Panics unless texts are equal, and numbers nearly.
fn assert_close(found: &Value, expected: &Value, what: &str) {
    match (found, expected) {
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{what}: {found:?} is not {expected:?}");
            found
                .iter()
                .zip(expected)
                .for_each(|(found, expected)| assert_close(found, expected, what));
        }
        (Value::Number(found), Value::Number(expected)) => {
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            assert!((found - expected).abs() < 1e-5, "{what}: {found} is not {expected}");
        }
        _ => assert_eq!(found, expected, "{what}"),
    }
}

/// The values of the lines, by the names that Python gives them.
fn values(lines: &str) -> Vec<Value> {
    let order = [
        "anchor",
        "query",
        "positive",
        "passage",
        "docs",
        "negative",
        "negative_1",
        "negative_2",
        "negative_3",
        "label",
        "labels",
        "score",
        "scores",
    ];
    let of_line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        order.iter().filter_map(|name| line.get(*name).cloned()).collect()
    };
    lines.lines().map(of_line).collect()
}

fn golden_cases() -> Value {
    serde_json::from_slice(&fs::read(golden("mining.json")).unwrap()).unwrap()
}

/// Writes the pairs and the further documents.
fn write(directory: &Path, golden: &Value) {
    let pairs = golden["pairs"].as_array().unwrap().iter();
    let pairs: String =
        pairs.map(|pair| format!("{}\n", json!({"query": pair[0], "answer": pair[1]}))).collect();
    fs::write(directory.join("pairs.jsonl"), pairs).unwrap();
    let corpus: Vec<_> =
        golden["corpus"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    fs::write(directory.join("corpus.txt"), corpus.join("\n")).unwrap();
}

#[test]
fn negatives_are_those_of_sentence_transformers() {
    let (directory, golden) = (TempDir::new().unwrap(), golden_cases());
    write(directory.path(), &golden);
    let (bert, reranker) = (model("bert"), model("cross-bert"));
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        let options = case["options"].as_array().unwrap().iter().map(|it| it.as_str().unwrap());
        let mut args = vec!["mine", "pairs.jsonl", "--model", &bert];
        args.extend(options);
        if case["corpus"] == true {
            args.extend(["--corpus", "corpus.txt"]);
        }
        if case["rerank"] == true {
            args.extend(["--reranker", &reranker]);
        }
        let (found, _) = succeed(directory.path(), &args);
        assert_close(&Value::Array(values(&found)), &case["rows"], &args.join(" "));
    }
}

#[test]
fn what_is_mined_is_trained_on() {
    let (directory, golden) = (TempDir::new().unwrap(), golden_cases());
    write(directory.path(), &golden);
    let (bert, reranker) = (model("bert"), model("cross-bert"));
    for (shape, scores, model, loss) in [
        ("triplet", false, &bert, "TripletLoss"),
        ("triplet", true, &bert, "MarginMSELoss"),
        ("n-tuple", false, &bert, "MultipleNegativesRankingLoss"),
        ("n-tuple", true, &bert, "DistillKLDivLoss"),
        ("labeled-pair", false, &bert, "ContrastiveLoss"),
        ("labeled-pair", true, &bert, "CosineSimilarityLoss"),
        ("labeled-list", false, &reranker, "LambdaLoss"),
        ("labeled-list", true, &reranker, "ListNetLoss"),
    ] {
        let out = format!("{shape}.jsonl");
        let args =
            ["mine", "pairs.jsonl", "--model", &bert, "--output-format", shape, "--out", &out];
        let scores: &[&str] = if scores { &["--output-scores"] } else { &[] };
        succeed(directory.path(), &[&args[..], scores].concat());
        let args =
            ["--model", model, "--data", &out, "--eval", &out, "--loss", loss, "--steps", "2"];
        // Documents are negatives of several queries.
        let more =
            ["--no-report", "--keep-worse", "--force", "--log", "log.jsonl", "--repeats", "keep"];
        succeed(directory.path(), &[&args[..], &more].concat());
        assert_eq!(numbers(&steps(&directory.path().join("log.jsonl")), "loss").len(), 2);
        fs::remove_file(directory.path().join("log.jsonl")).unwrap();
    }
}

#[test]
fn random_negatives_follow_from_the_seed_and_prompts_and_routes_are_used() {
    let (directory, golden) = (TempDir::new().unwrap(), golden_cases());
    write(directory.path(), &golden);
    let bert = model("bert");
    let mine = |more: &[&str]| {
        let args = ["mine", "pairs.jsonl", "--model", &bert, "--range-max", "9"];
        succeed(directory.path(), &[&args[..], more].concat()).0
    };
    let random = |seed| mine(&["--sampling-strategy", "random", "--seed", seed]);
    assert_eq!(random("1"), random("1"));
    assert_ne!(random("1"), random("2"));
    let router = model("router");
    let args = ["mine", "pairs.jsonl", "--model", &router, "--num-negatives", "1"];
    assert_eq!(succeed(directory.path(), &args).0.lines().count(), 14);
}

#[test]
fn what_cannot_be_mined_is_refused() {
    let (directory, golden) = (TempDir::new().unwrap(), golden_cases());
    write(directory.path(), &golden);
    fs::write(directory.path().join("scores.csv"), "sentence1,sentence2,score\na,b,0.5\n").unwrap();
    let before = names(directory.path());
    let (bert, reranker) = (model("bert"), model("cross-bert"));
    let usual = ["mine", "pairs.jsonl", "--model", &bert, "--out", "out.jsonl"];
    for (args, message) in [
        (vec!["--range-min", "4", "--range-max", "6"], "has no room for --num-negatives 3"),
        (vec!["--reranker", &reranker], "--reranker: its scores only count for a bound"),
        (vec!["--query-prompt", "odd"], "odd"),
        (vec!["--max-score", "NaN"], "expected a number"),
        (vec!["--num-negatives", "0"], "above zero"),
        (vec!["--corpus", "none.txt"], "none.txt"),
    ] {
        let output = finetune(directory.path(), &[&usual[..], &args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let error = text(&output.stderr);
        assert!(error.contains(message), "{args:?}: {error}");
        assert_eq!(names(directory.path()), before);
    }
    spoilt("bert", &directory.path().join("spoilt"));
    let mine = ["mine", "pairs.jsonl", "--model", "spoilt", "--out", "out.jsonl"];
    let error = text(&finetune(directory.path(), &mine).stderr);
    assert!(error.contains("its embeddings are not finite"), "{error}");
    fs::remove_dir_all(directory.path().join("spoilt")).unwrap();
    for (file, out, message) in [
        ("scores.csv", "out.jsonl", "1 scored pairs, and no texts that belong together"),
        ("pairs.jsonl", "pairs.jsonl", "pairs.jsonl"),
    ] {
        let output = finetune(directory.path(), &["mine", file, "--model", &bert, "--out", out]);
        let error = text(&output.stderr);
        assert!(output.status.code() == Some(2) && error.contains(message), "{error}");
        assert_eq!(names(directory.path()), before);
    }
}

#[test]
fn no_input_is_replaced_by_what_is_mined() {
    let (directory, golden) = (TempDir::new().unwrap(), golden_cases());
    write(directory.path(), &golden);
    let read = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
    let before = ["pairs.jsonl", "corpus.txt"].map(read);
    let bert = model("bert");
    for out in ["./pairs.jsonl", "corpus.txt"] {
        let args = ["mine", "pairs.jsonl", "--corpus", "corpus.txt", "--model", &bert];
        let output = finetune(directory.path(), &[&args[..], &["--out", out]].concat());
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        let expected = format!("error: cannot write {out}: it is the input; name another file\n");
        assert_eq!(error, expected);
        assert_eq!(["pairs.jsonl", "corpus.txt"].map(read), before);
    }
}
