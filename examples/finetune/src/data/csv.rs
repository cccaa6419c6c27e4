//! STS-B style CSV: two sentences and a similarity from 0 to 5, quoted, with or without a header.

use std::path::Path;

use csv::{Error as CsvError, ReaderBuilder, StringRecord};

use super::{Dataset, Pair, ScoreRange, required_text};
use crate::error::Error;

/// Reads scored pairs.
pub fn parse(path: &Path, text: &str, range: ScoreRange) -> Result<Dataset, Error> {
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut data = Dataset::default();
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|error| broken(path, text, &error))?;
        if index > 0 || !is_header(&record) {
            data.pairs.push(pair(path, line_of(text, record.position()), &record, range)?);
        }
    }
    Ok(data)
}

fn is_header(record: &StringRecord) -> bool {
    let third = record.get(2).unwrap_or_default().trim();
    ["score", "label", "similarity"].contains(&third.to_ascii_lowercase().as_str())
}

fn pair(path: &Path, line: usize, record: &StringRecord, range: ScoreRange) -> Result<Pair, Error> {
    let [left, right, score] = [record.get(0), record.get(1), record.get(2)];
    let (Some(left), Some(right), Some(score), 3) = (left, right, score, record.len()) else {
        let reason =
            format!("expected 3 columns (sentence, sentence, score), found {}", record.len());
        return Err(Error::row(path, line, reason));
    };
    let score = range.parse(score).map_err(|reason| Error::row(path, line, reason))?;
    Ok(Pair {
        line,
        left: required_text(path, line, "sentence1", left)?,
        right: required_text(path, line, "sentence2", right)?,
        score: Some(score),
        class: None,
    })
}

/// The error of a row that the CSV reader could not split into columns.
pub(super) fn broken(path: &Path, text: &str, error: &CsvError) -> Error {
    Error::row(path, line_of(text, error.position()), error.to_string())
}

/// The line of a record, counted from one. The reader's own position is where the record before
/// ended: line breaks in between, as in blank lines, are still to be counted.
pub(super) fn line_of(text: &str, position: Option<&csv::Position>) -> usize {
    let Some(position) = position else {
        return 1;
    };
    let rest = text.as_bytes().get(position.byte() as usize..).unwrap_or_default();
    let breaks = rest.iter().take_while(|byte| b"\r\n".contains(byte));
    position.line() as usize + breaks.filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Dataset, Error> {
        parse(Path::new("pairs.csv"), text, ScoreRange::new(0.0, 5.0))
    }

    #[test]
    fn quoted_sentences_and_scores_are_read() {
        let text = "\"Rain, again.\",It rains.,4.0\nA \"\"b\"\" c,d,0\n";
        let data = read(text).unwrap();
        assert_eq!(data.pairs[0].left, "Rain, again.");
        assert_eq!(data.pairs[0].score, Some(0.8));
        assert_eq!(data.pairs[1].line, 2);
    }

    #[test]
    fn a_header_is_skipped() {
        let data = read("sentence1,sentence2,score\na,b,2.5\n").unwrap();
        assert_eq!(data.pairs.len(), 1);
        assert_eq!(data.pairs[0].line, 2);
    }

    #[test]
    fn a_line_break_inside_quotes_keeps_later_line_numbers_right() {
        let error = read("\"two\nlines\",b,1\nonly,two\n").unwrap_err();
        assert!(error.to_string().starts_with("pairs.csv:3: expected 3 columns"));
    }

    #[test]
    fn broken_rows_name_their_line() {
        for (text, message) in [
            ("a,b,1\na,b,5.5\n", "pairs.csv:2: score 5.5 is outside 0..5"),
            ("a,b,high\n", "pairs.csv:1: `high` is not a score"),
            ("a,b,1\n\n ,b,1\n", "pairs.csv:3: `sentence1` is empty"),
            ("a,b,1\r\n\r\na,b,6\r\n", "pairs.csv:3: score 6"),
            ("a,b,1,extra\n", "pairs.csv:1: expected 3 columns"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
