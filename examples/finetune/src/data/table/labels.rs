//! Scores and classes of a whole column: what a label means does not depend on its row.

use super::cell::{is_decimal, number};
use super::columns::{Columns, is_label, plain};
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
        let (score, class) = match (columns.score.as_deref(), columns.label.as_deref()) {
            (None, Some(label)) if are_scores(table, label, hints)? => (Some(label), None),
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

/// Whether labels are scores: one has decimals, or all are numbers and the training data has scores.
fn are_scores(table: &Table, column: &str, hints: Hints) -> Result<bool, Error> {
    let mut all = hints.training.is_some_and(|training| training.scale.is_some());
    for row in table.rows() {
        let row = row?;
        match row.get(column) {
            Some(cell) if is_decimal(cell) => return Ok(true),
            Some(cell) => all &= number(cell).is_some(),
            None => {}
        }
    }
    Ok(all)
}

/// The scale of a column of scores; `None` if it has none.
fn range(table: &Table, column: &str, hints: Hints) -> Result<Option<ScoreRange>, Error> {
    let named = table.named;
    let known = KNOWN.iter().find(|(name, _)| plain(column) == *name);
    let known = hints.range.or(known.map(|(_, range)| *range));
    // A file without a header has the scale of the one that it evaluates, or that of STS-B.
    let training = hints.training.filter(|training| !training.named && !named);
    let training = training.and_then(|training| training.scale);
    let usual = [ScoreRange::new(0.0, 1.0), ScoreRange::new(-1.0, 1.0)];
    let stsb = (!named).then_some(ScoreRange::new(0.0, 5.0));
    let mut fitting: Vec<_> = match training {
        Some(range) => vec![range],
        None => usual.into_iter().chain(stsb).collect(),
    };
    // A score beyond the usual scales, or the first.
    let (mut shown, mut beyond) = (None, false);
    for row in table.rows() {
        let row = row?;
        let Some(score) = row.number(column)? else {
            continue;
        };
        fitting.retain(|range| range.contains(score));
        let outside = !training.unwrap_or(usual[1]).contains(score);
        if shown.is_none() || (outside && !beyond) {
            shown = Some((row.place.clone(), score));
        }
        beyond |= outside;
    }
    let Some((place, score)) = shown else {
        return Ok(None);
    };
    let reason = || match training {
        Some(range) => format!(
            "score {score} is not on the scale of the training data, taken to be {range}: name the scale of \
             both, such as --score-range 0..5"
        ),
        None => {
            let classes = match is_label(column) {
                true => "; if these are classes, write them without decimals",
                false => "",
            };
            format!(
                "score {score} is outside -1..1, and nothing says which scale the file has: name it, \
                 such as --score-range 0..5{classes}"
            )
        }
    };
    let range = known.or(fitting.first().copied());
    range.map(Some).ok_or_else(|| place.error(reason()))
}
