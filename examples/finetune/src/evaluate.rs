//! How good an encoder is: measured on the rows of a data set, before and after training.

use std::collections::{BTreeMap, HashMap};

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::data::{Dataset, Pair};
use crate::embed::{Embedder, Embeddings};
use crate::encoder::TextEncoder;
use crate::error::Error;
use crate::statistics::{average_precision, spearman};

/// Each lesson is compared with the lessons that follow it after these shares of all of them.
const DISTANCES: [f64; 5] = [0.0, 0.1, 0.2, 0.3, 0.45];

/// What is measured. Higher is better for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Measure {
    /// Rank correlation of the cosine with the score of scored pairs.
    Spearman,
    /// Average precision with which the cosine finds the pairs that belong together.
    BinaryPairs,
    /// Share of triplets with the anchor closer to the positive than to the negative.
    Triplets,
    /// Share of labelled texts whose nearest other text has the same label.
    Labels,
    /// Share of anchors whose nearest text among all positives is their own.
    Retrieval,
    /// Rank correlation of the cosine with the teacher's cosine.
    Teacher,
    /// Share of pairs that the classifier of a SoftmaxLoss puts into their class.
    PairClasses,
}

impl Measure {
    /// Every measure.
    pub const ALL: [Self; 7] = [
        Self::Spearman,
        Self::BinaryPairs,
        Self::Triplets,
        Self::Labels,
        Self::Retrieval,
        Self::Teacher,
        Self::PairClasses,
    ];

    /// What tables call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Spearman => "Spearman of scored pairs",
            Self::BinaryPairs => "average precision of pairs",
            Self::Triplets => "accuracy of triplets",
            Self::Labels => "accuracy of labels (nearest text)",
            Self::Retrieval => "accuracy of retrieval (first hit)",
            Self::Teacher => "Spearman with the teacher",
            Self::PairClasses => "accuracy of pair classes",
        }
    }
}

/// One measured value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The value, at most one.
    pub value: f64,
    /// Over how many rows.
    pub rows: usize,
}

/// All that the data allows to measure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evaluation {
    scores: BTreeMap<Measure, Score>,
}

impl Evaluation {
    /// Measures an encoder on everything that `data` holds.
    pub fn of<E: TextEncoder>(
        embedder: &Embedder<E>,
        data: &Dataset,
        device: &Device,
    ) -> Result<Self, Error> {
        let embeddings = embedder.embed(data.texts(), device)?;
        let mut evaluation = Self::default();
        evaluation.insert(Measure::Spearman, scored_pairs(&embeddings, data));
        evaluation.insert(Measure::BinaryPairs, binary_pairs(&embeddings, data));
        evaluation.insert(Measure::Triplets, triplets(&embeddings, data));
        evaluation.insert(Measure::Labels, labels(&embeddings, data));
        evaluation.insert(Measure::Retrieval, retrieval(&embeddings, data));
        evaluation.insert(Measure::Teacher, teacher(&embeddings, data));
        Ok(evaluation)
    }

    /// Adds a measured value, if there is one.
    pub fn insert(&mut self, measure: Measure, score: Option<Score>) {
        if let Some(score) = score {
            self.scores.insert(measure, score);
        }
    }

    /// The value of one measure.
    pub fn get(&self, measure: Measure) -> Option<Score> {
        self.scores.get(&measure).copied()
    }

    /// All values.
    pub fn iter(&self) -> impl Iterator<Item = (Measure, Score)> {
        self.scores.iter().map(|(measure, score)| (*measure, *score))
    }

    /// What a run is judged by: the first measure that there is.
    pub fn main(&self) -> Option<(Measure, Score)> {
        self.iter().next()
    }

    /// Whether the main measure is higher.
    pub fn is_better(&self, other: &Self) -> bool {
        let value = |evaluation: &Self| evaluation.main().map(|(_, score)| score.value);
        value(self) > value(other)
    }

    /// Whether nothing could be measured.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }
}

/// The share of `hits` that are true; `None` where there are none at all.
pub fn share(hits: impl Iterator<Item = bool>) -> Option<Score> {
    let (mut right, mut rows) = (0, 0);
    for hit in hits {
        right += usize::from(hit);
        rows += 1;
    }
    (rows > 0).then(|| Score { value: right as f64 / rows as f64, rows })
}

fn correlation(pairs: impl Iterator<Item = (f32, f32)>) -> Option<Score> {
    let (left, right): (Vec<_>, Vec<_>) = pairs.unzip();
    let value = spearman(&left, &right)?;
    Some(Score { value, rows: left.len() })
}

fn scored_pairs(embeddings: &Embeddings, data: &Dataset) -> Option<Score> {
    let scored = data.pairs.iter().filter_map(|pair| Some((pair, pair.score?)));
    let cosine = |pair: &Pair| embeddings.cosine(&pair.left, &pair.right);
    correlation(scored.map(|(pair, score)| (cosine(pair), score)))
}

fn binary_pairs(embeddings: &Embeddings, data: &Dataset) -> Option<Score> {
    let cosine = |pair: &Pair| embeddings.cosine(&pair.left, &pair.right);
    let judged = data.verdicts().map(|(pair, verdict)| (cosine(pair), verdict));
    let judged: Vec<_> = judged.collect();
    Some(Score { value: average_precision(&judged)?, rows: judged.len() })
}

fn triplets(embeddings: &Embeddings, data: &Dataset) -> Option<Score> {
    share(data.triplets().iter().map(|row| {
        embeddings.cosine(row.anchor, row.positive) > embeddings.cosine(row.anchor, row.negative)
    }))
}

fn labels(embeddings: &Embeddings, data: &Dataset) -> Option<Score> {
    let texts = data.sentences.iter().map(|row| row.text.as_str());
    let unit = embeddings.rows(texts);
    let mut sizes: HashMap<&str, usize> = HashMap::new();
    for row in &data.sentences {
        *sizes.entry(&row.class).or_default() += 1;
    }
    // A text that is alone in its class has no right answer.
    let rows = data.sentences.iter().enumerate().filter(|(_, row)| sizes[row.class.as_str()] > 1);
    share(rows.map(|(index, row)| {
        let nearest = nearest(unit[index], &unit, Some(index));
        nearest.is_some_and(|nearest| data.sentences[nearest].class == row.class)
    }))
}

fn retrieval(embeddings: &Embeddings, data: &Dataset) -> Option<Score> {
    let positives = embeddings.rows(data.rankings.iter().map(|row| row.positive.as_str()));
    let anchors = embeddings.rows(data.rankings.iter().map(|row| row.anchor.as_str()));
    if positives.len() < 2 {
        return None;
    }
    share(anchors.iter().enumerate().map(|(index, anchor)| {
        let nearest = nearest(anchor, &positives, None);
        nearest.is_some_and(|it| data.rankings[it].positive == data.rankings[index].positive)
    }))
}

fn teacher(embeddings: &Embeddings, data: &Dataset) -> Option<Score> {
    let lessons = &data.lessons;
    let count = lessons.len();
    let pairs = DISTANCES.iter().flat_map(|share| {
        let distance = 1 + (share * count as f64) as usize;
        (0..count).map(move |left| (&lessons[left], &lessons[(left + distance) % count]))
    });
    correlation(pairs.map(|(left, right)| {
        let student = embeddings.cosine(&left.text, &right.text);
        (student, cosine(&left.embedding, &right.embedding))
    }))
}

fn nearest(unit: &[f32], candidates: &[&[f32]], except: Option<usize>) -> Option<usize> {
    let others = candidates.iter().enumerate().filter(|(index, _)| Some(*index) != except);
    let similarities = others.map(|(index, candidate)| (index, dot(unit, candidate)));
    similarities.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index)
}

fn dot(left: &[f32], right: &[f32]) -> f32 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

fn cosine(left: &[f32], right: &[f32]) -> f32 {
    let norms = (dot(left, left) * dot(right, right)).sqrt();
    if norms > 0.0 { dot(left, right) / norms } else { 0.0 }
}
