//! `finetune encode` as a user meets it.

mod common;

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

#[cfg(target_os = "linux")]
use common::memory_of;
use common::{finetune, golden, names, spoilt, succeed, text, texts};
use serde_json::json;
use tempfile::TempDir;

/// A directory with `texts.txt`, and the path of a tiny model.
fn place() -> (TempDir, String) {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("texts.txt"), texts().join("\n")).unwrap();
    (directory, golden("bert").to_str().unwrap().to_string())
}

#[test]
fn lines_become_embeddings_in_each_format() {
    let (directory, model) = place();
    let encode = ["encode", "--model", &model, "texts.txt"];
    let printed = finetune(directory.path(), &encode);
    assert!(printed.status.success(), "{}", text(&printed.stderr));
    let printed = text(&printed.stdout);
    let expected: Vec<Vec<f32>> =
        serde_json::from_slice(&fs::read(golden("bert").join("expected.json")).unwrap()).unwrap();
    let mut values = Vec::new();
    for ((line, expected), given) in printed.lines().zip(&expected).zip(texts()) {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(row["text"], given);
        let embedding: Vec<f32> = serde_json::from_value(row["embedding"].clone()).unwrap();
        let difference = |(a, b): (&f32, &f32)| (a - b).abs();
        assert!(embedding.iter().zip(expected).map(difference).all(|it| it < 1e-5));
        values.extend(embedding);
    }
    assert_eq!(values.len(), expected.concat().len());

    for out in ["rows.jsonl", "rows.npy"] {
        let output = finetune(directory.path(), &[&encode[..], &["--out", out]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(output.stdout.is_empty());
    }
    assert_eq!(fs::read_to_string(directory.path().join("rows.jsonl")).unwrap(), printed);
    let array = fs::read(directory.path().join("rows.npy")).unwrap();
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    assert!(array.starts_with(b"\x93NUMPY") && array.ends_with(&bytes));
    assert_eq!(names(directory.path()), ["rows.jsonl", "rows.npy", "texts.txt"]);
}

#[test]
fn texts_that_are_cut_are_said_once() {
    let (directory, model) = place();
    let output = finetune(directory.path(), &["encode", "--model", &model, "texts.txt"]);
    assert_eq!(text(&output.stderr), "1 of 10 texts cut to 24 tokens\n");
}

#[test]
fn bad_input_is_refused_and_nothing_is_written() {
    let (directory, model) = place();
    fs::write(directory.path().join("empty.txt"), "").unwrap();
    fs::write(directory.path().join("bytes.txt"), b"good\nb\xffd\n").unwrap();
    let before = names(directory.path());
    for (args, message) in [
        (vec!["missing.txt", "--model", &model], "cannot read missing.txt: No such file"),
        (vec!["empty.txt", "--model", &model], "empty.txt: it has no lines"),
        (vec!["bytes.txt", "--model", &model], "bytes.txt:2: not UTF-8"),
        (vec!["texts.txt", "--model", "no"], "cannot read no: No such file"),
        (vec!["texts.txt", "--model", "a/b"], "`hf download a/b --local-dir DIR`"),
        (vec!["texts.txt", "--model", "texts.txt"], "texts.txt: it is not a directory"),
        (vec!["texts.txt", "--model", "."], "modules.json: No such file"),
        (vec!["texts.txt", "--model", &model, "--prompt", "query"], "--prompt: `query` is no"),
        (vec!["texts.txt", "--model", &model, "--route", "query"], "has no routes to choose from"),
        (vec!["texts.txt", "--model", &model, "--device", "abacus"], "`abacus` is no device"),
        (vec!["texts.txt", "--model", &model, "--out", "x.txt"], "use .npy or .jsonl"),
        (vec!["texts.txt", "--model", &model, "--out", "no/x.npy"], "its directory does not exist"),
        (vec!["texts.txt", "--model", &model, "--out", "."], "it is a directory; name a file"),
    ] {
        let out: &[&str] = if args.contains(&"--out") { &[] } else { &["--out", "x.npy"] };
        let args = [&["encode"], &args[..], out].concat();
        let output = finetune(directory.path(), &args);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(message), "{args:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{args:?}: {stderr}");
        assert_eq!(names(directory.path()), before, "{args:?} wrote something");
    }
}

#[test]
fn embeddings_are_cut_to_their_first_values() {
    let (directory, model) = place();
    let encode = |more: &[&str]| {
        let args = [&["encode", "--model", &model, "texts.txt"][..], more].concat();
        let output = finetune(directory.path(), &args);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let printed = text(&output.stdout);
        let rows = printed.lines().map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            serde_json::from_value::<Vec<f32>>(row["embedding"].clone()).unwrap()
        });
        rows.collect::<Vec<_>>()
    };
    let whole = encode(&[]);
    let cut: Vec<_> = whole.iter().map(|row| row[..5].to_vec()).collect();
    assert_eq!(encode(&["--truncate-dim", "5"]), cut);
    assert_eq!(encode(&["--truncate-dim", "500"]), whole);
}

#[test]
fn a_route_is_taken_by_its_name() {
    let (directory, _) = place();
    let model = golden("router").to_str().unwrap().to_string();
    let encode = |more: &[&str]| {
        let args = [&["encode", "--model", &model, "texts.txt"][..], more].concat();
        succeed(directory.path(), &args).0
    };
    let [query, document] = ["query", "document"].map(|route| encode(&["--route", route]));
    assert_ne!(query, document);
    assert_eq!(encode(&[]), document);
}

#[test]
fn embeddings_that_are_no_numbers_are_refused() {
    let (directory, _) = place();
    spoilt("bert", &directory.path().join("model"));
    let output = finetune(directory.path(), &["encode", "--model", "model", "texts.txt"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let error = text(&output.stderr);
    assert!(error.contains("gives NaN in the embedding of line 1 of texts.txt"), "{error}");
}

#[test]
fn an_encoder_from_scratch_encodes_too() {
    let (directory, _) = place();
    succeed(directory.path(), &["--steps", "2", "--no-report", "--out", "small"]);
    let encode = ["encode", "--model", "small", "texts.txt"];
    let (printed, _) = succeed(directory.path(), &encode);
    assert_eq!(printed.lines().count(), texts().len());
    let row: serde_json::Value = serde_json::from_str(printed.lines().next().unwrap()).unwrap();
    let whole: Vec<f32> = serde_json::from_value(row["embedding"].clone()).unwrap();
    let (cut, _) = succeed(directory.path(), &[&encode[..], &["--truncate-dim", "3"]].concat());
    let row: serde_json::Value = serde_json::from_str(cut.lines().next().unwrap()).unwrap();
    assert_eq!(serde_json::from_value::<Vec<f32>>(row["embedding"].clone()).unwrap(), whole[..3]);
    let output = finetune(directory.path(), &[&encode[..], &["--prompt", "query"]].concat());
    assert!(text(&output.stderr).contains("--prompt: an encoder that was trained from scratch"));
}

#[test]
fn an_encoder_from_scratch_with_hostile_files_is_refused() {
    let (directory, _) = place();
    succeed(directory.path(), &["--steps", "1", "--no-report", "--out", "small"]);
    let fields = [
        ("config.json", "heads", json!(0), "config.json: `heads` is 0, expected 1 to"),
        ("config.json", "heads", json!(3), "is not divisible by 3 `heads`"),
        ("config.json", "layers", json!(1_000_000_000_000u64), "`layers` is 1000000000000"),
        ("config.json", "layers", json!(999), "model.bpk: it is smaller than the network"),
        ("config.json", "dropout", json!(7), "`dropout` is 7, expected 0 to 1"),
        (
            "tokenizer.json",
            "pre_tokenizer",
            json!({"type": "FixedLength", "length": 0}),
            "tokenizer.json",
        ),
    ];
    for (file, name, value, message) in fields {
        let path = directory.path().join("small").join(file);
        let whole = fs::read(&path).unwrap();
        let mut content: serde_json::Value = serde_json::from_slice(&whole).unwrap();
        content[name] = value.clone();
        fs::write(&path, content.to_string()).unwrap();
        let output = finetune(directory.path(), &["encode", "--model", "small", "texts.txt"]);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}, {value}: {error}");
        assert!(error.contains(message), "{name}, {value}: {error}");
        fs::write(&path, whole).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_killed_run_leaves_nothing_that_the_next_one_keeps() {
    let (directory, model) = place();
    let line = format!("{}\n", "the cat sits on the mat. ".repeat(40));
    fs::write(directory.path().join("large.txt"), line.repeat(20_000)).unwrap();
    let start = || {
        let before = names(directory.path());
        let mut command = Command::new(env!("CARGO_BIN_EXE_finetune"));
        command.current_dir(directory.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let args = ["encode", "--model", &model, "large.txt", "--out", "rows.jsonl"];
        let mut child = command.args(args).spawn().unwrap();
        while names(directory.path()).iter().all(|name| before.contains(name)) {
            assert!(child.try_wait().unwrap().is_none(), "the run ended early");
            sleep(Duration::from_millis(1));
        }
        child
    };
    let kill = |mut child: Child| {
        child.kill().unwrap();
        child.wait().unwrap();
    };
    let encode = |out| {
        let args = ["encode", "--model", &model, "texts.txt", "--out", out];
        succeed(directory.path(), &args);
    };
    kill(start());
    assert_eq!(names(directory.path()).len(), 3);
    fs::write(directory.path().join(".rows.jsonl.partial-notes"), "mine").unwrap();
    encode("other.jsonl");
    assert_eq!(names(directory.path()).len(), 5, "another output has its own");
    // The files of a run that goes on are not touched.
    let other = start();
    encode("rows.jsonl");
    let left = names(directory.path());
    let partials = left.iter().filter(|name| name.starts_with(".rows.jsonl.partial-")).count();
    assert_eq!(partials, 2, "{left:?}");
    kill(other);
    encode("rows.jsonl");
    let expected =
        [".rows.jsonl.partial-notes", "large.txt", "other.jsonl", "rows.jsonl", "texts.txt"];
    assert_eq!(names(directory.path()), expected);
}

#[cfg(target_os = "linux")]
#[test]
fn a_line_of_any_length_takes_little_memory() {
    let (directory, model) = place();
    let length = 100_000_000;
    for line in ["the cat sits on the mat. ", "cat"] {
        fs::write(directory.path().join("line.txt"), line.repeat(length / line.len())).unwrap();
        let args = ["encode", "--model", &model, "line.txt", "--out", "rows.npy"];
        let most = memory_of(directory.path(), &args);
        assert!((1 << 17..1 << 20).contains(&most), "{line}: {most} KiB");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_lines_of_a_large_file_are_not_held_in_memory() {
    let (directory, model) = place();
    let line = format!("{}\n", "the cat sits on the mat. ".repeat(4000));
    let small = line.repeat(200);
    fs::write(directory.path().join("small.txt"), &small).unwrap();
    fs::write(directory.path().join("large.txt"), small.repeat(10)).unwrap();
    for out in ["rows.npy", "rows.jsonl"] {
        let [small, large] = ["small.txt", "large.txt"].map(|file| {
            memory_of(directory.path(), &["encode", "--model", &model, file, "--out", out])
        });
        // The large file has 195,000 KiB.
        assert!(large < small + 50_000, "{out}: {small} KiB, then {large} KiB");
    }
    let array = fs::read(directory.path().join("rows.npy")).unwrap();
    let header = usize::from(u16::from_le_bytes([array[8], array[9]])) + 10;
    let text = String::from_utf8_lossy(&array[..header]).into_owned();
    assert!(text.contains("'shape': (2000, "), "{text}");
    assert_eq!((array.len() - header) % (2000 * 4), 0);
    let rows = fs::read_to_string(directory.path().join("rows.jsonl")).unwrap();
    assert_eq!(rows.lines().count(), 2000);
}
