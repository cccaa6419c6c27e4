//! The dashboard on a terminal that goes away.
#![cfg(all(target_os = "linux", feature = "dashboard"))]

mod common;

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::golden;
use tempfile::TempDir;

/// Under `nohup` the program outlives its terminal. `script` makes a terminal, which is gone when it is killed.
#[test]
fn a_terminal_that_is_closed_loses_no_model() {
    let directory = TempDir::new().unwrap();
    let run = format!(
        "trap '' HUP; exec {} --model {} --steps 1500 --epochs 1500 --batch-size 8 --out model \
         --log log --dashboard",
        env!("CARGO_BIN_EXE_finetune"),
        golden("bert").display()
    );
    let mut terminal = Command::new("script")
        .current_dir(directory.path())
        .args(["--quiet", "--command", &run, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let wait = |what: &str, condition: &dyn Fn() -> bool| {
        let start = Instant::now();
        while !condition() {
            assert!(start.elapsed() < Duration::from_secs(120), "{what}");
            sleep(Duration::from_millis(10));
        }
    };
    let log = directory.path().join("log");
    wait("no step", &|| fs::metadata(&log).is_ok_and(|log| log.len() > 0));
    // The dashboard is drawn four times a second.
    sleep(Duration::from_millis(600));
    terminal.kill().unwrap();
    terminal.wait().unwrap();
    let model = directory.path().join("model");
    assert!(!model.exists(), "the run ended before its terminal");
    wait("the model is lost", &|| model.join("training.json").exists());
    let steps = fs::read_to_string(&log).unwrap();
    assert_eq!(steps.lines().count(), 1500);
}
