//! What is written of queries and their negatives, as `--data` reads it.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::rules::Candidate;
use crate::cli::Shape;
use crate::report::output;

/// The texts that a query has.
pub struct Found<'a> {
    /// The query.
    pub query: &'a str,
    /// The texts that belong to it, with their scores.
    pub positives: Vec<(&'a str, f64)>,
    /// Those that do not, the hardest first.
    pub negatives: Vec<Candidate>,
}

/// Writes queries in one shape.
pub struct Lines<'a> {
    /// The shape.
    pub shape: Shape,
    /// Whether scores are written, too.
    pub scores: bool,
    /// The number of negatives that a tuple has.
    pub num_negatives: usize,
    /// The texts of all documents.
    pub corpus: &'a [String],
}

impl Lines<'_> {
    /// Writes the lines of a query; returns their number.
    pub fn write(&self, found: &Found, out: &mut dyn Write) -> io::Result<usize> {
        let lines = match self.shape {
            Shape::Triplet => self.triplets(found),
            Shape::NTuple => self.tuples(found),
            Shape::LabeledPair => self.pairs(found),
            Shape::LabeledList => self.lists(found),
        };
        lines.iter().try_for_each(|line| output::json_line(out, line))?;
        Ok(lines.len())
    }

    fn text(&self, negative: &Candidate) -> &str {
        &self.corpus[negative.document]
    }

    fn triplets(&self, found: &Found) -> Vec<Value> {
        let line = |(positive, high): &(&str, f64), negative: &Candidate| {
            let mut line = fields([
                ("anchor", json!(found.query)),
                ("positive", json!(positive)),
                ("negative", json!(self.text(negative))),
            ]);
            self.add_scores(&mut line, &[*high, negative.score]);
            Value::Object(line)
        };
        let of_positive = |positive| found.negatives.iter().map(move |it| line(positive, it));
        found.positives.iter().flat_map(of_positive).collect()
    }

    fn tuples(&self, found: &Found) -> Vec<Value> {
        if found.negatives.len() < self.num_negatives {
            return Vec::new();
        }
        let line = |(positive, high): &(&str, f64)| {
            let mut line = fields([("anchor", json!(found.query)), ("positive", json!(positive))]);
            for (number, negative) in (1..).zip(&found.negatives) {
                line.insert(format!("negative_{number}"), json!(self.text(negative)));
            }
            self.add_scores(&mut line, &self.with_negatives(*high, found));
            Value::Object(line)
        };
        found.positives.iter().map(line).collect()
    }

    fn pairs(&self, found: &Found) -> Vec<Value> {
        let line = |text: &str, score: f64, label: u8| {
            let last = if self.scores { ("score", json!(score)) } else { ("label", json!(label)) };
            let line = fields([("query", json!(found.query)), ("passage", json!(text)), last]);
            Value::Object(line)
        };
        let positives = found.positives.iter().map(|(text, score)| line(text, *score, 1));
        let negatives = found.negatives.iter().map(|it| line(self.text(it), it.score, 0));
        positives.chain(negatives).collect()
    }

    fn lists(&self, found: &Found) -> Vec<Value> {
        if found.negatives.is_empty() {
            return Vec::new();
        }
        let line = |(positive, high): &(&str, f64)| {
            let negatives = found.negatives.iter().map(|negative| self.text(negative));
            let docs: Vec<_> = std::iter::once(*positive).chain(negatives).collect();
            let last = if self.scores {
                ("scores", json!(self.with_negatives(*high, found)))
            } else {
                let zeros = found.negatives.iter().map(|_| 0);
                ("labels", json!(std::iter::once(1).chain(zeros).collect::<Vec<u8>>()))
            };
            Value::Object(fields([("query", json!(found.query)), ("docs", json!(docs)), last]))
        };
        found.positives.iter().map(line).collect()
    }

    fn with_negatives(&self, high: f64, found: &Found) -> Vec<f64> {
        let low = found.negatives.iter().map(|negative| negative.score);
        std::iter::once(high).chain(low).collect()
    }

    fn add_scores(&self, line: &mut Map<String, Value>, scores: &[f64]) {
        if self.scores {
            line.insert("scores".to_string(), json!(scores));
        }
    }
}

fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}
