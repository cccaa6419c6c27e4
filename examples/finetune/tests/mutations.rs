//! Damaged files: whatever is wrong with a file, the program ends with success or with one message.
//!
//! `STRESS_ROUNDS=5000` tries as many damaged files of each kind, `STRESS_SEED=7` others.

mod common;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{copy, golden, names, succeed};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

/// The longest that a run on a tiny damaged file may take.
const LIMIT: Duration = Duration::from_secs(30);
/// The most bytes that such a run may have in memory, in KiB.
const MEMORY: u64 = 1 << 20;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |value| value.parse().unwrap())
}

/// Changes a few bytes: the kinds of damage that break readers.
fn damage(bytes: &mut Vec<u8>, rng: &mut StdRng) {
    const TOKENS: [&str; 12] = [
        "-1",
        "0",
        "1e999",
        "18446744073709551615",
        "null",
        "\"\"",
        "[]",
        "{}",
        "NaN",
        "\n",
        "\u{feff}",
        "\0",
    ];
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..=bytes.len());
        let end = (at + rng.random_range(1..24)).min(bytes.len());
        match rng.random_range(0..7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = rng.random(),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            5 => {
                let digits = |byte: &u8| byte.is_ascii_digit();
                let number = bytes[at..].iter().position(digits).map_or(at, |start| at + start);
                let length = bytes[number..].iter().take_while(|byte| digits(byte)).count();
                let token = TOKENS[rng.random_range(0..TOKENS.len())].bytes();
                bytes.splice(number..number + length, token);
            }
            _ => {
                let token = TOKENS[rng.random_range(0..TOKENS.len())].bytes();
                bytes.splice(at..at, token);
            }
        }
    }
}

/// The most memory that a process has had so far, in KiB.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Runs the program: what is wrong with how it ended, if something is.
fn fault(directory: &Path, args: &[&str]) -> Option<String> {
    let error = directory.join("stderr");
    let mut child = Command::new(env!("CARGO_BIN_EXE_finetune"))
        .current_dir(directory)
        .args(args)
        .stdout(Stdio::null())
        .stderr(File::create(&error).unwrap())
        .spawn()
        .unwrap();
    let (start, mut most) = (Instant::now(), 0);
    let status = loop {
        most = most.max(peak(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            return Some("it does not end".to_string());
        }
        sleep(Duration::from_millis(1));
    };
    let error = String::from_utf8_lossy(&fs::read(error).unwrap()).into_owned();
    let messages = error.lines().filter(|line| line.starts_with("error: ")).count();
    let last = error.lines().last().is_some_and(|line| line.starts_with("error: "));
    let ended = match status.code() {
        Some(0) => messages == 0,
        Some(2) => messages == 1 && last,
        _ => false,
    };
    match ended && !error.contains("panicked") && most < MEMORY {
        true => None,
        false => Some(format!("{status}, {most} KiB: {error}")),
    }
}

/// Runs `args` with each of `files` damaged in turn; `reset` is called before each run.
fn stress(kind: &str, directory: &Path, files: &[PathBuf], args: &[&str], reset: impl Fn()) {
    let (rounds, seed) = (setting("STRESS_ROUNDS", 24), setting("STRESS_SEED", 0));
    for round in 0..rounds {
        let mut rng = StdRng::seed_from_u64(seed << 32 | round);
        let path = &files[rng.random_range(0..files.len())];
        reset();
        let whole = fs::read(path).unwrap();
        let mut bytes = whole.clone();
        damage(&mut bytes, &mut rng);
        fs::write(path, &bytes).unwrap();
        if let Some(fault) = fault(directory, args) {
            let kept = std::env::temp_dir().join(format!("damaged-{kind}-{seed}-{round}"));
            fs::write(&kept, bytes).unwrap();
            panic!(
                "{kind}, round {round} of seed {seed}, {} ({}): {fault}",
                path.display(),
                kept.display()
            );
        }
        // A run that is complete has removed its checkpoint.
        if path.exists() {
            fs::write(path, whole).unwrap();
        }
    }
    println!("{kind}: {rounds} rounds of seed {seed}");
}

#[test]
fn damaged_data() {
    let directory = TempDir::new().unwrap();
    let rows = [
        (
            "pairs.csv",
            "sentence1,sentence2,score\n\"a \"\"cat\"\"\",the cat,4.5\na dog,\"the,\ndog\",0\n",
        ),
        ("triplets.tsv", "anchor\tpositive\tnegative\na cat\tthe cat\ta dog\nx\ty\tz\n"),
        (
            "rows.jsonl",
            "{\"query\":\"a\",\"positive\":[\"b\",\"c\"],\"negative\":[\"d\"],\"label\":[1,0.5,2]}\n",
        ),
        ("rows.json", "[{\"text\":\"a\",\"label\":3},{\"text\":\"b\",\"label\":1}]"),
        (
            "embeddings.jsonl",
            "{\"text\":\"a\",\"embedding\":[1,2.5e-3]}\n{\"text\":\"b\",\"embedding\":[0,-1]}\n",
        ),
        ("trec.txt", "NUM:dist How far is it ?\nLOC:other Where is it ?\n"),
    ];
    for (name, text) in rows {
        fs::write(directory.path().join(name), text).unwrap();
        let file = [directory.path().join(name)];
        stress(name, directory.path(), &file, &["inspect", name], || {});
    }
}

#[test]
fn damaged_models() {
    for family in ["bert", "xlm-roberta", "modernbert", "router", "lora", "model2vec", "scratch"] {
        let directory = TempDir::new().unwrap();
        let model = directory.path().join("model");
        match family {
            "scratch" => {
                let args = ["--steps", "1", "--no-report", "--out", "model"];
                succeed(directory.path(), &args);
            }
            family => copy(&golden(family), &model),
        }
        let mut files = Vec::new();
        find(&model, &mut files);
        let lines = directory.path().join("lines");
        fs::write(&lines, "the cat sits\na dog\n").unwrap();
        let args = ["encode", "--model", "model", "lines"];
        stress(family, directory.path(), &files, &args, || {});
    }
}

/// All files below a directory but the expected embeddings.
fn find(directory: &Path, files: &mut Vec<PathBuf>) {
    for name in names(directory) {
        let path = directory.join(&name);
        match path.is_dir() {
            true => find(&path, files),
            false if !name.starts_with("expected") => files.push(path),
            false => {}
        }
    }
}

#[test]
fn damaged_rerankers() {
    for family in ["cross-bert", "cross-roberta", "cross-deberta-v3"] {
        let directory = TempDir::new().unwrap();
        let model = directory.path().join("model");
        copy(&golden(family), &model);
        let mut files = Vec::new();
        find(&model, &mut files);
        fs::write(directory.path().join("lines"), "the cat sits\n\na dog\n").unwrap();
        let args = ["rank", "--model", "model", "--query", "", "lines"];
        stress(family, directory.path(), &files, &args, || {});
    }
}

#[test]
fn damaged_checkpoints() {
    let directory = TempDir::new().unwrap();
    let base = golden("bert");
    let run = ["--model", base.to_str().unwrap(), "--batch-size", "8", "--no-report"];
    let out = ["--steps", "100", "--epochs", "100", "--checkpoint-steps", "50", "--out", "model"];
    let out = [&run[..], &out].concat();
    let whole = directory.path().join("whole");
    checkpoint(directory.path(), &out, &whole);
    let place = directory.path().join("model.checkpoint");
    let files: Vec<_> = names(&whole).iter().map(|name| place.join(name)).collect();
    let reset = || {
        for used in ["model", "model.checkpoint"] {
            let _ = fs::remove_dir_all(directory.path().join(used));
        }
        copy(&whole, &place);
    };
    stress("checkpoint", directory.path(), &files, &[&out[..], &["--resume"]].concat(), reset);
}

/// Keeps the checkpoint of a run that is killed after it.
fn checkpoint(directory: &Path, args: &[&str], whole: &Path) {
    let mut run = Command::new(env!("CARGO_BIN_EXE_finetune"));
    run.current_dir(directory).args(args).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = run.spawn().unwrap();
    while !directory.join("model.checkpoint/progress.sum").exists() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended early");
        sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    fs::rename(directory.join("model.checkpoint"), whole).unwrap();
}
