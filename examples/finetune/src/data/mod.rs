//! Training and evaluation data: five kinds of rows, whatever file they come from.

pub mod csv;
pub mod derive;
pub mod jsonl;
mod scale;
pub mod trec;
pub mod tsv;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

pub use scale::ScoreRange;

use crate::error::Error;

/// Two texts with how similar they are, or how they relate.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The line in the file, counted from one.
    pub line: usize,
    /// The first text.
    pub left: String,
    /// The second text.
    pub right: String,
    /// Similarity, scaled to `0..=1`.
    pub score: Option<f32>,
    /// The class of the pair, such as `ENTAILMENT`, or `0` and `1`.
    pub class: Option<String>,
}

/// A text, one that belongs to it, and any number that do not.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// The line in the file, counted from one.
    pub line: usize,
    /// The query or anchor.
    pub anchor: String,
    /// The text that belongs to the anchor.
    pub positive: String,
    /// Texts that do not belong to it.
    pub negatives: Vec<String>,
    /// For each negative, by how much the positive should score higher; or empty.
    pub margins: Vec<f32>,
}

/// A text of a known class.
#[derive(Debug, Clone, PartialEq)]
pub struct Sentence {
    /// The line in the file, counted from one.
    pub line: usize,
    /// The text.
    pub text: String,
    /// Its class.
    pub class: String,
}

/// A text with the embedding that a teacher gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// The line in the file, counted from one.
    pub line: usize,
    /// The text.
    pub text: String,
    /// The teacher's embedding.
    pub embedding: Vec<f32>,
}

/// All rows of one source. A file fills one kind, the built-in corpus all but bare texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dataset {
    /// The file, for messages.
    pub path: PathBuf,
    /// Two texts with a score or a class.
    pub pairs: Vec<Pair>,
    /// Anchor, positive, negatives.
    pub rankings: Vec<Ranking>,
    /// Texts of known classes.
    pub sentences: Vec<Sentence>,
    /// Texts with a teacher's embedding.
    pub lessons: Vec<Lesson>,
    /// Texts of which nothing else is known.
    pub bare: Vec<String>,
}

/// The file formats that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// As STS-B: sentence, sentence, similarity 0 to 5; quoted, no header needed.
    Csv,
    /// As SICK: a header with sentence_A, sentence_B, relatedness_score, entailment_judgment.
    Tsv,
    /// As TREC: a class from 0 to 5, a space, a question.
    Trec,
    /// One JSON object a line, with the column names of sentence-transformers.
    Jsonl,
    /// One text a line; empty lines are skipped.
    Lines,
}

impl Format {
    /// The format that a file's extension stands for.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "tsv" => Some(Self::Tsv),
            "txt" => Some(Self::Trec),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            _ => None,
        }
    }

    /// The scale of a file's scores where the user gives none.
    fn score_range(self) -> ScoreRange {
        match self {
            Self::Csv => ScoreRange::new(0.0, 5.0),
            Self::Tsv => ScoreRange::new(1.0, 5.0),
            Self::Trec | Self::Jsonl | Self::Lines => ScoreRange::new(0.0, 1.0),
        }
    }
}

/// Reads a file in `format`, or in the one its extension stands for.
pub fn read(
    path: &Path,
    format: Option<Format>,
    score_range: Option<ScoreRange>,
) -> Result<Dataset, Error> {
    let format = format.or_else(|| Format::of(path)).ok_or_else(|| {
        let reason = "the extension names no format: rename it to .csv, .tsv, .txt or .jsonl, \
                      or say --format (for --eval: --eval-format)";
        Error::read(path, reason)
    })?;
    let bytes = std::fs::read(path).map_err(|error| Error::read(path, error))?;
    parse(path, &bytes, format, score_range)
}

/// Reads rows from the bytes of a file.
pub fn parse(
    path: &Path,
    bytes: &[u8],
    format: Format,
    score_range: Option<ScoreRange>,
) -> Result<Dataset, Error> {
    let text = utf8(path, bytes)?;
    let range = score_range.unwrap_or(format.score_range());
    let mut data = match format {
        Format::Csv => csv::parse(path, text, range)?,
        Format::Tsv => tsv::parse(path, text, range)?,
        Format::Trec => trec::parse(path, text)?,
        Format::Jsonl => jsonl::parse(path, text, range)?,
        Format::Lines => Dataset { bare: bare_texts(text), ..Dataset::default() },
    };
    data.path = path.to_path_buf();
    if data.rows() == 0 {
        return Err(Error::read(path, "it has no rows"));
    }
    Ok(data)
}

/// The lines of a text file, one text each; a text may be empty.
pub fn lines(path: &Path) -> Result<Vec<String>, Error> {
    let bytes = std::fs::read(path).map_err(|error| Error::read(path, error))?;
    let lines: Vec<_> = utf8(path, &bytes)?.lines().map(String::from).collect();
    if lines.is_empty() {
        return Err(Error::read(path, "it has no lines"));
    }
    Ok(lines)
}

fn bare_texts(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(String::from).collect()
}

fn utf8<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, Error> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        Error::row(path, line, "not UTF-8: convert the file to UTF-8 first")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// A text column of a row: trimmed, and never empty.
fn required_text(path: &Path, line: usize, column: &str, text: &str) -> Result<String, Error> {
    match text.trim() {
        "" => Err(Error::row(path, line, format!("`{column}` is empty"))),
        text => Ok(text.to_string()),
    }
}

impl Dataset {
    /// The number of rows of all kinds.
    pub fn rows(&self) -> usize {
        let labelled = self.sentences.len() + self.lessons.len();
        self.pairs.len() + self.rankings.len() + labelled + self.bare.len()
    }

    /// Whether it says of any text what it means.
    pub fn tells_something(&self) -> bool {
        self.rows() > self.bare.len()
    }

    /// A number that other rows are unlikely to give.
    pub fn fingerprint(&self) -> String {
        let mut hasher = DefaultHasher::new();
        format!("{self:?}").hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// How messages call it.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// What it holds, in words.
    pub fn contents(&self) -> String {
        let scored = self.pairs.iter().filter(|pair| pair.score.is_some()).count();
        let classified = self.pairs.iter().filter(|pair| pair.class.is_some()).count();
        let triplets = self.rankings.iter().filter(|row| !row.negatives.is_empty()).count();
        let counted = [
            (scored, "scored pairs"),
            (classified, "classified pairs"),
            (triplets, "triplets"),
            (self.rankings.len() - triplets, "positive pairs"),
            (self.sentences.len(), "labelled texts"),
            (self.lessons.len(), "texts with a teacher's embedding"),
            (self.bare.len(), "texts"),
        ];
        let parts = counted.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<_> = parts.map(|(count, what)| format!("{count} {what}")).collect();
        parts.join(", ")
    }

    /// Every text, in the order of the rows.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let pairs = self.pairs.iter().flat_map(|row| [row.left.as_str(), &row.right]);
        let rankings = self.rankings.iter().flat_map(|row| {
            let negatives = row.negatives.iter().map(String::as_str);
            [row.anchor.as_str(), &row.positive].into_iter().chain(negatives)
        });
        let sentences = self.sentences.iter().map(|row| row.text.as_str());
        let lessons = self.lessons.iter().map(|row| row.text.as_str());
        let bare = self.bare.iter().map(String::as_str);
        pairs.chain(rankings).chain(sentences).chain(lessons).chain(bare)
    }

    /// At most `rows` rows of each kind, drawn with `rng`, in their order.
    pub fn sample(mut self, rows: usize, rng: &mut StdRng) -> Self {
        draw(&mut self.pairs, rows, rng);
        draw(&mut self.rankings, rows, rng);
        draw(&mut self.sentences, rows, rng);
        draw(&mut self.lessons, rows, rng);
        draw(&mut self.bare, rows, rng);
        self
    }

    /// Takes a share of each kind of row out, drawn with `rng`: what remains, what was taken.
    pub fn hold_out(mut self, share: f64, rng: &mut StdRng) -> (Self, Self) {
        let held = Self {
            path: PathBuf::from(format!("{} (held-out rows)", self.name())),
            pairs: split(&mut self.pairs, share, rng),
            rankings: split(&mut self.rankings, share, rng),
            sentences: split(&mut self.sentences, share, rng),
            lessons: split(&mut self.lessons, share, rng),
            bare: split(&mut self.bare, share, rng),
        };
        (self, held)
    }
}

/// Leaves at most `limit` rows, in their order.
fn draw<T>(rows: &mut Vec<T>, limit: usize, rng: &mut StdRng) {
    let surplus = rows.len().saturating_sub(limit);
    take(rows, surplus, rng);
}

/// Takes a share of the rows out; both parts keep their order.
fn split<T>(rows: &mut Vec<T>, share: f64, rng: &mut StdRng) -> Vec<T> {
    let count = (rows.len() as f64 * share).round() as usize;
    take(rows, count, rng)
}

fn take<T>(rows: &mut Vec<T>, count: usize, rng: &mut StdRng) -> Vec<T> {
    let mut taken: Vec<bool> = (0..rows.len()).map(|index| index < count).collect();
    taken.shuffle(rng);
    let mut taken = taken.into_iter();
    rows.extract_if(.., |_| taken.next() == Some(true)).collect()
}
