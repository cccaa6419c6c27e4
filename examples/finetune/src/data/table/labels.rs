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
        let (score, class) = match (columns.score.as_deref(), columns.label.as_deref()) {
            (None, Some(label)) if has_decimals(table, label)? => (Some(label), None),
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

fn has_decimals(table: &Table, column: &str) -> Result<bool, Error> {
    for row in table.rows() {
        if row?.get(column).is_some_and(is_decimal) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The scale of a column of scores; `None` if it has none.
fn range(table: &Table, column: &str, hints: Hints) -> Result<Option<ScoreRange>, Error> {
    let named = table.named;
    let known = KNOWN.iter().find(|(name, _)| column.eq_ignore_ascii_case(name));
    let known = hints.range.or(known.map(|(_, range)| *range));
    // A file without a header has the scale of the one that it evaluates, or that of STS-B.
    let training = hints.training.filter(|training| !training.named && !named);
    let training = training.and_then(|training| training.scale);
    let usual = [ScoreRange::new(0.0, 1.0), ScoreRange::new(-1.0, 1.0)];
    let stsb = (!named).then_some(ScoreRange::new(0.0, 5.0));
    let mut fitting: Vec<_> = training.into_iter().chain(usual).chain(stsb).collect();
    // A score beyond the usual scales, or the first.
    let (mut shown, mut beyond) = (None, false);
    for row in table.rows() {
        let row = row?;
        let Some(score) = row.number(column)? else {
            continue;
        };
        fitting.retain(|range| range.contains(score));
        let outside = !usual[1].contains(score);
        if shown.is_none() || (outside && !beyond) {
            shown = Some((row.place.clone(), score));
        }
        beyond |= outside;
    }
    let Some((place, score)) = shown else {
        return Ok(None);
    };
    let reason = || {
        format!(
            "score {score} is outside -1..1, and nothing says which scale the file has: name it, \
             such as --score-range 0..5"
        )
    };
    let range = known.or(fitting.first().copied());
    range.map(Some).ok_or_else(|| place.error(reason()))
}
