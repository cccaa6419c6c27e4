//! The quality of an encoder, measured on the rows of a data set.

mod embed;
mod measure;
mod pairs;

use std::collections::{BTreeMap, HashMap};

use burn::tensor::{Tensor, TensorData};
use burn_embedding_losses::Similarity;
use burn_embedding_losses::evaluation::{
    BinaryClassification, Correlation, InformationRetrieval, InformationRetrievalConfig,
    binary_classification, embedding_similarity, search, triplet_accuracy,
};
use burn_embedding_models::TextEncoder;
use serde::{Deserialize, Serialize};

pub use embed::{Embedder, Embeddings};
pub use measure::{Measure, Score, share};
pub use pairs::Scorer;

use crate::data::{Dataset, Ranking, Text};
use crate::error::Error;
use crate::report::pictures::View;

/// Each teacher's target is compared with those that follow it at these shares of their number.
const DISTANCES: [f64; 5] = [0.0, 0.1, 0.2, 0.3, 0.45];

/// All measures that the data allows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evaluation {
    scores: BTreeMap<Measure, Score>,
    /// The main measure of embeddings that are shortened to a number of dimensions.
    by_dim: BTreeMap<usize, Score>,
    view: View,
}

impl Evaluation {
    /// An evaluation without measures.
    pub fn seen_as(view: View) -> Self {
        Self { view, ..Self::default() }
    }

    /// Measures an encoder on everything that `data` holds, and its embeddings shortened to each of `dims`.
    pub fn of<E: TextEncoder>(
        embedder: &Embedder<E>,
        data: &Dataset,
        dims: &[usize],
    ) -> Result<Self, Error> {
        let embeddings = embedder.embed(data)?;
        let mut evaluation = Self::seen_as(View::of(&embeddings, data));
        evaluation.measure(&embeddings, data)?;
        for &dim in dims {
            let mut shortened = Self::default();
            shortened.measure(&embeddings.shortened(dim), data)?;
            evaluation.by_dim.extend(shortened.main().map(|(_, score)| (dim, score)));
        }
        Ok(evaluation)
    }

    fn measure(&mut self, embeddings: &Embeddings, data: &Dataset) -> Result<(), Error> {
        if let Some(seen) = scored_pairs(embeddings, data)? {
            let score = |value: Option<f64>| Some(Score { value: value?, rows: seen.rows });
            self.insert(Measure::Spearman, score(seen.spearman));
            self.insert(Measure::Pearson, score(seen.pearson));
        }
        if let Some(seen) = binary_pairs(embeddings, data)? {
            let score = |value| Some(Score { value, rows: seen.rows });
            self.insert(Measure::BinaryPairs, score(seen.average_precision));
            self.insert(Measure::PairAccuracy, score(seen.accuracy.value));
            self.insert(Measure::PairF1, score(seen.f1.f1));
        }
        if let Some(seen) = retrieval(embeddings, data)? {
            let score = |value| Some(Score { value, rows: seen.queries });
            self.insert(Measure::Retrieval, score(seen.accuracy[&1]));
            self.insert(Measure::Mrr, score(seen.mrr[&10]));
            self.insert(Measure::Ndcg, score(seen.ndcg[&10]));
        }
        self.insert(Measure::Triplets, triplets(embeddings, data)?);
        self.insert(Measure::Labels, labels(embeddings, data)?);
        self.insert(Measure::Teacher, teacher(embeddings, data)?);
        Ok(())
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

    /// The main measure of embeddings shortened to a number of dimensions, the most dimensions first.
    pub fn by_dim(&self) -> impl Iterator<Item = (usize, Score)> {
        self.by_dim.iter().rev().map(|(dim, score)| (*dim, *score))
    }

    /// All that this evaluation and a later one have in common: a title, and both values.
    pub fn beside<'e>(
        &'e self,
        after: &'e Self,
    ) -> impl Iterator<Item = (String, Score, Score)> + 'e {
        let whole = self.iter().filter_map(|(measure, before)| {
            Some((measure.title().to_string(), before, after.get(measure)?))
        });
        let main = self.main().map_or("", |(measure, _)| measure.title());
        let shortened = self.by_dim().filter_map(move |(dim, before)| {
            let (_, after) = after.by_dim().find(|(other, _)| *other == dim)?;
            Some((format!("{main}, {dim} dimensions"), before, after))
        });
        whole.chain(shortened)
    }

    /// The first measure, by which runs are compared.
    pub fn main(&self) -> Option<(Measure, Score)> {
        self.iter().next()
    }

    /// Whether the main measure of the other evaluation is higher here.
    pub fn is_better(&self, other: &Self) -> bool {
        match other.main() {
            None => !self.is_empty(),
            Some((measure, there)) => {
                self.get(measure).is_some_and(|here| here.value > there.value)
            }
        }
    }

    /// The embeddings as pictures show them.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Whether nothing could be measured.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }
}

/// The result for one kind of row; `None` if the data has no such rows.
type Measured<T> = Result<Option<T>, Error>;

fn scored_pairs(embeddings: &Embeddings, data: &Dataset) -> Measured<Correlation> {
    let scored = || data.pairs.iter().filter(|pair| pair.score.is_some());
    let scores: Vec<_> = scored().filter_map(|pair| pair.score.map(f64::from)).collect();
    let left = embeddings.of(scored().map(|pair| (0, pair.left)));
    let right = embeddings.of(scored().map(|pair| (1, pair.right)));
    let measure = |(left, right)| embedding_similarity(left, right, &scores, Similarity::Cosine);
    Ok(left.zip(right).map(measure).transpose()?)
}

fn binary_pairs(embeddings: &Embeddings, data: &Dataset) -> Measured<BinaryClassification> {
    let labels: Vec<_> = data.verdicts().map(|(_, verdict)| i64::from(verdict)).collect();
    if !labels.contains(&0) || !labels.contains(&1) {
        return Ok(None);
    }
    let left = embeddings.of(data.verdicts().map(|(pair, _)| (0, pair.left)));
    let right = embeddings.of(data.verdicts().map(|(pair, _)| (1, pair.right)));
    let measure = |(left, right)| binary_classification(left, right, &labels, Similarity::Cosine);
    Ok(left.zip(right).map(measure).transpose()?)
}

fn triplets(embeddings: &Embeddings, data: &Dataset) -> Measured<Score> {
    let rows = data.triplets();
    let Some(anchor) = embeddings.of(rows.iter().map(|row| (0, row.anchor))) else {
        return Ok(None);
    };
    let positive = embeddings.of(rows.iter().map(|row| (1, row.positive)));
    let negative = embeddings.of(rows.iter().map(|row| (2, row.negative)));
    positive
        .zip(negative)
        .map(|(positive, negative)| {
            let value = triplet_accuracy(anchor, positive, negative, Similarity::Cosine, 0.0)?;
            Ok(Score { value, rows: rows.len() })
        })
        .transpose()
}

fn labels(embeddings: &Embeddings, data: &Dataset) -> Measured<Score> {
    let rows = &data.sentences;
    let Some(matrix) = embeddings.of(rows.iter().map(|row| (0, row.text))) else {
        return Ok(None);
    };
    let mut sizes: HashMap<&str, usize> = HashMap::new();
    for row in rows {
        *sizes.entry(&row.class).or_default() += 1;
    }
    // One of the two nearest is another row.
    let hits = search(matrix.clone(), matrix, 2, Similarity::Cosine, None)?;
    let nearest = hits.iter().enumerate().map(|(index, hits)| {
        let other = hits.iter().find(|hit| hit.index != index);
        (&rows[index].class, other.map(|hit| &rows[hit.index].class))
    });
    // A text that is alone in its class has no right answer.
    let answered = nearest.filter(|(class, _)| sizes[class.as_str()] > 1);
    Ok(share(answered.map(|(class, nearest)| nearest == Some(class))))
}

fn retrieval(embeddings: &Embeddings, data: &Dataset) -> Measured<InformationRetrieval> {
    let Questions { queries, answers, relevant } = Questions::of(&data.rankings);
    if answers.len() < 2 {
        return Ok(None);
    }
    let config = InformationRetrievalConfig::new().with_map_at_k(vec![10]);
    let column = |column, texts: Vec<Text>| texts.into_iter().map(move |text| (column, text));
    let both = embeddings.of(column(0, queries)).zip(embeddings.of(column(1, answers)));
    let measure = |(queries, corpus)| config.evaluate(queries, corpus, &relevant);
    Ok(both.map(measure).transpose()?)
}

/// The different anchors and positives of some rows; a positive is a right answer to each anchor that it
/// shares a row with.
struct Questions {
    queries: Vec<Text>,
    answers: Vec<Text>,
    /// For each query the indices of its answers.
    relevant: Vec<Vec<usize>>,
}

impl Questions {
    fn of(rows: &[Ranking]) -> Self {
        let mut answers: Vec<_> = rows.iter().map(|row| row.positive).collect();
        answers.sort_unstable();
        answers.dedup();
        let place: HashMap<_, _> = answers.iter().copied().zip(0..).collect();
        let (mut queries, mut relevant) = (Vec::new(), Vec::<Vec<usize>>::new());
        let mut known: HashMap<Text, usize> = HashMap::new();
        for row in rows {
            let query = *known.entry(row.anchor).or_insert_with(|| {
                queries.push(row.anchor);
                relevant.push(Vec::new());
                queries.len() - 1
            });
            let answer = place[&row.positive];
            if !relevant[query].contains(&answer) {
                relevant[query].push(answer);
            }
        }
        Self { queries, answers, relevant }
    }
}

fn teacher(embeddings: &Embeddings, data: &Dataset) -> Measured<Score> {
    let targets = &data.teacher_targets;
    let count = targets.len();
    if count == 0 {
        return Ok(None);
    }
    let pairs = DISTANCES.iter().flat_map(|share| {
        let distance = 1 + (share * count as f64) as usize;
        (0..count).map(move |left| (left, (left + distance) % count))
    });
    let (left, right): (Vec<usize>, Vec<usize>) = pairs.unzip();
    let student = |rows: &[usize]| embeddings.of(rows.iter().map(|&row| (0, targets[row].text)));
    let (Some(x), Some(y)) = (student(&left), student(&right)) else {
        return Ok(None);
    };
    let width = targets[0].embedding.width();
    let target = |rows: &[usize]| -> Result<Tensor<2>, Error> {
        let mut values = Vec::with_capacity(rows.len() * width);
        for &row in rows {
            values.extend(data.texts.vector(targets[row].embedding)?);
        }
        Ok(Tensor::from_data(TensorData::new(values, [rows.len(), width]), &x.device()))
    };
    let taught = Similarity::Cosine.paired(target(&left)?, target(&right)?);
    let taught: Vec<f64> = taught.into_data().iter().collect();
    let seen = embedding_similarity(x, y, &taught, Similarity::Cosine)?;
    Ok(seen.spearman.map(|value| Score { value, rows: seen.rows }))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::{Collector, Place};

    #[test]
    fn every_answer_to_a_question_is_right() {
        let mut collector = Collector::new(None);
        let [a, b, x, y, z] = ["a", "b", "1", "2", "3"].map(|text| collector.add(text).unwrap());
        let pairs = [(a, y), (b, x), (a, x), (b, z), (a, y)];
        let place = Place::new(Path::new("a.csv"), 1);
        let row = |(anchor, positive)| Ranking::of(place.clone(), anchor, positive);
        let rows = pairs.map(row);
        let questions = Questions::of(&rows);
        assert_eq!((questions.queries, questions.answers), (vec![a, b], vec![x, y, z]));
        assert_eq!(questions.relevant, [[1, 0], [0, 2]]);
    }
}
