//! Texts that occur more than once, for losses that use the other rows of a batch as negatives.

use std::collections::HashMap;

use clap::ValueEnum;
use serde::Serialize;

use super::task::Example;
use super::texts::Text;

/// The treatment of a text that would be a negative of its own positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Repeats {
    /// No text occurs twice in a batch.
    #[default]
    Separate,
    /// Rows that share a text may share a batch, but are not negatives of each other.
    Mask,
    /// None: equal texts push each other away.
    Keep,
}

/// Group numbers: equal numbers belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids {
    /// One for each row.
    pub rows: Vec<i32>,
    /// One for each hard negative, column by column.
    pub negatives: Vec<Vec<i32>>,
}

/// Groups of rows that share an anchor or a positive, directly or through other rows.
#[derive(Debug)]
pub struct Groups {
    of_rows: Vec<i32>,
    of_texts: HashMap<Text, i32>,
}

impl Groups {
    /// Groups all examples, which have an anchor, a positive and any number of negatives.
    pub fn new(examples: &[Example]) -> Self {
        let mut parents: Vec<usize> = (0..examples.len()).collect();
        let mut seen: HashMap<Text, usize> = HashMap::new();
        for (row, example) in examples.iter().enumerate() {
            for text in example.texts.iter().take(2) {
                let other = *seen.entry(*text).or_insert(row);
                let (one, other) = (root(&mut parents, row), root(&mut parents, other));
                parents[one.max(other)] = one.min(other);
            }
        }
        let of_rows: Vec<_> =
            (0..examples.len()).map(|row| root(&mut parents, row) as i32).collect();
        let of_texts = seen.into_iter().map(|(text, row)| (text, of_rows[row])).collect();
        Self { of_rows, of_texts }
    }

    /// The ids of some of the examples.
    pub fn ids(&self, examples: &[Example], rows: &[usize]) -> Ids {
        let columns = examples[rows[0]].texts.len();
        // A text that is no row's anchor or positive is a negative of every row.
        let negative = |row: usize, column: usize| {
            self.of_texts.get(&examples[row].texts[column]).copied().unwrap_or(-1)
        };
        let negatives =
            (2..columns).map(|column| rows.iter().map(|&row| negative(row, column)).collect());
        Ids {
            rows: rows.iter().map(|&row| self.of_rows[row]).collect(),
            negatives: negatives.collect(),
        }
    }
}

fn root(parents: &mut [usize], mut row: usize) -> usize {
    while parents[row] != row {
        parents[row] = parents[parents[row]];
        row = parents[row];
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::task::Target;

    #[test]
    fn rows_that_share_a_text_are_of_one_group_and_so_are_negatives_equal_to_one() {
        let rows = ["abx", "cdb", "ebc", "efy"];
        let texts = |row: &str| row.bytes().map(|name| Text(name.into())).collect();
        let examples = rows.map(|row| Example { texts: texts(row), target: Target::None });
        let groups = Groups::new(&examples);
        let Ids { rows, negatives } = groups.ids(&examples, &[0, 1, 2, 3]);
        // Rows 0 and 2 share b, rows 2 and 3 share e.
        assert_eq!(rows, [0, 1, 0, 0]);
        assert_eq!(negatives, [[-1, 0, 1, -1]]);
    }
}
