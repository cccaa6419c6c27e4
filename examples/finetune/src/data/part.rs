//! What one file holds, before the files of a data set are put together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::contents::Contents;
use super::table::{Hints, Table, delimited, json, parquet};
use super::texts::Collector;
use super::{Dataset, Format, Sentence, trec};
use crate::error::Error;

/// The rows of a file. Those of a table get their meaning when all files are known.
pub enum Part {
    /// Rows of named columns.
    Table(Table),
    /// Files of texts with a class, and the number of their rows.
    Sentences(Vec<Contents>, usize),
    /// Files of texts, and the number of these.
    Bare(Vec<Contents>, usize),
}

impl Part {
    /// The rows of a text file; at least one.
    pub fn parse(contents: Contents, format: Format, hints: Hints) -> Result<Self, Error> {
        let file = contents.path().clone();
        if contents.first_line()?.is_none() {
            return Err(Error::read(&file, "it is empty"));
        }
        let part = match format {
            Format::Csv => Self::Table(delimited::parse(contents, b',', hints.columns)?),
            Format::Tsv => Self::Table(delimited::parse(contents, b'\t', hints.columns)?),
            Format::Jsonl => Self::Table(json::parse(contents)?),
            Format::Trec => {
                let rows = count(trec::rows(&contents)?)?;
                Self::Sentences(vec![contents], rows)
            }
            Format::Lines => {
                let rows = count(bare_texts(&contents)?)?;
                Self::Bare(vec![contents], rows)
            }
        };
        part.not_empty(&file)
    }

    /// The rows of a Parquet file; at least one.
    pub fn of_parquet(contents: Contents) -> Result<Self, Error> {
        let file = contents.path().clone();
        Self::Table(parquet::parse(contents)?).not_empty(&file)
    }

    fn not_empty(self, file: &Path) -> Result<Self, Error> {
        if self.rows() > 0 {
            return Ok(self);
        }
        let reason = match &self {
            Self::Table(table) if !table.names.is_empty() => {
                format!("it names its columns ({}), but has no rows below", table.names.join(", "))
            }
            _ => "it has no rows".to_string(),
        };
        Err(Error::read(file, reason))
    }

    fn rows(&self) -> usize {
        match self {
            Self::Table(table) => table.count,
            Self::Sentences(_, rows) | Self::Bare(_, rows) => *rows,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Table(_) => "rows of named columns",
            Self::Sentences(..) => "questions with a class, as TREC",
            Self::Bare(..) => "bare lines",
        }
    }

    /// Adds the rows of another file, which must be of the same kind.
    fn append(&mut self, other: Self, [first, file]: [&Path; 2]) -> Result<(), Error> {
        match (self, other) {
            (Self::Table(rows), Self::Table(more)) => rows.append(more, [first, file])?,
            (Self::Sentences(files, rows), Self::Sentences(others, more))
            | (Self::Bare(files, rows), Self::Bare(others, more)) => {
                files.extend(others);
                *rows += more;
            }
            (rows, more) => {
                let (first, has, other) = (first.display(), rows.kind(), more.kind());
                let reason = format!(
                    "it holds {other}, while {first} holds {has}; files that are read together must be alike"
                );
                return Err(Error::read(file, reason));
            }
        }
        Ok(())
    }

    fn interpret(self, hints: Hints, texts: &mut Collector) -> Result<Dataset, Error> {
        let mut data = Dataset::default();
        match self {
            Self::Table(table) => return table.interpret(hints, texts),
            Self::Sentences(files, _) => {
                data.notes.push("each line is read as a class and a text, as in TREC".to_string());
                for file in files {
                    for row in trec::rows(&file)? {
                        let (place, class, text) = row?;
                        data.sentences.push(Sentence { place, text: texts.add(&text)?, class });
                    }
                }
            }
            Self::Bare(files, _) => {
                for file in files {
                    for text in bare_texts(&file)? {
                        data.bare.push(texts.add(&text?)?);
                    }
                }
            }
        }
        Ok(data)
    }
}

/// The data set that several files are together, called `name`. What their scores and labels mean is decided
/// by all of their rows.
pub fn together(
    name: PathBuf,
    parts: impl IntoIterator<Item = Result<(PathBuf, Part), Error>>,
    hints: Hints,
) -> Result<Dataset, Error> {
    let mut texts = Collector::new(hints.spill);
    let data = together_with(name, parts, hints, &mut texts)?;
    Ok(Dataset { texts: Arc::new(texts.finish()?), ..data })
}

/// The same, with the texts among others.
pub fn together_with(
    name: PathBuf,
    parts: impl IntoIterator<Item = Result<(PathBuf, Part), Error>>,
    hints: Hints,
    texts: &mut Collector,
) -> Result<Dataset, Error> {
    let mut parts = parts.into_iter();
    let (first, mut whole) =
        parts.next().unwrap_or_else(|| Err(Error::read(&name, "no file is named")))?;
    for part in parts {
        let (file, part) = part?;
        whole.append(part, [&first, &file])?;
    }
    let data = Dataset { path: name, ..whole.interpret(hints, texts)? };
    if data.rows() == 0 {
        return Err(Error::read(
            &data.path,
            format!("it has no rows to use: {}", data.notes.join("; ")),
        ));
    }
    Ok(data)
}

fn bare_texts(contents: &Contents) -> Result<impl Iterator<Item = Result<String, Error>>, Error> {
    let lines = contents.lines()?;
    let texts = lines.map(|line| line.map(|(_, line)| line));
    Ok(texts.filter(|text| text.as_ref().map_or(true, |text| !text.trim().is_empty())))
}

/// The number of rows, each of which can be read.
fn count<T>(rows: impl Iterator<Item = Result<T, Error>>) -> Result<usize, Error> {
    rows.map(|row| row.map(|_| 1)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Ranking, ScoreRange};

    /// Reads files of these names and texts as one data set.
    fn read(files: &[(&str, &str)]) -> Result<Dataset, String> {
        let part = |(name, text): &(&str, &str)| {
            let file = PathBuf::from(name);
            let format = Format::of(&file).unwrap();
            let contents = Contents::of_bytes(&file, text.as_bytes());
            Ok((file, Part::parse(contents, format, Hints::default())?))
        };
        let data = together("all".into(), files.iter().map(part), Hints::default());
        data.map_err(|error| error.to_string())
    }

    #[test]
    fn scores_and_labels_mean_the_same_in_all_files() {
        let data = read(&[("a.csv", "a,b,0.5\n"), ("b.csv", "c,d,5\n"), ("c.tsv", "e\tf\t1\n")]);
        let data = data.unwrap();
        assert_eq!(data.scale, Some(ScoreRange::new(0.0, 5.0)));
        let texts = data.pairs.iter().map(|pair| data.text(pair.left).unwrap());
        assert_eq!(texts.collect::<Vec<_>>(), ["a", "c", "e"]);
        let scores: Vec<_> = data.pairs.iter().map(|pair| pair.score).collect();
        assert_eq!(scores, [Some(0.1), Some(1.0), Some(0.2)]);
        assert_eq!(data.notes.len(), 2, "{:?}", data.notes);
        // Labels with a decimal point in one file are scores in the others, too.
        let header = "sentence1,sentence2,label\n";
        let [a, b] = ["a,b,1\n", "c,d,0.5\n"].map(|row| format!("{header}{row}"));
        let data = read(&[("a.csv", &a), ("b.csv", &b)]).unwrap();
        let scores: Vec<_> = data.pairs.iter().map(|pair| pair.score).collect();
        assert_eq!(scores, [Some(1.0), Some(0.5)]);
        assert!(data.pairs.iter().all(|pair| pair.class.is_none()));
    }

    #[test]
    fn columns_may_come_in_another_order_and_format() {
        let files = [
            ("a.csv", "anchor,positive\na,b\n"),
            ("b.tsv", "positive\tanchor\nd\tc\n"),
            ("c.jsonl", r#"["e","f"]"#),
        ];
        let data = read(&files).unwrap();
        let texts = |row: &Ranking| [row.anchor, row.positive].map(|text| data.text(text).unwrap());
        let rows: Vec<_> = data.rankings.iter().map(texts).collect();
        assert_eq!(rows, [["a", "b"], ["c", "d"], ["e", "f"]]);
        let questions = [("a.txt", "1 a\n2 b\n"), ("b.txt", "DESC:manner c\n")];
        let classes = read(&questions).unwrap().sentences.into_iter().map(|row| row.class);
        assert_eq!(classes.collect::<Vec<_>>(), ["1", "2", "DESC:manner"]);
    }

    #[test]
    fn an_error_names_the_file_of_its_row() {
        let scored = "sentence1,sentence2,score\na,b,0.5\n";
        let pairs = "sentence1,sentence2,label\na,b,0\n";
        for (first, second, message) in [
            (scored, "sentence1,sentence2,score\na,b,1\nc,d,7\n", "b.csv:3: score 7 is outside"),
            (scored, "sentence1,sentence2,score\na,,1\n", "b.csv:2: `sentence2` is empty"),
            (scored, "sentence1,sentence2,score\na\n", "b.csv:2: expected 3 columns"),
            (scored, "\n", "cannot read b.csv: it is empty"),
            (
                scored,
                "sentence1,sentence2,score\n",
                "cannot read b.csv: it names its columns (sentence1, sentence2, score), but",
            ),
            (
                scored,
                pairs,
                "cannot read b.csv: its columns are not those of a.csv: it lacks `score` and has `label`",
            ),
            (
                pairs,
                "sentence1,sentence2,label,id,to\na,b,0,7,8\n",
                "cannot read b.csv: its columns are not those of a.csv: it has `id`, `to`",
            ),
            (
                scored,
                "a,b,1\n",
                "cannot read b.csv: a.csv names its columns in a header, this file",
            ),
            ("a,b,1\n", scored, "cannot read b.csv: it names its columns in a header, a.csv does"),
        ] {
            let error = read(&[("a.csv", first), ("b.csv", second)]).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
        let error = read(&[("a.csv", scored), ("b.txt", "1 a\n")]).unwrap_err();
        assert!(error.starts_with("cannot read b.txt: it holds questions with a class"), "{error}");
        assert!(error.contains("while a.csv holds rows of named columns"), "{error}");
    }
}
