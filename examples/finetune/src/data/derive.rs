//! Rows that follow from others: verdicts from scores and classes, triplets from pairs.

use std::collections::{BTreeMap, HashMap};

use super::texts::Text;
use super::{Dataset, Pair};

/// Two texts with at least this score, on a scale to 1, mean the same: 4 of 5.
const SAME: f32 = 0.8;
/// Two texts with at most this score, on a scale to 1, are unrelated: 1 of 5.
const DIFFERENT: f32 = 0.2;

/// Up to this many classes of a model are told apart by their numbers.
pub const MOST_CLASSES: usize = 1000;

/// Margins from scores are in points of five, the scale of STS-B.
const POINTS: f32 = 5.0;

/// An anchor, a text closer to it and a text further away, with how much closer.
#[derive(Debug, Clone, PartialEq)]
pub struct Triplet {
    /// The common sentence.
    pub anchor: Text,
    /// The closer text.
    pub positive: Text,
    /// The further text.
    pub negative: Text,
    /// How much closer the positive is: as given, or the difference of the two scores in points of
    /// five.
    pub margin: Option<f32>,
}

impl Dataset {
    /// Whether the classes of the pairs are the numbers 0 and 1, as contrastive losses take them.
    pub fn has_binary_classes(&self) -> bool {
        self.binary.unwrap_or_else(|| {
            let mut classes = self.pairs.iter().filter_map(|pair| pair.class.as_deref());
            classes.all(|class| ["0", "1"].contains(&class))
        })
    }

    /// The pairs with a similarity: a score, or 1 and 0 if these are the classes and no pair has a score.
    pub fn similarities(&self) -> impl Iterator<Item = (&Pair, f32)> {
        let scored = self.pairs.iter().any(|pair| pair.score.is_some());
        let binary = !scored && self.has_binary_classes();
        let similarity = move |pair: &Pair| match pair.class.as_deref() {
            Some("1") if binary => Some(1.0),
            Some("0") if binary => Some(0.0),
            _ => pair.score,
        };
        self.pairs.iter().filter_map(move |pair| Some((pair, similarity(pair)?)))
    }

    /// Pairs that are known to belong together (true) or not (false), the others left out.
    ///
    /// A class decides where there is one: 1 or 0, entailment or contradiction, relevant or irrelevant. Otherwise
    /// a score of at least 4 of 5 does, or one of at most 1 of 5.
    pub fn verdicts(&self) -> impl Iterator<Item = (&Pair, bool)> {
        let binary = self.has_binary_classes();
        let verdicts = self.pairs.iter().map(move |pair| (pair, verdict(pair, binary)));
        verdicts.filter_map(|(pair, verdict)| Some((pair, verdict?)))
    }

    /// The triplets of the rows, or else those that pairs with a common sentence imply.
    pub fn triplets(&self) -> Vec<Triplet> {
        let mut triplets: Vec<_> = self.explicit_triplets().collect();
        if triplets.is_empty() {
            let judged = self.verdicts().map(|(pair, verdict)| {
                let rank = if verdict { 1.0 } else { 0.0 };
                (pair, rank)
            });
            triplets = around_common_sentences(judged);
        }
        triplets
    }

    /// Triplets with a known margin: given as labels, or as the difference of two scores.
    pub fn margin_triplets(&self) -> Vec<Triplet> {
        let known = |triplet: &Triplet| triplet.margin.is_some();
        let mut triplets: Vec<_> = self.explicit_triplets().filter(known).collect();
        if triplets.is_empty() {
            let scored = self.pairs.iter().filter_map(|pair| Some((pair, pair.score?)));
            triplets = around_common_sentences(scored);
        }
        triplets
    }

    fn explicit_triplets(&self) -> impl Iterator<Item = Triplet> {
        self.all_rankings().flat_map(|row| {
            let triplet = |(index, negative): (usize, &Text)| Triplet {
                anchor: row.anchor,
                positive: row.positive,
                negative: *negative,
                margin: row.margins.get(index).copied(),
            };
            row.negatives.iter().enumerate().map(triplet).collect::<Vec<_>>()
        })
    }

    /// The classes of the pairs, in order: numbers by value, then names.
    pub fn pair_classes(&self) -> Vec<&str> {
        in_order(self.pairs.iter().filter_map(|pair| pair.class.as_deref()))
    }

    /// The classes of the labelled texts, in order: numbers by value, then names.
    pub fn sentence_classes(&self) -> Vec<&str> {
        in_order(self.sentences.iter().map(|row| row.class.as_str()))
    }
}

fn verdict(pair: &Pair, binary: bool) -> Option<bool> {
    let numbered = |class: &str| ["0", "1"].contains(&class);
    let class = pair.class.as_deref().filter(|class| binary || !numbered(class));
    match class.and_then(belongs) {
        Some(verdict) => Some(verdict),
        None if class.is_some_and(|class| class.eq_ignore_ascii_case("neutral")) => None,
        None => match pair.score? {
            score if score >= SAME => Some(true),
            score if score <= DIFFERENT => Some(false),
            _ => None,
        },
    }
}

/// Whether a class says that two texts belong together, or that they do not.
pub fn belongs(class: &str) -> Option<bool> {
    match class.to_ascii_lowercase().as_str() {
        "1" | "entailment" | "relevant" => Some(true),
        "0" | "contradiction" | "irrelevant" => Some(false),
        _ => None,
    }
}

/// For each sentence that occurs in several pairs: its best partner against each lower one, and
/// where several are best, the next best against the next lower.
fn around_common_sentences<'a>(ranked: impl Iterator<Item = (&'a Pair, f32)>) -> Vec<Triplet> {
    type Partner = (f32, Text, Option<f32>);
    let mut partners: BTreeMap<Text, Vec<Partner>> = BTreeMap::new();
    for (pair, rank) in ranked {
        partners.entry(pair.left).or_default().push((rank, pair.right, pair.score));
        partners.entry(pair.right).or_default().push((rank, pair.left, pair.score));
    }
    let mut triplets = Vec::new();
    for (anchor, mut partners) in partners {
        partners.sort_by(|a, b| b.0.total_cmp(&a.0));
        let best = partners.iter().take_while(|partner| partner.0 == partners[0].0).count();
        let (positives, negatives) = partners.split_at(best);
        for (index, negative) in negatives.iter().enumerate() {
            let positive = positives[index % best];
            let margin = positive.2.zip(negative.2).map(|(high, low)| POINTS * (high - low));
            triplets.push(Triplet { anchor, positive: positive.1, negative: negative.1, margin });
        }
    }
    triplets
}

/// The place of each class among the scores of a classifier: its own number where all classes are numbers, as in
/// Python, and otherwise its place among their names.
pub fn class_places<'d>(classes: &[&'d str]) -> HashMap<&'d str, usize> {
    let number = |class: &&str| class.parse().ok().filter(|number| *number < MOST_CLASSES);
    let numbers: Option<Vec<usize>> = classes.iter().map(number).collect();
    let places = numbers.unwrap_or_else(|| (0..classes.len()).collect());
    classes.iter().copied().zip(places).collect()
}

fn in_order<'a>(classes: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut classes: Vec<_> = classes.collect();
    classes.sort_by_key(|class| (class.parse::<i64>().unwrap_or(i64::MAX), *class));
    classes.dedup();
    classes
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::Place;

    fn text(name: &str) -> Text {
        Text(name.bytes().map(u32::from).sum())
    }

    fn pair(left: &str, right: &str, score: Option<f32>, class: Option<&str>) -> Pair {
        Pair {
            place: Place::new(Path::new("a.csv"), 1),
            left: text(left),
            right: text(right),
            score,
            class: class.map(str::to_string),
        }
    }

    fn verdicts(pairs: Vec<Pair>) -> Vec<bool> {
        let data = Dataset { pairs, ..Dataset::default() };
        data.verdicts().map(|(_, verdict)| verdict).collect()
    }

    #[test]
    fn scores_give_verdicts_at_both_ends_only() {
        let scores = [0.8, 0.79, 0.21, 0.2].map(|score| pair("a", "b", Some(score), None));
        assert_eq!(verdicts(scores.to_vec()), [true, false]);
    }

    #[test]
    fn classes_go_before_scores() {
        let rows = [("ENTAILMENT", 0.1), ("CONTRADICTION", 0.9), ("NEUTRAL", 1.0)];
        let rows = rows.map(|(class, score)| pair("a", "b", Some(score), Some(class)));
        assert_eq!(verdicts(rows.to_vec()), [true, false]);
    }

    #[test]
    fn one_is_a_verdict_only_among_zeros_and_ones() {
        let binary = ["1", "0"].map(|class| pair("a", "b", None, Some(class)));
        assert_eq!(verdicts(binary.to_vec()), [true, false]);
        let three = ["1", "0", "2"].map(|class| pair("a", "b", None, Some(class)));
        assert!(verdicts(three.to_vec()).is_empty());
    }

    #[test]
    fn a_common_sentence_makes_a_triplet_with_the_difference_of_the_scores() {
        let data = Dataset {
            pairs: vec![
                pair("a", "far", Some(0.25), None),
                pair("near", "a", Some(0.75), None),
                pair("b", "c", Some(1.0), None),
            ],
            ..Dataset::default()
        };
        let expected = Triplet {
            anchor: text("a"),
            positive: text("near"),
            negative: text("far"),
            margin: Some(2.5),
        };
        assert_eq!(data.margin_triplets(), [expected]);
        assert!(data.triplets().is_empty(), "no pair is clearly the same or clearly different");
    }

    #[test]
    fn numeric_classes_are_ordered_by_value() {
        assert_eq!(in_order(["10", "b", "9", "a", "9"].into_iter()), ["9", "10", "a", "b"]);
    }

    #[test]
    fn classes_that_are_numbers_keep_them() {
        let places = |classes: &[&'static str]| {
            let places = class_places(classes);
            classes.iter().map(|class| places[class]).collect::<Vec<_>>()
        };
        assert_eq!(places(&["1", "2"]), [1, 2]);
        assert_eq!(places(&["1", "a"]), [0, 1]);
        assert_eq!(places(&["-3", "2"]), [0, 1]);
        assert_eq!(places(&["2", "1000"]), [0, 1]);
    }
}
