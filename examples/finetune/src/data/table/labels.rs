//! Scores and classes of a whole column: what a label means does not depend on its row.

use super::cell::is_decimal;
use super::columns::Columns;
use super::{Hints, Row, Table};
use crate::data::ScoreRange;
use crate::error::Error;

/// The scale that some names of a column stand for.
const KNOWN: [(&str, ScoreRange); 1] = [("relatedness_score", ScoreRange::new(1.0, 5.0))];

/// The columns of scores and of classes of a table of pairs.
pub struct Labels<'a> {
    score: Option<&'a str>,
    class: Option<&'a str>,
    /// The scale of the scores, if there are any.
    pub range: Option<ScoreRange>,
}

impl<'a> Labels<'a> {
    /// Decides by all rows.
    pub fn of(table: &Table, columns: &'a Columns, hints: Hints) -> Result<Self, Error> {
        let label = columns.label.as_deref();
        let decimal = label.is_some_and(|label| {
            table.rows.iter().any(|row| row.get(label).is_some_and(is_decimal))
        });
        let (score, class) = match (columns.score.as_deref(), label) {
            (None, label) if decimal => (label, None),
            given => given,
        };
        let range = match score {
            Some(score) => range(table, score, hints)?,
            None => None,
        };
        Ok(Self { score, class, range })
    }

    /// The score of a row on the scale that losses use; `None` if it has none.
    pub fn score(&self, row: &Row) -> Result<Option<f32>, Error> {
        let (Some(column), Some(range)) = (self.score, self.range) else {
            return Ok(None);
        };
        let score = row.number(column)?.map(|score| range.scale(score));
        score.transpose().map_err(|reason| row.error(reason))
    }

    /// The class of a row; `None` if it has none.
    pub fn class(&self, row: &Row) -> Result<Option<String>, Error> {
        self.class.map_or(Ok(None), |column| row.class(column))
    }

    /// Whether the table has scores or classes.
    pub fn exist(&self) -> bool {
        self.score.is_some() || self.class.is_some()
    }
}

/// The scale of a column of scores; `None` if it has none.
fn range(table: &Table, column: &str, hints: Hints) -> Result<Option<ScoreRange>, Error> {
    let named = table.named;
    let mut scores = Vec::new();
    for row in &table.rows {
        if let Some(score) = row.number(column)? {
            scores.push((row, score));
        }
    }
    let within = |range: &ScoreRange| scores.iter().all(|(_, score)| range.contains(*score));
    let known = KNOWN.iter().find(|(name, _)| column.eq_ignore_ascii_case(name));
    let known = hints.range.or(known.map(|(_, range)| *range));
    // A file without a header has the scale of the one that it evaluates, or that of STS-B.
    let training = hints.training.filter(|training| !training.named && !named);
    let training = training.and_then(|training| training.scale).filter(within);
    let usual = [ScoreRange::new(0.0, 1.0), ScoreRange::new(-1.0, 1.0)];
    let stsb = (!named).then_some(ScoreRange::new(0.0, 5.0));
    let fitting = usual.into_iter().chain(stsb).find(within);
    let Some(range) = known.or(training).or(fitting) else {
        let (row, score) =
            scores.iter().find(|(_, score)| !usual[1].contains(*score)).unwrap_or(&scores[0]);
        let reason = format!(
            "score {score} is outside -1..1, and nothing says which scale the file has: name it, \
             such as --score-range 0..5"
        );
        return Err(row.error(reason));
    };
    Ok((!scores.is_empty()).then_some(range))
}
