//! JSON Lines with the column names that sentence-transformers users have.
//!
//! | Columns | Rows |
//! | :-- | :-- |
//! | `sentence1`, `sentence2`, `score` | scored pairs |
//! | `sentence1`, `sentence2`, `label` | classified pairs (text, integer), or scores (decimal numbers) |
//! | `anchor`, `positive` | positive pairs |
//! | `anchor`, `positive`, `negative` (or `negative_1`, `negative_2` …) | triplets |
//! | the same and `label`: a number, or one for each negative | triplets with a teacher's margin |
//! | `text`, `label` | labelled texts |
//! | `text`, `label` or `embedding`: a list of numbers | texts with a teacher's embedding |

use std::path::Path;

use serde_json::{Map, Value};

use super::{Dataset, Pair, Ranking, ScoreRange, Sentence, TeacherTarget, required_text};
use crate::error::Error;

const ACCEPTED: &str = "expected the columns sentence1, sentence2, score (or label); \
                        anchor, positive (and negative); or text, label";

/// Reads rows of one kind: the first row decides which.
pub fn parse(path: &Path, text: &str, range: ScoreRange) -> Result<Dataset, Error> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if !line.trim().is_empty() {
            rows.push(Row::parse(path, index + 1, line)?);
        }
    }
    let labels_are_scores = rows.iter().any(|row| row.get("label").is_some_and(Value::is_f64));
    let mut data = Dataset::default();
    let Some(first) = rows.first() else {
        return Ok(data);
    };
    if first.has("sentence1") {
        let pairs = rows.iter().map(|row| row.pair(range, labels_are_scores));
        data.pairs = pairs.collect::<Result<_, _>>()?;
    } else if first.has("anchor") {
        data.rankings = rows.iter().map(Row::ranking).collect::<Result<_, _>>()?;
    } else if first.has("text") && first.get(first.teacher()).is_some_and(Value::is_array) {
        data.teacher_targets = rows.iter().map(Row::teacher_target).collect::<Result<_, _>>()?;
        same_width(path, &data.teacher_targets)?;
    } else if first.has("text") {
        data.sentences = rows.iter().map(Row::sentence).collect::<Result<_, _>>()?;
    } else {
        return Err(first.error(ACCEPTED));
    }
    Ok(data)
}

fn same_width(path: &Path, targets: &[TeacherTarget]) -> Result<(), Error> {
    let width = targets.first().map_or(0, |target| target.embedding.len());
    match targets.iter().find(|target| target.embedding.len() != width) {
        Some(target) => {
            let found = target.embedding.len();
            let reason = format!("the embedding has {found} numbers, the first row {width}");
            Err(Error::row(path, target.line, reason))
        }
        None => Ok(()),
    }
}

/// One line of the file.
struct Row<'a> {
    path: &'a Path,
    line: usize,
    columns: Map<String, Value>,
}

impl<'a> Row<'a> {
    fn parse(path: &'a Path, line: usize, text: &str) -> Result<Self, Error> {
        let columns = serde_json::from_str(text).map_err(|error| {
            let reason = format!("not a JSON object (column {}): {error}", error.column());
            Error::row(path, line, reason)
        })?;
        Ok(Self { path, line, columns })
    }

    fn get(&self, column: &str) -> Option<&Value> {
        self.columns.get(column).filter(|value| !value.is_null())
    }

    fn has(&self, column: &str) -> bool {
        self.get(column).is_some()
    }

    fn error(&self, reason: impl Into<String>) -> Error {
        Error::row(self.path, self.line, reason)
    }

    fn required(&self, column: &str) -> Result<&Value, Error> {
        let missing = || self.error(format!("the column `{column}` is missing"));
        self.get(column).ok_or_else(missing)
    }

    fn as_text(&self, column: &str, value: &Value) -> Result<String, Error> {
        match value.as_str() {
            Some(text) => required_text(self.path, self.line, column, text),
            None => Err(self.error(format!("`{column}` must be a text, found {value}"))),
        }
    }

    fn text(&self, column: &str) -> Result<String, Error> {
        self.as_text(column, self.required(column)?)
    }

    fn number(&self, column: &str, value: &Value) -> Result<f64, Error> {
        let not_one = || self.error(format!("`{column}` must be a number, found {value}"));
        value.as_f64().ok_or_else(not_one)
    }

    fn numbers(&self, column: &str, value: &Value) -> Result<Vec<f32>, Error> {
        let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        let numbers = list.iter().map(|value| Ok(self.number(column, value)? as f32));
        numbers.collect()
    }

    fn class(&self) -> Result<String, Error> {
        match self.required("label")? {
            Value::String(class) => required_text(self.path, self.line, "label", class),
            Value::Number(class) if !class.is_f64() => Ok(class.to_string()),
            Value::Bool(class) => Ok(u8::from(*class).to_string()),
            other => Err(self
                .error(format!("`label` must be a class (a text or an integer), found {other}"))),
        }
    }

    fn pair(&self, range: ScoreRange, labels_are_scores: bool) -> Result<Pair, Error> {
        let score_column = if labels_are_scores { "label" } else { "score" };
        let score = self.get(score_column).map(|value| {
            let score = self.number(score_column, value)?;
            range.scale(score).map_err(|reason| self.error(reason))
        });
        let class = (self.has("label") && !labels_are_scores).then(|| self.class());
        if score.is_none() && class.is_none() {
            return Err(self.error("the column `score` or `label` is missing"));
        }
        Ok(Pair {
            line: self.line,
            left: self.text("sentence1")?,
            right: self.text("sentence2")?,
            score: score.transpose()?,
            class: class.transpose()?,
        })
    }

    fn ranking(&self) -> Result<Ranking, Error> {
        let negatives = self.negatives()?;
        Ok(Ranking {
            line: self.line,
            anchor: self.text("anchor")?,
            positive: self.text("positive")?,
            margins: self.margins(negatives.len())?,
            negatives,
        })
    }

    /// As MarginMSELoss takes them: a margin for each negative, or the scores of the positive and
    /// of each negative, whose differences are the margins.
    fn margins(&self, negatives: usize) -> Result<Vec<f32>, Error> {
        let Some(label) = self.get("label").or_else(|| self.get("score")) else {
            return Ok(Vec::new());
        };
        let numbers = self.numbers("label", label)?;
        match numbers.len().checked_sub(negatives) {
            Some(0) => Ok(numbers),
            Some(1) if negatives > 0 => {
                let scores = numbers[1..].iter();
                Ok(scores.map(|score| numbers[0] - score).collect())
            }
            _ => {
                let found = numbers.len();
                let reason = format!("`label` has {found} numbers for {negatives} negatives");
                Err(self.error(reason))
            }
        }
    }

    fn negatives(&self) -> Result<Vec<String>, Error> {
        let numbered = (1..).map(|number| format!("negative_{number}"));
        let numbered = numbered.take_while(|column| self.has(column));
        let mut negatives = Vec::new();
        for column in ["negative".to_string()].into_iter().chain(numbered) {
            match self.get(&column) {
                Some(Value::Array(texts)) => {
                    for text in texts {
                        negatives.push(self.as_text(&column, text)?);
                    }
                }
                Some(text) => negatives.push(self.as_text(&column, text)?),
                None => {}
            }
        }
        Ok(negatives)
    }

    fn sentence(&self) -> Result<Sentence, Error> {
        Ok(Sentence { line: self.line, text: self.text("text")?, class: self.class()? })
    }

    /// The column of a teacher's embedding: `finetune encode` writes the second.
    fn teacher(&self) -> &'static str {
        if self.has("label") { "label" } else { "embedding" }
    }

    fn teacher_target(&self) -> Result<TeacherTarget, Error> {
        let column = self.teacher();
        let embedding = self.numbers(column, self.required(column)?)?;
        if embedding.is_empty() {
            return Err(self.error(format!("`{column}` is an empty list")));
        }
        Ok(TeacherTarget { line: self.line, text: self.text("text")?, embedding })
    }
}

#[cfg(test)]
mod tests;
