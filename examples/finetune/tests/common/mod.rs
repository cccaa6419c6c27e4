//! Running the program, and the tiny models of `models/goldens`.
#![allow(dead_code, unused_imports, reason = "each test program uses some of it")]

#[path = "../../../../models/tests/common/files.rs"]
mod files;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use burn::tensor::Device;
use burn_embedding_models::SentenceTransformer;
pub use files::{copy, set};
use serde_json::Value;

/// The directory of a tiny model.
pub fn golden(family: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/goldens").join(family)
}

/// The texts that Python embedded.
pub fn texts() -> Vec<String> {
    serde_json::from_slice(&fs::read(golden("texts.json")).unwrap()).unwrap()
}

/// Copies a tiny model whose parameters are no numbers.
pub fn spoilt(family: &str, to: &Path) {
    copy(&golden(family), to);
    let weights = to.join("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize + 8;
    for value in bytes[header..].chunks_exact_mut(4) {
        value.copy_from_slice(&f32::NAN.to_le_bytes());
    }
    fs::write(&weights, bytes).unwrap();
}

/// Runs the program in `directory`.
pub fn finetune(directory: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_finetune"));
    command.current_dir(directory).args(args).output().unwrap()
}

/// Bytes of output as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The sorted names in a directory.
pub fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs the program, which must succeed: what it says on stdout and on stderr.
pub fn succeed(directory: &Path, args: &[&str]) -> (String, String) {
    let output = finetune(directory, args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

/// The lines of a log.
pub fn steps(path: &Path) -> Vec<Value> {
    let lines = fs::read_to_string(path).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// One number of each line of a log.
pub fn numbers(steps: &[Value], name: &str) -> Vec<f64> {
    steps.iter().map(|step| step[name].as_f64().unwrap()).collect()
}

/// The most memory that a process has had so far, in KiB.
#[cfg(target_os = "linux")]
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Runs the program in `directory`, which must succeed; the most memory that it had, in KiB.
#[cfg(target_os = "linux")]
pub fn memory_of(directory: &Path, args: &[&str]) -> u64 {
    let mut command = Command::new(env!("CARGO_BIN_EXE_finetune"));
    command.current_dir(directory).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.args(args).spawn().unwrap();
    let mut most = 0;
    let status = loop {
        most = most.max(peak(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    assert!(status.success(), "{args:?}");
    most
}

/// How often a slow test repeats its rounds.
pub fn rounds(usual: usize) -> usize {
    std::env::var("STRESS_ROUNDS").map_or(usual, |rounds| rounds.parse().unwrap())
}

/// A model that can be read, and embeds.
pub fn assert_whole(model: &Path, what: &str) {
    let model = SentenceTransformer::open(model, &Device::flex());
    let model = model.unwrap_or_else(|error| panic!("{what}: {error}"));
    model.encode(&["the cat"]).unwrap();
}
