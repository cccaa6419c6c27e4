//! The quality of a reranker: what it says of pairs of texts, beside what the rows say.

use std::collections::BTreeMap;

use burn::tensor::Device;
use burn_embedding_losses::evaluation::{classify_scores, pearson, reranking, spearman};
use burn_embedding_models::TextEncoder;

use super::{Evaluation, Measure, Score, share};
use crate::data::{Dataset, Text};
use crate::error::Error;
use crate::run::routes::{Pairs, Routes};

/// Pairs that are scored at a time.
const BATCH: usize = 64;
/// Pairs that are read at a time.
const READ: usize = 1 << 11;
/// A query without negatives is compared with the documents of as many rows after its own.
const FOLLOWING: usize = 9;
/// The places of a ranking that count.
const TOP: usize = 10;

/// Scores pairs without gradients.
#[derive(Debug)]
pub struct Scorer<'a, E> {
    routes: &'a Routes,
    pairs: &'a Pairs,
    encoder: E,
    devices: Vec<Device>,
}

impl<'a, E: TextEncoder> Scorer<'a, E> {
    /// Scores with the parameters that `encoder` has now, on all of `devices`.
    pub fn new(routes: &'a Routes, pairs: &'a Pairs, encoder: &E, devices: &[Device]) -> Self {
        let devices = devices.iter().map(|device| device.clone().without_autodiff()).collect();
        Self { routes, pairs, encoder: encoder.valid(), devices }
    }

    /// Measures on all pairs and rankings of `data`.
    pub fn evaluate(&self, data: &Dataset) -> Result<Evaluation, Error> {
        let mut evaluation = Evaluation::default();
        if self.labels() > 1 {
            evaluation.insert(Measure::PairClasses, self.classes(data)?);
            return Ok(evaluation);
        }
        self.correlation(data, &mut evaluation)?;
        self.verdicts(data, &mut evaluation)?;
        self.rankings(data, &mut evaluation)?;
        Ok(evaluation)
    }

    fn correlation(&self, data: &Dataset, into: &mut Evaluation) -> Result<(), Error> {
        let scored = data.pairs.iter().filter_map(|pair| Some((pair, pair.score?)));
        let (pairs, expected): (Vec<_>, Vec<_>) =
            scored.map(|(pair, score)| ((pair.left, pair.right), f64::from(score))).unzip();
        let found = self.logits(&pairs, data)?;
        let score = |value: Option<f64>| Some(Score { value: value?, rows: pairs.len() });
        into.insert(Measure::Spearman, score(spearman(&found, &expected)));
        into.insert(Measure::Pearson, score(pearson(&found, &expected)));
        Ok(())
    }

    fn verdicts(&self, data: &Dataset, into: &mut Evaluation) -> Result<(), Error> {
        let verdicts = data.verdicts().map(|(pair, verdict)| ((pair.left, pair.right), verdict));
        let (pairs, labels): (Vec<_>, Vec<_>) = verdicts.unzip();
        if !labels.contains(&true) || !labels.contains(&false) {
            return Ok(());
        }
        let seen = classify_scores(&self.logits(&pairs, data)?, &labels)?;
        let score = |value| Some(Score { value, rows: pairs.len() });
        into.insert(Measure::BinaryPairs, score(seen.average_precision));
        into.insert(Measure::PairAccuracy, score(seen.accuracy.value));
        into.insert(Measure::PairF1, score(seen.f1.f1));
        Ok(())
    }

    fn rankings(&self, data: &Dataset, into: &mut Evaluation) -> Result<(), Error> {
        let lists = lists(data);
        let pairs = lists.iter().flat_map(|(query, documents)| {
            documents.iter().map(|(document, _)| (*query, *document))
        });
        let scores = self.logits(&pairs.collect::<Vec<_>>(), data)?;
        let mut scores = scores.into_iter();
        let mut query = |documents: &[(Text, bool)]| {
            let scores = scores.by_ref().take(documents.len()).collect();
            (scores, documents.iter().map(|(_, right)| *right).collect())
        };
        let queries: Vec<_> = lists.iter().map(|(_, documents)| query(documents)).collect();
        if queries.is_empty() {
            return Ok(());
        }
        let seen = reranking(&queries, TOP)?;
        let score = |value| Some(Score { value, rows: seen.queries });
        into.insert(Measure::Reranking, score(seen.map));
        into.insert(Measure::RerankingMrr, score(seen.mrr));
        into.insert(Measure::RerankingNdcg, score(seen.ndcg));
        Ok(())
    }

    /// The share of pairs whose class has the highest logit.
    fn classes(&self, data: &Dataset) -> Result<Option<Score>, Error> {
        let rows = self.pairs.classes.places(data)?.into_iter();
        let (pairs, expected): (Vec<_>, Vec<_>) =
            rows.map(|(pair, class)| ((pair.left, pair.right), class)).unzip();
        let logits = self.logits(&pairs, data)?;
        let found = logits.chunks(self.labels()).map(|logits| {
            let best = logits.iter().enumerate().max_by(|one, other| one.1.total_cmp(other.1));
            best.map(|(class, _)| class)
        });
        Ok(share(found.zip(expected).map(|(found, expected)| found == Some(expected))))
    }

    fn labels(&self) -> usize {
        self.pairs.classes.names().len()
    }

    /// The scores of pairs, or all logits of a model with several labels.
    fn logits(&self, pairs: &[(Text, Text)], data: &Dataset) -> Result<Vec<f64>, Error> {
        let mut all = Vec::with_capacity(pairs.len());
        for pairs in pairs.chunks(READ) {
            let texts = pairs.iter().map(|(one, other)| Ok((data.text(*one)?, data.text(*other)?)));
            let rows = self.routes.encode_pairs(&texts.collect::<Result<Vec<_>, Error>>()?)?;
            let rows: Vec<_> = rows.iter().map(Vec::as_slice).collect();
            let routes = vec![0; rows.len()];
            let logits =
                self.encoder.embed_in_batches_by_route(&rows, &routes, BATCH, &self.devices);
            let scores = match self.labels() {
                1 => self.pairs.activation.forward(logits),
                _ => logits,
            };
            all.extend(scores.into_data().iter::<f64>());
        }
        Ok(all)
    }
}

/// Each query of the rankings with its documents, and whether they are right. Where no row has negatives, the
/// documents of the rows that follow are.
fn lists(data: &Dataset) -> Vec<(Text, Vec<(Text, bool)>)> {
    let rows = &data.rankings;
    let mut lists: BTreeMap<Text, Vec<(Text, bool)>> = BTreeMap::new();
    for list in &data.lists {
        let documents = list.documents.iter().copied().zip(list.relevant());
        lists.entry(list.query).or_default().extend(documents);
    }
    let without = rows.iter().all(|row| row.negatives.is_empty());
    for (index, row) in rows.iter().enumerate() {
        let documents = lists.entry(row.anchor).or_default();
        documents.push((row.positive, true));
        let following =
            (1..=FOLLOWING.min(rows.len() - 1)).map(|step| &rows[(index + step) % rows.len()]);
        match without {
            true => documents.extend(following.map(|other| (other.positive, false))),
            false => documents.extend(row.negatives.iter().map(|negative| (*negative, false))),
        }
    }
    for documents in lists.values_mut() {
        // What is right in one row is right in all; right ones come first.
        documents.sort_by_key(|(text, right)| (*text, !right));
        documents.dedup_by_key(|(text, _)| *text);
    }
    let has =
        |documents: &[(Text, bool)], wanted| documents.iter().any(|(_, right)| *right == wanted);
    lists.into_iter().filter(|(_, rows)| has(rows, true) && has(rows, false)).collect()
}
