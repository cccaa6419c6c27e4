//! Files are read row by row: memory holds what is used of a row, not the file.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use finetune::data::{self, Dataset, Format, Hints};

const ROWS: usize = 10_000;

/// The most memory that this process has held so far, in bytes.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

/// Writes rows of which a long column is not used.
fn write(path: &Path, [start, end]: [&str; 2], row: impl Fn(usize, &str) -> String) -> usize {
    let note = "a long note ".repeat(400);
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(start.as_bytes()).unwrap();
    (0..ROWS).for_each(|number| writeln!(file, "{}", row(number, &note)).unwrap());
    file.write_all(end.as_bytes()).unwrap();
    file.flush().unwrap();
    drop(file);
    fs::metadata(path).unwrap().len() as usize
}

fn read(path: &Path) -> Dataset {
    data::read(&[path.to_path_buf()], None::<Format>, Hints::default()).unwrap()
}

#[test]
fn a_file_is_not_held_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    let [csv, jsonl, json] = ["a.csv", "a.jsonl", "a.json"].map(|name| directory.path().join(name));
    let size = write(&csv, ["anchor,note,positive\n", ""], |row, note| {
        format!("question {row},\"{note}\n\",answer {row}")
    });
    let object = |row: usize, note: &str| {
        let (anchor, positive) = (format!("question {row}"), format!("answer {row}"));
        serde_json::json!({ "anchor": anchor, "note": note, "positive": positive }).to_string()
    };
    write(&jsonl, ["", ""], object);
    write(&json, ["[", "]"], |row, note| {
        let comma = if row == 0 { "" } else { "," };
        format!("{comma}{}", object(row, note))
    });
    let before = peak();
    let files = [(&csv, 2 * ROWS), (&jsonl, ROWS), (&json, ROWS)];
    let read = files.map(|(path, last)| (read(path), last));
    let grown = peak() - before;
    assert!(grown < size / 4, "{grown} bytes more for files of {size}");
    for (data, last) in read {
        assert_eq!(data.rankings.len(), ROWS);
        let row = &data.rankings[ROWS - 1];
        let texts = [row.anchor, row.positive].map(|text| data.text(text).unwrap());
        assert_eq!(texts, ["question 9999", "answer 9999"]);
        assert_eq!(row.place.line, last);
    }
}
