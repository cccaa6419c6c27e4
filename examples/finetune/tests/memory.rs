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
fn write(path: &Path, header: &str, row: impl Fn(usize, &str) -> String) -> usize {
    let note = "a long note ".repeat(400);
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(header.as_bytes()).unwrap();
    (0..ROWS).for_each(|number| writeln!(file, "{}", row(number, &note)).unwrap());
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
    let [csv, jsonl] = ["a.csv", "a.jsonl"].map(|name| directory.path().join(name));
    let size = write(&csv, "anchor,note,positive\n", |row, note| {
        format!("question {row},\"{note}\n\",answer {row}")
    });
    write(&jsonl, "", |row, note| {
        let (anchor, positive) = (format!("question {row}"), format!("answer {row}"));
        serde_json::json!({ "anchor": anchor, "note": note, "positive": positive }).to_string()
    });
    let before = peak();
    let (csv, jsonl) = (read(&csv), read(&jsonl));
    let grown = peak() - before;
    assert!(grown < size / 4, "{grown} bytes more for files of {size}");
    for (data, last) in [(&csv, 2 * ROWS), (&jsonl, ROWS)] {
        assert_eq!(data.rankings.len(), ROWS);
        let row = &data.rankings[ROWS - 1];
        assert_eq!((&row.anchor[..], &row.positive[..]), ("question 9999", "answer 9999"));
        assert_eq!(row.place.line, last);
    }
}
