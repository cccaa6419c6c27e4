//! Batches that teach nothing or the wrong thing, and what is said and done about them.

mod common;

use std::fs;

use common::{numbers, steps, succeed};
use serde_json::Value;
use tempfile::TempDir;

const MORE: [&str; 5] = ["--log", "log", "--diagnose-steps", "1", "--force"];

/// Questions of three classes, one class after the other.
fn sorted_by_class() -> String {
    let question = |i: usize| format!("{} what of thing {i} is it\n", i / 24);
    (0..72).map(question).collect()
}

/// How often each diagnosis is a number, and the sum of those.
fn seen(lines: &[Value], name: &str) -> (usize, f64) {
    let numbers: Vec<_> =
        lines.iter().filter_map(|line| line["diagnostics"][name].as_f64()).collect();
    (numbers.len(), numbers.iter().sum())
}

#[test]
fn batches_of_one_class_are_named_once_and_those_of_the_sampler_never() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("classes.txt"), sorted_by_class()).unwrap();
    for loss in ["BatchHardTripletLoss", "BatchSemiHardTripletLoss", "BatchAllTripletLoss"] {
        let args = ["--data", "classes.txt", "--eval", "classes.txt", "--loss", loss];
        let size = ["--batch-size", "12", "--epochs", "2"];
        let run = |order: &[&str]| {
            let (_, notes) = succeed(directory.path(), &[&args[..], &size, &MORE, order].concat());
            (notes, steps(&directory.path().join("log")))
        };
        let (notes, lines) = run(&["--no-shuffle"]);
        assert_eq!(notes.matches("warning: step 1 has no signal").count(), 1, "{loss}: {notes}");
        assert_eq!(notes.matches("warning").count(), 1, "{loss}: {notes}");
        assert!(notes.contains("sample batches by label"), "{loss}: {notes}");
        assert!(notes.contains("without --no-shuffle, `GroupByLabel`"), "{loss}: {notes}");
        assert_eq!(seen(&lines, "valid_anchors"), (12, 0.0), "{loss}");

        let (notes, lines) = run(&[]);
        assert!(!notes.contains("warning"), "{loss}: {notes}");
        let anchors = lines.iter().map(|line| line["diagnostics"]["valid_anchors"].as_u64());
        assert!(anchors.clone().all(|anchors| anchors >= Some(4)), "{loss}: {lines:?}");
        let whole = lines
            .iter()
            .all(|line| line["diagnostics"]["valid_anchors"].as_u64() == line["texts"].as_u64());
        assert!(whole, "{loss}: every row of a batch by label is a valid anchor");
    }
}

#[test]
fn the_parts_of_a_loss_are_in_the_log() {
    let directory = TempDir::new().unwrap();
    let args = ["--loss", "GlobalOrthogonalRegularizationLoss", "--steps", "3", "--log", "log"];
    for more in [&["--workers", "1"][..], &["--workers", "2"], &["--mini-batch-size", "9"]] {
        let more = [more, &["--gradient-accumulation", "2", "--force"]].concat();
        succeed(directory.path(), &[&args[..], &more].concat());
        let lines = steps(&directory.path().join("log"));
        assert_eq!(lines.len(), 3);
        for line in lines {
            let parts = ["gor_mean", "gor_second_moment"].map(|part| line["parts"][part].as_f64());
            let sum = parts[0].unwrap() + parts[1].unwrap();
            let loss = line["loss"].as_f64().unwrap();
            assert!(loss > 0.0 && (sum - loss).abs() < 1e-6 * loss, "{more:?}: {line}");
        }
    }
}

#[test]
fn examples_that_no_batch_takes_are_counted_once() {
    let directory = TempDir::new().unwrap();
    let alone = "5 how many things are there\n";
    fs::write(directory.path().join("classes.txt"), sorted_by_class() + alone).unwrap();
    let data = ["--data", "classes.txt", "--eval", "classes.txt", "--loss", "BatchHardTripletLoss"];
    let (_, notes) = succeed(directory.path(), &[&data[..], &["--epochs", "2"], &MORE].concat());
    let said = "batches are grouped by label: the first epoch leaves out 1 of 73 examples";
    assert_eq!(notes.matches(said).count(), 1, "{notes}");
    assert_eq!(notes.matches("leaves out").count(), 1, "{notes}");
}

#[test]
fn texts_that_come_again_are_kept_apart_or_masked_or_kept() {
    let directory = TempDir::new().unwrap();
    let answers = ["a person", "a place", "a number"];
    let row = |i: usize| {
        format!("{{\"anchor\": \"question {i}\", \"positive\": \"{}\"}}\n", answers[i % 3])
    };
    let rows: String = (0..48).map(row).collect();
    fs::write(directory.path().join("answers.jsonl"), rows).unwrap();
    for loss in ["MultipleNegativesRankingLoss", "MegaBatchMarginLoss"] {
        let run = |repeats: &str| {
            let data = ["--data", "answers.jsonl", "--eval", "answers.jsonl", "--loss", loss];
            let size = ["--batch-size", "12", "--epochs", "1", "--repeats", repeats];
            succeed(directory.path(), &[&data[..], &size, &MORE].concat());
            steps(&directory.path().join("log"))
        };
        // Three texts at a time: one of each answer.
        let separate = run("separate");
        assert!(numbers(&separate, "texts").iter().all(|&texts| texts <= 6.0), "{separate:?}");
        assert_eq!(seen(&separate, "masked_negatives").0, 0, "{loss}");

        let (keep, mask) = (run("keep"), run("mask"));
        assert_eq!((keep.len(), mask.len()), (4, 4), "{loss}");
        assert_eq!(seen(&keep, "masked_negatives").0, 0, "{loss}");
        let (known, masked) = seen(&mask, "masked_negatives");
        // Of 12 rows, about three in eleven of the others have the same answer.
        assert!(known == 4 && masked > 4.0 * 12.0 * 2.0, "{loss}: {masked}");
        // The hardest negative is the same text, or another one; the first step starts from equal
        // parameters.
        let hardest = |lines: &[Value]| seen(&lines[..1], "negative_similarity").1;
        assert!(hardest(&mask) < hardest(&keep), "{loss}");
        assert!(numbers(&mask, "loss")[0] <= numbers(&keep, "loss")[0], "{loss}");
    }
}
