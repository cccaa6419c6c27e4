//! Two epochs in Burn's learner, and a third from the checkpoint.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

fn learner(directory: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_learner"));
    if cfg!(feature = "flex") {
        command.env("BURN_DEVICE", "flex");
    }
    let output = command.current_dir(directory).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The mean of a metric in an epoch, weighted by the rows of each batch.
fn mean(run: &Path, split: &str, epoch: usize, metric: &str) -> f64 {
    let log = run.join(format!("{split}/epoch-{epoch}/{metric}.log"));
    let log = fs::read_to_string(&log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
    let (mut sum, mut rows) = (0.0, 0.0);
    for line in log.lines() {
        let mut numbers = line.split(',');
        let value = numbers.next().unwrap().parse::<f64>();
        let count = numbers.next().map(str::parse::<f64>);
        if let (Ok(value), Some(Ok(count))) = (value, count) {
            sum += value * count;
            rows += count;
        }
    }
    assert!(rows > 0.0, "{log}");
    sum / rows
}

fn checkpoints(run: &Path) -> Vec<String> {
    let files = fs::read_dir(run.join("checkpoint")).unwrap();
    let mut names: Vec<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn both_data_sets_are_learned_and_a_run_goes_on_from_its_checkpoint() {
    let directory = TempDir::new().unwrap();
    let run = directory.path().join("learner-run");
    let (code, _, errors) = learner(directory.path(), &["--epochs", "2"]);
    assert_eq!(code, Some(0), "{errors}");
    let rises = |split, metric| {
        let (first, second) = (mean(&run, split, 1, metric), mean(&run, split, 2, metric));
        assert_ne!(first, second, "{split} {metric}");
        second > first
    };
    for split in ["train", "valid"] {
        assert!(!rises(split, "Loss") && !rises(split, "Pairs_loss"), "{split}");
        // The triplet loss is small while all texts are alike, and falls only once they part.
        assert!(rises(split, "Topics_recall@1"), "{split}");
    }
    // By chance, 1 in 30 answers is the right one.
    let recall = mean(&run, "valid", 2, "Pairs_recall@1");
    assert!(recall > 0.2, "{recall}");
    let files = |epoch| ["model", "optim", "scheduler"].map(|part| format!("{part}-{epoch}.bpk"));
    let kept = checkpoints(&run);
    assert!([files(1), files(2)].concat().iter().all(|file| kept.contains(file)), "{kept:?}");

    let (code, _, errors) = learner(directory.path(), &["--epochs", "3", "--resume", "2"]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(files(3).iter().all(|file| checkpoints(&run).contains(file)));
    assert!(mean(&run, "train", 3, "Loss") < mean(&run, "train", 2, "Loss"));
}

#[test]
fn workers_learn_the_same() {
    let directory = TempDir::new().unwrap();
    let loss = |workers: &str| {
        let args = ["--epochs", "2", "--workers", workers, "--out", workers];
        let (code, _, errors) = learner(directory.path(), &args);
        assert_eq!(code, Some(0), "{errors}");
        mean(&directory.path().join(workers), "valid", 2, "Loss")
    };
    let [alone, together] = ["1", "3"].map(loss);
    assert!((alone - together).abs() < 1e-4 * alone, "{alone} {together}");
}

#[test]
fn what_cannot_run_says_why_and_ends_with_2() {
    let directory = TempDir::new().unwrap();
    for (args, message) in [
        (&["--resume", "7"][..], "has no checkpoint of epoch 7"),
        (&["--workers", "0"], "0 is not in 1..=65535"),
        (&["--learning-rate", "2"], "expected a number above 0, at most 1"),
    ] {
        let (code, _, errors) = learner(directory.path(), args);
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains(message), "{errors}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
    fs::create_dir_all(directory.path().join("learner-run/checkpoint")).unwrap();
    let (code, _, errors) = learner(directory.path(), &[]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("holds another run"), "{errors}");
}
