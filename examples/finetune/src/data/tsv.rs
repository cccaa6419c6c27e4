//! SICK style TSV: a header, then two sentences, a relatedness score and an entailment class.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

use super::csv::{broken, line_of};
use super::{Dataset, Pair, ScoreRange, required_text};
use crate::error::Error;

/// The places of the columns that are read, from the header.
struct Columns {
    left: usize,
    right: usize,
    score: Option<usize>,
    class: Option<usize>,
}

impl Columns {
    fn of(path: &Path, header: &StringRecord) -> Result<Self, Error> {
        let find = |names: &[&str]| {
            let named = |name: &str| names.iter().any(|it| it.eq_ignore_ascii_case(name.trim()));
            header.iter().position(named)
        };
        let left = find(&["sentence_A"]);
        let right = find(&["sentence_B"]);
        let score = find(&["relatedness_score"]);
        let class = find(&["entailment_judgment", "entailment_label"]);
        match (left, right) {
            (Some(left), Some(right)) if score.is_some() || class.is_some() => {
                Ok(Self { left, right, score, class })
            }
            _ => {
                let reason = "the header needs the columns sentence_A, sentence_B and at least \
                              one of relatedness_score and entailment_judgment";
                Err(Error::row(path, 1, reason))
            }
        }
    }
}

/// Reads scored and classified pairs.
pub fn parse(path: &Path, text: &str, range: ScoreRange) -> Result<Dataset, Error> {
    let mut reader =
        ReaderBuilder::new().delimiter(b'\t').quoting(false).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| broken(path, text, &error))?;
    let mut data = Dataset::default();
    if header.is_empty() {
        return Ok(data);
    }
    let columns = Columns::of(path, &header.clone())?;
    for record in reader.records() {
        let record = record.map_err(|error| broken(path, text, &error))?;
        data.pairs.push(pair(path, line_of(text, record.position()), &record, &columns, range)?);
    }
    Ok(data)
}

fn pair(
    path: &Path,
    line: usize,
    record: &StringRecord,
    columns: &Columns,
    range: ScoreRange,
) -> Result<Pair, Error> {
    let column = |index: usize| record.get(index).unwrap_or_default();
    let score = columns.score.map(|index| range.parse(column(index)));
    let score = score.transpose().map_err(|reason| Error::row(path, line, reason))?;
    let class =
        columns.class.map(|index| required_text(path, line, "entailment_judgment", column(index)));
    Ok(Pair {
        line,
        left: required_text(path, line, "sentence_A", column(columns.left))?,
        right: required_text(path, line, "sentence_B", column(columns.right))?,
        score,
        class: class.transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "pair_ID\tsentence_A\tsentence_B\trelatedness_score\tentailment_judgment\n";

    fn read(text: &str) -> Result<Dataset, Error> {
        parse(Path::new("sick.tsv"), text, ScoreRange::new(1.0, 5.0))
    }

    #[test]
    fn columns_are_found_by_name() {
        let data = read(&format!("{HEADER}7\tA \"dog\" runs\tA dog is running\t4\tENTAILMENT\n"));
        let pair = &data.unwrap().pairs[0];
        assert_eq!(pair.left, "A \"dog\" runs");
        assert_eq!(pair.score, Some(0.75));
        assert_eq!(pair.class.as_deref(), Some("ENTAILMENT"));
        assert_eq!(pair.line, 2);
    }

    #[test]
    fn broken_rows_name_their_line() {
        for (rows, message) in [
            ("1\ta\tb\t6\tNEUTRAL\n", "sick.tsv:2: score 6 is outside 1..5"),
            ("1\ta\tb\t2\t\n", "sick.tsv:2: `entailment_judgment` is empty"),
            ("1\ta\tb\t2\tNEUTRAL\n2\ta\n", "sick.tsv:3: "),
        ] {
            let error = read(&format!("{HEADER}{rows}")).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn a_header_without_the_columns_is_refused() {
        let error = read("a\tb\tc\nx\ty\t1\n").unwrap_err().to_string();
        assert!(error.starts_with("sick.tsv:1: the header needs"), "{error}");
    }
}
