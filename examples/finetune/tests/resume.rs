//! Runs that are interrupted, and go on.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{finetune, golden, names, text};
use tempfile::TempDir;

/// A run with dropout, with parameters of the loss, and with evaluations on the way.
fn options(out: &str) -> Vec<String> {
    options_of(&golden("bert"), out)
}

fn options_of(model: &Path, out: &str) -> Vec<String> {
    let options = ["--loss", "SoftmaxLoss", "--epochs", "30", "--gradient-accumulation", "2"];
    let looks = ["--eval-steps", "20", "--checkpoint-steps", "7", "--dropout", "0.2"];
    let model = ["--model", model.to_str().unwrap(), "--learning-rate", "0.001", "--out", out];
    [&model[..], &options, &looks].concat().into_iter().map(String::from).collect()
}

fn run(directory: &Path, options: &[String]) -> std::process::Output {
    finetune(directory, &options.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Starts a run and kills it once it has left a checkpoint.
fn interrupt(directory: &Path, out: &str) {
    interrupt_run(directory, out, &options(out));
}

fn interrupt_run(directory: &Path, out: &str, options: &[String]) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_finetune"))
        .current_dir(directory)
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let checkpoint = directory.join(format!("{out}.checkpoint"));
    let start = Instant::now();
    while !checkpoint.exists() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended without a checkpoint");
        assert!(start.elapsed() < Duration::from_secs(120), "no checkpoint in two minutes");
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The run ends as one that was never interrupted; `options` are those of a run with this result.
fn assert_goes_on(options: impl Fn(&str) -> Vec<String>, files: &[&str]) {
    let directory = TempDir::new().unwrap();
    let whole = run(directory.path(), &options("whole"));
    assert!(whole.status.success(), "{}", text(&whole.stderr));
    assert_eq!(names(directory.path()), ["whole"], "the checkpoint is gone");

    interrupt_run(directory.path(), "parts", &options("parts"));
    assert!(!directory.path().join("parts").exists());
    let parts = run(directory.path(), &[&options("parts")[..], &["--resume".into()]].concat());
    assert!(parts.status.success(), "{}", text(&parts.stderr));
    assert!(text(&parts.stdout).contains("going on after step "), "{}", text(&parts.stdout));
    assert_eq!(names(directory.path()), ["parts", "whole"], "nothing else is left behind");

    let read = |out: &str, file: &str| fs::read(directory.path().join(out).join(file)).unwrap();
    for file in files {
        assert!(read("parts", file) == read("whole", file), "{file}");
    }
}

#[test]
fn a_run_that_goes_on_ends_as_one_that_was_never_interrupted() {
    assert_goes_on(options, &["model.safetensors", "training.json"]);
}

#[test]
fn routes_go_on_too() {
    let options = |out: &str| options_of(&golden("router"), out);
    let weights = ["query_0_StaticEmbedding", "document_0_Transformer", "document_2_Dense"];
    let weights = weights.map(|module| format!("{module}/model.safetensors"));
    let mut files: Vec<_> = weights.iter().map(String::as_str).collect();
    files.push("training.json");
    assert_goes_on(options, &files);
}

#[test]
fn adapters_go_on_too() {
    let options = |out: &str| {
        let lora = ["--lora", "r=4,alpha=8,dropout=0.1", "--learning-rate", "0.01"];
        let mut options = options_of(&golden("bert"), out);
        let rate = options.iter().position(|it| it == "--learning-rate").unwrap();
        options.drain(rate..rate + 2);
        options.extend(lora.map(String::from));
        options
    };
    assert_goes_on(options, &["model.safetensors", "training.json"]);
}

#[test]
fn a_checkpoint_is_neither_overwritten_nor_used_for_another_run() {
    let directory = TempDir::new().unwrap();
    let refused = |more: &[&str], message: &str| {
        let more = more.iter().map(|option| option.to_string()).collect::<Vec<_>>();
        let output = run(directory.path(), &[&options("out")[..], &more].concat());
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{more:?}: {stderr}");
        assert!(stderr.contains(message) && stderr.lines().count() == 1, "{more:?}: {stderr}");
    };
    refused(&["--resume"], "there is no checkpoint: train without --resume");
    interrupt(directory.path(), "out");
    refused(&[], "say --resume to go on from it, or --force");
    refused(&["--resume", "--batch-size", "8"], "`batch_size` was 32 and is 8");
    let message = "`lora` was none and is \"r=4,alpha=8\"";
    refused(&["--resume", "--lora", "r=4,alpha=8"], message);
    refused(&["--resume", "--max-rows", "50"], "`contents of the data` was ");
    fs::write(directory.path().join("out.checkpoint/letter.txt"), "dear").unwrap();
    refused(&["--force"], "holds `letter.txt`, which no checkpoint has");
    assert!(directory.path().join("out.checkpoint/progress.json").exists());
}

/// A kill while a checkpoint takes its place, where that takes two steps, or on a mount point.
#[test]
fn a_checkpoint_that_was_interrupted_itself_is_found() {
    let directory = TempDir::new().unwrap();
    interrupt(directory.path(), "out");
    let path = |name: &str| directory.path().join(name);
    let [former, next, partial] = ["saving-former", "saving-next", "partial-7"]
        .map(|end| path(&format!(".out.checkpoint.{end}")));
    let checkpoint = path("out.checkpoint");
    let [inside_next, inside_ready] =
        [".saved-model.next", ".saved-model.ready"].map(|name| checkpoint.join(name));
    let half = |there: &Path| {
        fs::create_dir(there).unwrap();
        fs::write(there.join("learner.bpk"), "half").unwrap();
    };
    let refused = || {
        let output = run(directory.path(), &options("out"));
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains("an interrupted run left it: say --resume"), "{error}");
        assert_eq!(names(directory.path()), ["out.checkpoint"]);
    };
    fs::rename(&checkpoint, &former).unwrap();
    refused();
    half(&former);
    fs::rename(&checkpoint, &next).unwrap();
    refused();
    fs::rename(&checkpoint, &partial).unwrap();
    half(&checkpoint);
    fs::write(inside_next, ".out.checkpoint.partial-7").unwrap();
    refused();
    fs::rename(&checkpoint, &partial).unwrap();
    fs::create_dir(&checkpoint).unwrap();
    fs::rename(partial.join("progress.json"), checkpoint.join("progress.json")).unwrap();
    fs::write(inside_ready, ".out.checkpoint.partial-7").unwrap();
    half(&path(".out.checkpoint.gone"));
    let resumed = run(directory.path(), &[&options("out")[..], &["--resume".into()]].concat());
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert!(text(&resumed.stdout).contains("going on after step "), "{}", text(&resumed.stdout));
    assert_eq!(names(directory.path()), ["out"]);
}

#[test]
fn damaged_checkpoints_are_refused() {
    let directory = TempDir::new().unwrap();
    interrupt(directory.path(), "out");
    let checkpoint = directory.path().join("out.checkpoint");
    for name in names(&checkpoint) {
        let path = checkpoint.join(&name);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let output = run(directory.path(), &[&options("out")[..], &["--resume".into()]].concat());
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {stderr}");
        // If the sum is damaged, the message names the file that it belongs to.
        let damaged = name.replace(".sum", ".json");
        assert!(stderr.contains(&damaged) && stderr.lines().count() == 1, "{name}: {stderr}");
        fs::write(&path, &bytes).unwrap();
    }
}

#[test]
fn a_flipped_bit_in_a_checkpoint_is_found() {
    let directory = TempDir::new().unwrap();
    interrupt(directory.path(), "out");
    let checkpoint = directory.path().join("out.checkpoint");
    let resumed = [&options("out")[..], &["--resume".into()]].concat();
    for file in ["learner.bpk", "optimizer.bpk", "progress.json"] {
        let path = checkpoint.join(file);
        let whole = fs::read(&path).unwrap();
        for place in [0, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[place] ^= 64;
            fs::write(&path, damaged).unwrap();
            let output = run(directory.path(), &resumed);
            let error = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{file}, byte {place}: {error}");
            assert!(!error.contains("panicked"), "{error}");
        }
        fs::write(&path, whole).unwrap();
    }
    let path = checkpoint.join("progress.json");
    let whole = fs::read_to_string(&path).unwrap();
    let step = whole.lines().find(|line| line.contains("\"step\":")).unwrap();
    for other in ["2147483648", "120", "0"] {
        fs::write(&path, whole.replacen(step, &format!("  \"step\": {other},"), 1)).unwrap();
        let output = run(directory.path(), &resumed);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "step {other}: {error}");
        assert!(error.contains("progress.json is damaged; train without --resume"), "{error}");
    }
}

#[test]
fn a_log_goes_on_where_the_run_does() {
    let directory = TempDir::new().unwrap();
    let logged = |out: &str| [&options(out)[..], &["--log".into(), "log".into()]].concat();
    let whole = run(directory.path(), &logged("whole"));
    assert!(whole.status.success(), "{}", text(&whole.stderr));
    let steps = |path: &str| {
        let log = fs::read_to_string(directory.path().join(path)).unwrap();
        let number =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["step"].clone();
        log.lines().map(number).collect::<Vec<_>>()
    };
    let expected = steps("log");
    interrupt(directory.path(), "parts");
    // The log of the killed run is longer than its checkpoint, and its last line is torn.
    let log = fs::read_to_string(directory.path().join("log")).unwrap();
    let lines: String = log.split_inclusive('\n').take(20).collect();
    fs::write(directory.path().join("log"), format!("{lines}{{\"step\":21,\"epo")).unwrap();
    let more = ["--resume".to_string()];
    let parts = run(directory.path(), &[&logged("parts")[..], &more].concat());
    assert!(parts.status.success(), "{}", text(&parts.stderr));
    assert_eq!(steps("log"), expected);
}
