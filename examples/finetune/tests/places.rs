//! Places that are linked, taken or killed: no model and nothing else is lost.
//!
//! `STRESS_ROUNDS=100` repeats the rounds of the two slow tests as often.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use common::{assert_whole, copy, finetune, golden, names, rounds, succeed, text};
use tempfile::TempDir;

/// A training run of a few seconds at most, with `more` options.
fn run<'a>(model: &'a str, steps: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let args = ["--model", model, "--steps", steps, "--batch-size", "8", "--no-report"];
    [&args[..], more].concat()
}

fn start(directory: &Path, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_finetune"));
    command.current_dir(directory).args(args).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn end(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code(), text(&output.stderr))
}

/// Waits until a run has claimed `model` in `directory`, or is over.
fn claimed(directory: &Path, child: &mut Child) {
    // The number is written once the file is locked.
    let owner = || fs::read_to_string(directory.join(".model.saving-lock")).unwrap_or_default();
    while owner().trim() != child.id().to_string() && child.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(2));
    }
}

#[test]
fn what_appears_in_the_place_during_a_run_stays() {
    let directory = TempDir::new().unwrap();
    let base = golden("bert");
    let more = ["--out", "model", "--force", "--log", "log"];
    let mut child = start(directory.path(), &run(base.to_str().unwrap(), "400", &more));
    let log = directory.path().join("log");
    while fs::metadata(&log).map_or(0, |file| file.len()) == 0 {
        assert!(child.try_wait().unwrap().is_none(), "the run ended early");
        sleep(Duration::from_millis(2));
    }
    let letter = directory.path().join("model/letter.txt");
    fs::create_dir(directory.path().join("model")).unwrap();
    fs::write(&letter, "dear").unwrap();
    let (code, error) = end(child);
    assert_eq!(code, Some(2), "{error}");
    assert!(
        error.contains("error: cannot write model: the directory holds `letter.txt`"),
        "{error}"
    );
    assert!(error.contains("it is saved in model.saved instead"), "{error}");
    assert_eq!(fs::read_to_string(letter).unwrap(), "dear");
    assert_whole(&directory.path().join("model.saved"), "kept");
    assert_eq!(names(directory.path()), ["log", "model", "model.saved"]);
}

#[test]
fn only_encoders_are_replaced_by_force() {
    let directory = TempDir::new().unwrap();
    let base = golden("bert");
    let args = run(base.to_str().unwrap(), "1", &["--out", "model", "--force"]);
    let refused = |message: &str| {
        let output = finetune(directory.path(), &args);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(message), "{error}");
    };
    let write = |path: &str| {
        let path = directory.path().join("model").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "mine").unwrap();
    };
    write("README.md");
    refused("it holds no trained encoder, which would have training.json or modules.json");
    write("report/thesis.tex");
    refused("the directory holds `report/thesis.tex`, which no trained encoder has");
    fs::remove_dir_all(directory.path().join("model")).unwrap();
    succeed(directory.path(), &args);
    write("1_Pooling/notes.txt");
    refused("the directory holds `1_Pooling/notes.txt`");
    fs::remove_file(directory.path().join("model/1_Pooling/notes.txt")).unwrap();
    succeed(directory.path(), &args);
}

#[test]
fn no_input_is_replaced_by_an_output() {
    let directory = TempDir::new().unwrap();
    let base = golden("bert");
    let base = base.to_str().unwrap();
    let table = "anchor,positive\na cat,the cat\na dog,the dog\nrain,the rain\n";
    let files = [
        ("train.csv", table),
        ("lines.jsonl", "the cat\n"),
        ("notes", "x\n"),
        ("package.json", "{\n \"a\": 1\n}\n"),
        ("steps.jsonl", "{\"step\":1,\"seconds\":2}\n"),
        ("blank", "\nx\n"),
    ];
    for (name, content) in files {
        fs::write(directory.path().join(name), content).unwrap();
    }
    let log = |name| run(base, "1", &["--out", "model", "--log", name]);
    fs::create_dir(directory.path().join("model")).unwrap();
    let encode = ["encode", "--model", base, "lines.jsonl", "--out", "./lines.jsonl"];
    for (args, message) in [
        (log("train.csv"), "cannot write train.csv: it exists and is no log of this program"),
        (log("notes"), "cannot write notes: it exists and is no log of this program"),
        (log("package.json"), "cannot write package.json: it exists and is no log"),
        (log("steps.jsonl"), "cannot write steps.jsonl: it exists and is no log"),
        (log("blank"), "cannot write blank: it exists and is no log"),
        (log("model/log"), "--log: it would be in --out"),
        (encode.to_vec(), "cannot write ./lines.jsonl: it is the input; name another file"),
    ] {
        let output = finetune(directory.path(), &args);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(message), "{error}");
    }
    for (name, content) in files {
        assert_eq!(fs::read_to_string(directory.path().join(name)).unwrap(), content);
    }
    assert_eq!(names(directory.path()).len(), files.len() + 1);
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_the_lock_is_not_followed() {
    let directory = TempDir::new().unwrap();
    let precious = directory.path().join("precious");
    fs::write(&precious, "dear").unwrap();
    std::os::unix::fs::symlink("precious", directory.path().join(".model.saving-lock")).unwrap();
    let base = golden("bert");
    let output = finetune(directory.path(), &run(base.to_str().unwrap(), "1", &["--out", "model"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("is in the way"), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(precious).unwrap(), "dear");
}

/// Pairs that belong together have the score `same`, others `other`.
fn scored(same: u8, other: u8) -> String {
    let words = ["cat", "dog", "river", "tree", "mat"];
    let pairs = words.iter().enumerate().flat_map(|(index, word)| {
        let next = words[(index + 1) % words.len()];
        [format!("a {word},the {word},{same}\n"), format!("a {word},the {next},{other}\n")]
    });
    std::iter::once("sentence1,sentence2,score\n".to_string()).chain(pairs).collect()
}

#[test]
fn a_model_that_training_made_worthless_replaces_none() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("right.csv"), scored(1, 0)).unwrap();
    fs::write(directory.path().join("wrong.csv"), scored(0, 1)).unwrap();
    let base = golden("bert");
    let common = ["--eval", "right.csv", "--loss", "CosineSimilarityLoss", "--no-report"];
    let out = ["--out", "model", "--epochs", "20", "--batch-size", "5", "--force"];
    let args = |more: &[&'static str]| [&common[..], &out, more].concat();
    let first = ["--static", "8", "--model", base.to_str().unwrap(), "--data", "right.csv"];
    succeed(directory.path(), &[&args(&[])[..], &first].concat());
    let kept = || fs::read(directory.path().join("model/model.safetensors")).unwrap();
    let before = kept();
    let wrong = args(&["--model", "model", "--data", "wrong.csv"]);
    let output = finetune(directory.path(), &wrong);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(
        error.contains("training made the model worse: Spearman of scored pairs fell"),
        "{error}"
    );
    assert!(error.contains("say --keep-worse to save it all the same"), "{error}");
    assert!(kept() == before, "the former model is still there");
    succeed(directory.path(), &[&wrong[..], &["--eval-steps", "10"]].concat());
    assert!(kept() == before, "the model before training was the best");
    succeed(directory.path(), &[&wrong[..], &["--keep-worse"]].concat());
    assert!(kept() != before);
}

#[test]
fn an_encoder_from_scratch_that_collapsed_replaces_none() {
    let directory = TempDir::new().unwrap();
    let args = |rate| ["--steps", "60", "--learning-rate", rate, "--no-report", "--out", "model"];
    succeed(directory.path(), &args("0.003"));
    let kept = || fs::read(directory.path().join("model/model.bpk")).unwrap();
    let before = kept();
    let output = finetune(directory.path(), &[&args("10")[..], &["--force"]].concat());
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("made the model worse"), "{}", text(&output.stderr));
    assert!(kept() == before);
}

#[test]
fn a_link_and_a_dot_lead_to_the_place() {
    let directory = TempDir::new().unwrap();
    let base = golden("bert");
    fs::create_dir(directory.path().join("disk")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("disk/model", directory.path().join("link")).unwrap();
    #[cfg(not(unix))]
    fs::create_dir(directory.path().join("link")).unwrap();
    for out in ["link", "link/."] {
        succeed(directory.path(), &run(base.to_str().unwrap(), "1", &["--out", out, "--force"]));
    }
    assert_whole(&directory.path().join("link"), "link");
    #[cfg(unix)]
    assert_eq!(names(&directory.path().join("disk")), ["model"]);
}

#[test]
fn of_two_runs_into_one_place_one_is_refused_at_once() {
    let directory = TempDir::new().unwrap();
    let base = golden("bert");
    let base = base.to_str().unwrap();
    for round in 0..rounds(3) {
        let more = ["--out", "model", "--force", "--epochs", "1000000", "--checkpoint-steps", "9"];
        // It goes on until it is killed.
        let mut first = start(directory.path(), &run(base, "1000000", &more));
        claimed(directory.path(), &mut first);
        let second = finetune(directory.path(), &run(base, "1", &more));
        let error = text(&second.stderr);
        assert_eq!(second.status.code(), Some(2), "round {round}: {error}");
        let owner = format!("process {} is writing it", first.id());
        assert!(error.contains(&owner), "round {round}: {error}");
        first.kill().unwrap();
        end(first);
        succeed(directory.path(), &run(base, "1", &more));
        assert_whole(&directory.path().join("model"), "after a killed run");
        assert_eq!(names(directory.path()), ["model"], "round {round}");
    }
}

#[test]
fn of_many_runs_that_start_at_once_one_makes_the_model() {
    let directory = TempDir::new().unwrap();
    let base = golden("bert");
    let base = base.to_str().unwrap();
    for round in 0..rounds(6) {
        let runs: Vec<_> = (0..8)
            .map(|_| start(directory.path(), &run(base, "2", &["--out", "deep/er/model"])))
            .collect();
        let ends: Vec<_> = runs.into_iter().map(end).collect();
        let won = ends.iter().filter(|(code, _)| *code == Some(0)).count();
        assert_eq!(won, 1, "round {round}: {ends:?}");
        for (code, error) in ends.iter().filter(|(code, _)| *code != Some(0)) {
            let told = ["is writing it; wait until it ends", "it holds an encoder; say --force"];
            assert_eq!(*code, Some(2), "round {round}: {error}");
            assert!(told.iter().any(|reason| error.contains(reason)), "round {round}: {error}");
        }
        assert_whole(&directory.path().join("deep/er/model"), &format!("round {round}"));
        assert_eq!(names(&directory.path().join("deep/er")), ["model"], "round {round}");
        fs::remove_dir_all(directory.path().join("deep")).unwrap();
    }
}

#[test]
fn a_kill_at_any_moment_leaves_a_whole_model() {
    let directory = TempDir::new().unwrap();
    let base = golden("bert");
    let base = base.to_str().unwrap();
    let model = directory.path().join("model");
    copy(&golden("bert"), &model);
    fs::remove_file(model.join("expected.json")).unwrap();
    let more = ["--out", "model", "--force"];
    for round in 0..rounds(6) {
        let mut child = start(directory.path(), &run(base, "3", &more));
        claimed(directory.path(), &mut child);
        sleep(Duration::from_micros(37_777 * (round as u64 * 7 % 13)));
        child.kill().unwrap();
        end(child);
        assert_whole(&model, &format!("round {round}"));
    }
    succeed(directory.path(), &run(base, "1", &more));
    assert_whole(&model, "after all");
    assert_eq!(names(directory.path()), ["model"]);
}

#[test]
fn a_model_that_tells_no_texts_apart_is_warned_of_once() {
    let directory = TempDir::new().unwrap();
    let table = scored(1, 0);
    fs::write(directory.path().join("right.csv"), &table).unwrap();
    // Every pair is to be alike.
    fs::write(directory.path().join("alike.csv"), table.replace(",0\n", ",0.9999\n")).unwrap();
    let trained = |data| {
        let loss = ["--loss", "CosineSimilarityLoss", "--learning-rate", "0.01"];
        let args = ["--data", data, "--eval", "right.csv", "--batch-size", "10", "--no-report"];
        let more = ["--epochs", "400", "--out", "model", "--force", "--keep-worse"];
        let base = golden("bert");
        let model = ["--model", base.to_str().unwrap()];
        succeed(directory.path(), &[&model[..], &loss, &args, &more].concat()).1
    };
    let error = trained("alike.csv");
    assert_eq!(error.matches("all embeddings are alike (mean cosine 0.9999").count(), 1, "{error}");
    assert!(error.contains("warning: at step "), "{error}");
    assert!(error.contains("train again with a lower --learning-rate (now 0.01)"), "{error}");
    assert!(!trained("right.csv").contains("alike"));
}

/// Makes a file or directory immutable (`+i`), or changeable again (`-i`), where that is allowed.
#[cfg(target_os = "linux")]
fn change_attribute(path: &Path, how: &str) -> bool {
    let mut command = Command::new("chattr");
    command.arg(how).arg(path).output().is_ok_and(|output| output.status.success())
}

/// As in a container that gives its user one directory.
#[cfg(target_os = "linux")]
#[test]
fn nothing_beside_a_directory_needs_to_be_written() {
    let directory = TempDir::new().unwrap();
    let above = directory.path().join("all");
    fs::create_dir_all(above.join("out")).unwrap();
    let fixed = |how| change_attribute(&above, how);
    if !fixed("+i") {
        eprintln!("skipped: no directory can be made immutable here");
        return;
    }
    let base = golden("bert");
    let args = |out| run(base.to_str().unwrap(), "9", &["--out", out, "--force"]);
    let outputs = [(); 2].map(|()| finetune(directory.path(), &args("all/out")));
    let checkpoints = [&args("all/out")[..], &["--checkpoint-steps", "3"]].concat();
    let refused = finetune(directory.path(), &checkpoints);
    assert!(fixed("-i"));
    for output in outputs {
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    assert_whole(&above.join("out"), "inside");
    assert!(!names(&above.join("out")).iter().any(|name| name.starts_with('.')));
    assert_eq!(names(&above), ["out"]);
    let expected = "error: cannot write all/out.checkpoint: Operation not permitted (os error 1); \
                    checkpoints go beside --out: choose a place in this directory, as --out all/out/model\n";
    assert_eq!((refused.status.code(), text(&refused.stderr)), (Some(2), expected.to_string()));
}

/// A directory that even its owner cannot move.
#[cfg(target_os = "linux")]
#[test]
fn a_place_that_cannot_be_exchanged_is_refused_before_training() {
    let directory = TempDir::new().unwrap();
    let model = directory.path().join("model");
    copy(&golden("bert"), &model);
    fs::remove_file(model.join("expected.json")).unwrap();
    let fixed = |how| change_attribute(&model, how);
    if !fixed("+i") {
        eprintln!("skipped: no directory can be made immutable here");
        return;
    }
    let base = golden("bert");
    let args = run(base.to_str().unwrap(), "1", &["--out", "model", "--force"]);
    let output = finetune(directory.path(), &args);
    assert!(fixed("-i"));
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.starts_with("error: cannot write model: Operation not permitted"), "{error}");
    assert_eq!(text(&output.stdout), "", "it has not begun");
    assert_eq!(names(directory.path()), ["model"]);
    succeed(directory.path(), &args);
}
