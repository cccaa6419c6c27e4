//! Training models that score pairs of texts.

mod common;

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use burn_embedding_models::CrossEncoder;
use common::{copy, finetune, golden, names, numbers, set, steps, succeed, text};
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
fn adapters_of_a_reranker_are_trained_with_its_head_and_saved_in_its_weights() {
    let directory = TempDir::new().unwrap();
    rankings(directory.path(), "");
    let model = model("electra");
    let args = ["--model", &model, "--data", "rows.jsonl", "--eval", "rows.jsonl"];
    let usual = ["--loss", "BinaryCrossEntropyLoss", "--dropout", "0", "--no-report"];
    let more = ["--lora", "r=4,alpha=8", "--epochs", "12", "--batch-size", "8", "--out", "tuned"];
    let rate = ["--learning-rate", "0.02", "--workers", "2"];
    let (said, _) = succeed(directory.path(), &[&args[..], &usual, &more, &rate].concat());
    assert!(said.contains("of them trained"), "{said}");
    let (before, after) = measured(&directory.path().join("tuned"), "MAP of reranking");
    assert!(after > before + 0.1, "{before} {after}");
    // The saved model has no adapters, and scores as the trained one.
    let again =
        ["--model", "tuned", "--data", "rows.jsonl", "--eval", "rows.jsonl", "--steps", "1"];
    let still = ["--learning-rate", "1e-12", "--out", "again"];
    succeed(directory.path(), &[&again[..], &usual, &still].concat());
    let (start, _) = measured(&directory.path().join("again"), "MAP of reranking");
    assert!((start - after).abs() < 1e-6, "{start} is not {after}");
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
        let (class, word) = [(0, "cat"), (1, "dog"), (2, "river")][number % 3];
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
    assert_eq!(classes.package.label_names(), ["x", "y", "z"]);
}

/// The losses of two steps without dropout, in the order of the rows.
fn losses(directory: &Path, args: &[&str]) -> Vec<f64> {
    let usual = ["--steps", "2", "--epochs", "3", "--no-shuffle", "--dropout", "0", "--no-report"];
    let more = ["--keep-worse", "--force", "--log", "log.jsonl", "--eval", "eval.jsonl"];
    succeed(directory, &[args, &usual, &more].concat());
    let losses = numbers(&steps(&directory.join("log.jsonl")), "loss");
    fs::remove_file(directory.join("log.jsonl")).unwrap();
    losses
}

/// Writes objects as JSON Lines.
fn write(directory: &Path, name: &str, rows: &[Value]) {
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    fs::write(directory.join(name), lines).unwrap();
}

fn assert_same(found: &[f64], expected: &[f64]) {
    let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(close && found.len() == expected.len(), "{found:?} is not {expected:?}");
}

#[test]
fn classes_are_those_of_the_model() {
    let (directory, model) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    copy(&golden("cross-roberta"), model.path());
    let names = json!({"0": "entailment", "1": "neutral", "2": "contradiction"});
    set(model.path(), ("config.json", &[("/id2label", names.clone())]));
    let rows = |classes: [Value; 2]| {
        let texts = ["the cat", "a dog", "the river", "the mat"];
        let row = |place: usize| json!({"sentence1": texts[place], "sentence2": "the cat runs", "label": classes[place % 2]});
        (0..4).map(row).collect::<Vec<_>>()
    };
    // The second of three classes is not there.
    write(directory.path(), "names.jsonl", &rows(["Contradiction".into(), "ENTAILMENT".into()]));
    write(directory.path(), "numbers.jsonl", &rows([2.into(), 0.into()]));
    write(directory.path(), "others.jsonl", &rows([1.into(), 0.into()]));
    write(directory.path(), "eval.jsonl", &rows([2.into(), 1.into()]));
    let path = model.path().to_str().unwrap();
    let run = |data| {
        losses(directory.path(), &["--model", path, "--data", data, "--loss", "CrossEntropyLoss"])
    };
    let numbers = run("numbers.jsonl");
    assert_same(&run("names.jsonl"), &numbers);
    assert!((run("others.jsonl")[0] - numbers[0]).abs() > 1e-3);
    let saved = fs::read(directory.path().join("finetuned-encoder/config.json")).unwrap();
    let saved: Value = serde_json::from_slice(&saved).unwrap();
    assert_eq!(saved["id2label"], names);
}

#[test]
fn lists_of_any_lengths_share_a_batch() {
    let directory = TempDir::new().unwrap();
    let short = json!({"query": "the cat", "docs": ["a dog", "a cat"], "labels": [0, 1]});
    let long = json!({"query": "the dog", "docs": ["a cat", "the mat", "a dog", "the river"],
        "labels": [0.5, 0, 2, 0]});
    let all: [(&str, &[&Value]); 4] = [
        ("short", &[&short, &short]),
        ("long", &[&long, &long]),
        ("both", &[&short, &long]),
        ("eval", &[&long, &short]),
    ];
    for (name, rows) in all {
        let rows: Vec<_> = rows.iter().map(|row| (*row).clone()).collect();
        write(directory.path(), &format!("{name}.jsonl"), &rows);
    }
    let model = model("bert");
    for loss in ["ListNetLoss", "RankNetLoss"] {
        let run = |data: &str, more: &[&str]| {
            let data = format!("{data}.jsonl");
            let args = ["--model", &model, "--data", &data, "--loss", loss, "--batch-size", "2"];
            losses(directory.path(), &[&args[..], more].concat())
        };
        let both = run("both", &[]);
        let expected = (run("short", &[])[0] + run("long", &[])[0]) / 2.0;
        if loss == "ListNetLoss" {
            assert!((both[0] - expected).abs() < 1e-5, "{} is not {expected}", both[0]);
        }
        assert_same(&run("both", &["--workers", "2"]), &both);
        assert_same(&run("both", &["--mini-batch-size", "2"]), &both);
        let option = [r#"--loss-config"#, r#"{"mini_batch_size": 2}"#];
        assert_same(&run("both", &option), &both);
    }
    // What is scored is read again, and an embedding model learns from it.
    let args = ["score", "both.jsonl", "--model", &model, "--out", "scored.jsonl"];
    succeed(directory.path(), &args);
    losses(
        directory.path(),
        &["--model", &model, "--data", "scored.jsonl", "--loss", "ListNetLoss"],
    );
    let encoder = golden("bert").to_str().unwrap().to_string();
    losses(directory.path(), &["--model", &encoder, "--data", "both.jsonl"]);
}

#[test]
fn a_teachers_scores_are_the_labels_of_lists() {
    let directory = TempDir::new().unwrap();
    let texts = json!({"query": "the cat", "pos": ["a cat"], "neg": ["a dog", "the mat"]});
    let mut scored = texts.clone();
    scored["pos_scores"] = json!([0.9]);
    scored["neg_scores"] = json!([0.6, 0.1]);
    let list = json!({"query": "the cat", "docs": ["a cat", "a dog", "the mat"], "labels": [0.9, 0.6, 0.1]});
    let graded = json!({"query": "the cat", "pos": "a cat", "neg": ["a dog", "the mat"], "label": [0.9, 0.6, 0.1]});
    for (name, row) in [
        ("plain", texts),
        ("scored", scored),
        ("list", list.clone()),
        ("graded", graded),
        ("eval", list),
    ] {
        write(directory.path(), &format!("{name}.jsonl"), &[row.clone(), row]);
    }
    let model = model("bert");
    for loss in ["ListNetLoss", "BinaryCrossEntropyLoss", "MSELoss"] {
        let run = |name: &str| {
            let data = format!("{name}.jsonl");
            losses(directory.path(), &["--model", &model, "--data", &data, "--loss", loss])
        };
        let expected = run("list");
        for name in ["scored", "graded"] {
            assert_same(&run(name), &expected);
        }
        assert!((run("plain")[0] - expected[0]).abs() > 1e-3, "{loss}");
    }
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
    fs::write(
        directory.path().join("scores.csv"),
        "sentence1,sentence2,score\na,b,1.0\nc,d,-0.5\n",
    )
    .unwrap();
    let odd = "{\"query\":\"a\",\"docs\":[\"b\"],\"labels\":[1]}\n{\"query\":\"a\",\"docs\":[\"b\",\"c\"],\"labels\":[1]}\n";
    fs::write(directory.path().join("odd.jsonl"), odd).unwrap();
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
            vec!["--model", &one, "--lora", "r=2,alpha=2", "--adapter-out", "adapters"],
            "--adapter-out: not supported for a model that scores pairs of texts",
        ),
        (
            vec!["--model", &three, "--data", "rows.jsonl"],
            "the model has 3 labels, and MultipleNegativesRankingLoss",
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
            "pairs.csv:2: label \"x\" is none of the model's 3 classes, which have no names",
        ),
        (
            vec![
                "--model",
                &one,
                "--data",
                "pairs.csv",
                "--eval",
                "pairs.csv",
                "--loss",
                "CrossEntropyLoss",
            ],
            "the model has 1 label, and CrossEntropyLoss needs one for each class",
        ),
        (
            vec!["--model", &one, "--data", "scores.csv", "--loss", "BinaryCrossEntropyLoss"],
            "scores.csv:3: label -0.5 is out of range: BinaryCrossEntropyLoss takes 0 to 1",
        ),
        (
            vec!["--model", &one, "--data", "odd.jsonl", "--loss", "LambdaLoss"],
            "odd.jsonl:2: `docs` has 2 texts, and `labels` 1 labels",
        ),
        (
            vec!["--model", &one, "--data", "rows.jsonl", "--repeats", "mask"],
            "--repeats mask: not supported",
        ),
        (
            vec![
                "--model",
                &one,
                "--data",
                "rows.jsonl",
                "--loss-config",
                r#"{"matryoshka_dims": [1]}"#,
            ],
            "MatryoshkaLoss is for losses of embeddings, and MultipleNegativesRankingLoss takes the scores",
        ),
        (
            vec![
                "--model",
                &encoder,
                "--data",
                "rows.jsonl",
                "--loss",
                "MatryoshkaLoss",
                "--loss-config",
                r#"{"loss": "cross_encoder.CrossEntropyLoss", "matryoshka_dims": [8]}"#,
            ],
            "MatryoshkaLoss is for losses of embeddings, and CrossEntropyLoss takes the scores of pairs",
        ),
        (
            vec!["--model", &one, "--data", "pairs.csv", "--loss", "LambdaLoss"],
            "queries with documents and labels",
        ),
    ] {
        let output = finetune(directory.path(), &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let error = text(&output.stderr);
        assert!(error.contains(message), "{args:?}: {error}");
        assert_eq!(names(directory.path()), before);
    }
}
