//! Texts that are too large for memory are in a temporary file while a run trains on them.

mod common;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use burn::tensor::Device;
use common::numbers;
use finetune::data::{self, Format, Hints, Spill};
use finetune::report::console::Console;
use finetune::report::log::Log;
use finetune::run::objective::Choice;
use finetune::run::schedule::Schedule;
use finetune::run::session::Session;
use tempfile::TempDir;

/// Trains on the file `data`, with texts in memory or not; the losses.
fn losses(directory: &Path, loss: &str, spill: Option<Spill>) -> Vec<f64> {
    let read = |name: &str| {
        let hints = Hints { spill, ..Hints::default() };
        data::read(&[directory.join(name)], None::<Format>, hints).unwrap()
    };
    let (training, evaluation) = (read("train.jsonl"), read("dev.jsonl"));
    let log = directory.join("log");
    let session = Session {
        training: &training,
        evaluation: &evaluation,
        schedule: Schedule { epochs: 2, batch_size: 8, seed: 3, ..Schedule::default() },
        device: Device::flex(),
        more_devices: Vec::new(),
        checkpoints: None,
        resume: false,
        log: Some(Log::new(&log, false).unwrap()),
        guide: None,
    };
    let (start, _) = session.from_scratch().unwrap();
    let choice = Choice::new(loss, "{}").unwrap();
    session.run(start, &choice, &Console::silent()).unwrap();
    numbers(&common::steps(&log), "loss")
}

#[test]
fn losses_are_the_same_as_with_texts_in_memory() {
    let directory = TempDir::new().unwrap();
    let pair = |number: usize| {
        let (a, b) = (number % 7, number % 11);
        format!("{{\"anchor\":\"kite {number} of {a}\",\"positive\":\"hawk {number} of {b}\"}}\n")
    };
    let taught = |number: usize| {
        let embedding = [number as f32 / 80.0, -0.5, (number % 3) as f32];
        format!("{{\"text\":\"kite {number}\",\"embedding\":{embedding:?}}}\n")
    };
    type Line<'a> = &'a dyn Fn(usize) -> String;
    let write = |name: &str, rows: std::ops::Range<usize>, line: Line| {
        fs::write(directory.path().join(name), rows.map(line).collect::<String>()).unwrap();
    };
    let spill = Spill { directory: directory.path(), above: 0 };
    let losses_of: [(&str, Line); 3] = [
        ("MultipleNegativesRankingLoss", &pair),
        ("MegaBatchMarginLoss", &pair),
        ("MSELoss", &taught),
    ];
    for (loss, line) in losses_of {
        write("train.jsonl", 0..60, line);
        write("dev.jsonl", 60..80, line);
        let expected = losses(directory.path(), loss, None);
        assert!(expected.len() >= 14 && expected[0] != expected[13], "{expected:?}");
        assert_eq!(losses(directory.path(), loss, Some(spill)), expected);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_does_not_hold_the_texts_of_a_large_file() {
    let directory = TempDir::new().unwrap();
    let words = "the cat sits on the mat. ".repeat(4000);
    let write = |name: &str, rows: usize| {
        let mut file = BufWriter::new(File::create(directory.path().join(name)).unwrap());
        for row in 0..rows {
            writeln!(file, "{{\"anchor\":\"{row} {words}\",\"positive\":\"{row}. {words}\"}}")
                .unwrap();
        }
        file.flush().unwrap();
    };
    write("small.jsonl", 20);
    write("large.jsonl", 1200);
    let model = common::golden("bert");
    let peak = |data: &str| {
        let args = ["--data", data, "--out", "out", "--model", model.to_str().unwrap()];
        let more =
            ["--loss", "MultipleNegativesRankingLoss", "--steps", "2", "--no-report", "--force"];
        common::memory_of(directory.path(), &[&args[..], &more].concat())
    };
    let (small, large) = (peak("small.jsonl"), peak("large.jsonl"));
    // The large file has 234,000 KiB, of which 65,536 may be in memory before the others are written.
    assert!(large < small + 150_000, "{small} KiB, then {large} KiB");
    assert_eq!(common::names(directory.path()), ["large.jsonl", "out", "small.jsonl"]);
}
