//! The part of a page about the embeddings of the evaluation data.

use burn::tensor::Tensor;
use burn_embedding_losses::Similarity;
use serde::{Deserialize, Serialize};

use super::axes::Axes;
use crate::data::{Dataset, Text};
use crate::run::evaluation::Embeddings;

/// The largest number of pairs of a kind, and of texts, that is shown.
const SAMPLE: usize = 2000;

/// A text on the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Its place.
    pub at: [f64; 2],
    /// Its class, if it has one.
    pub class: Option<String>,
}

/// A text and its column.
type Placed = (usize, Text);

/// Similarities and a map.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct View {
    /// Cosines of pairs that belong together.
    pub positives: Vec<f64>,
    /// Cosines of pairs that do not.
    pub negatives: Vec<f64>,
    /// Texts by the two principal components of their unit embeddings.
    pub map: Vec<Point>,
    /// The shares of the variance that the two show.
    pub shares: [f64; 2],
    /// The number of pairs of each kind, and of texts, before sampling.
    pub of: [usize; 3],
}

impl View {
    /// A view of the embeddings of `data`.
    pub fn of(embeddings: &Embeddings, data: &Dataset) -> Self {
        let [positives, negatives] = pairs(data);
        let texts = texts(data);
        let of = [positives.len(), negatives.len(), texts.len()];
        let chosen = sample(&texts);
        let axes = embeddings.of(chosen.iter().map(|(text, _)| *text)).map(unit).map(Axes::of);
        let axes = axes.unwrap_or(Axes { coordinates: Vec::new(), shares: [0.0; 2] });
        let point = |(at, (_, class)): ([f64; 2], &(Placed, Option<&str>))| Point {
            at,
            class: class.map(str::to_string),
        };
        Self {
            positives: cosines(embeddings, &sample(&positives)),
            negatives: cosines(embeddings, &sample(&negatives)),
            map: axes.coordinates.into_iter().zip(&chosen).map(point).collect(),
            shares: axes.shares,
            of,
        }
    }
}

/// At most `SAMPLE` of them, evenly spread.
fn sample<T: Clone>(all: &[T]) -> Vec<T> {
    let count = all.len().min(SAMPLE);
    (0..count).map(|i| all[i * all.len() / count].clone()).collect()
}

fn unit(rows: Tensor<2>) -> Tensor<2> {
    let lengths = rows.clone().square().sum_dim(1).sqrt();
    rows / lengths.clamp_min(1e-12)
}

fn cosines(embeddings: &Embeddings, pairs: &[(Placed, Placed)]) -> Vec<f64> {
    let left = embeddings.of(pairs.iter().map(|pair| pair.0));
    let right = embeddings.of(pairs.iter().map(|pair| pair.1));
    let cosines = left.zip(right).map(|(left, right)| Similarity::Cosine.paired(left, right));
    cosines.map_or(Vec::new(), |cosines| cosines.into_data().iter().collect())
}

/// Pairs of texts that belong together, and pairs that do not, from every kind of row.
fn pairs(data: &Dataset) -> [Vec<(Placed, Placed)>; 2] {
    let mut pairs: [Vec<(Placed, Placed)>; 2] = Default::default();
    for (pair, verdict) in data.verdicts() {
        pairs[usize::from(!verdict)].push(((0, pair.left), (1, pair.right)));
    }
    for row in data.triplets() {
        pairs[0].push(((0, row.anchor), (1, row.positive)));
        pairs[1].push(((0, row.anchor), (2, row.negative)));
    }
    for (row, next) in neighbours(&data.rankings) {
        pairs[0].push(((0, row.anchor), (1, row.positive)));
        if row.positive != next.positive && row.anchor != next.anchor {
            pairs[1].push(((0, row.anchor), (1, next.positive)));
        }
    }
    let mut sentences: Vec<_> = data.sentences.iter().collect();
    for (row, next) in neighbours(&sentences) {
        if row.class != next.class {
            pairs[1].push(((0, row.text), (0, next.text)));
        }
    }
    sentences.sort_by_key(|row| &row.class);
    for (row, next) in neighbours(&sentences) {
        if row.class == next.class && row.place != next.place {
            pairs[0].push(((0, row.text), (0, next.text)));
        }
    }
    pairs
}

/// Each row with the next one, the last with the first.
fn neighbours<T>(rows: &[T]) -> impl Iterator<Item = (&T, &T)> {
    rows.iter().zip(rows.iter().cycle().skip(1))
}

/// The texts of known classes, or where there are none, all.
fn texts(data: &Dataset) -> Vec<(Placed, Option<&str>)> {
    if !data.sentences.is_empty() {
        let rows = data.sentences.iter();
        return rows.map(|row| ((0, row.text), Some(row.class.as_str()))).collect();
    }
    let mut texts: Vec<_> = data.columns().collect();
    // A text of several columns is shown as one of the first.
    texts.sort_unstable_by_key(|&(column, text)| (text, column));
    texts.dedup_by_key(|(_, text)| *text);
    texts.into_iter().map(|text| (text, None)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::{Collector, Place, Sentence};

    /// The text of the row in this line.
    fn text(line: usize) -> Text {
        let mut collector = Collector::new(None);
        (0..line).for_each(|text| {
            collector.add(&text.to_string()).unwrap();
        });
        collector.add("").unwrap()
    }

    fn sentence(line: usize, class: &str) -> Sentence {
        Sentence {
            place: Place::new(Path::new("a.csv"), line),
            text: text(line),
            class: class.into(),
        }
    }

    #[test]
    fn classes_say_who_belongs_together() {
        let sentences = vec![sentence(1, "x"), sentence(2, "y"), sentence(3, "x")];
        let data = Dataset { sentences, ..Dataset::default() };
        let [positives, negatives] = pairs(&data);
        let pair = |left, right| ((0, text(left)), (0, text(right)));
        assert_eq!(positives, [pair(1, 3)]);
        assert_eq!(negatives, [pair(1, 2), pair(2, 3)]);
    }

    #[test]
    fn a_sample_is_spread_over_all() {
        let all: Vec<_> = (0..3 * SAMPLE).collect();
        let some = sample(&all);
        assert_eq!((some.len(), some[1], some[SAMPLE - 1]), (SAMPLE, 3, 3 * SAMPLE - 3));
        assert_eq!(sample(&[1, 2]), [1, 2]);
        assert!(sample::<u8>(&[]).is_empty());
    }
}
