//! The measures that need all rows of an epoch.

use burn::prelude::*;
use burn::tensor::TensorReadError;
use derive_new::new;

use super::epoch::{EpochMetric, OverEpoch};
use crate::batch::shape::{require_rows, same_shape};
use crate::evaluation::correlation::spearman;
use crate::evaluation::retrieval::InformationRetrievalConfig;
use crate::evaluation::scores::{expect_length, paired};
use crate::evaluation::triplets::{accuracy, similarities};
use crate::geometry::Similarity;

/// Pairs of embeddings and their scores.
#[derive(Debug, Clone, new)]
pub struct SpearmanInput {
    left: Tensor<2>,
    right: Tensor<2>,
    scores: Tensor<1>,
}

/// Embeddings of anchors, positives and negatives.
#[derive(Debug, Clone, new)]
pub struct TripletInput {
    anchor: Tensor<2>,
    positive: Tensor<2>,
    negative: Tensor<2>,
}

/// Embeddings of queries, and of the document that answers each: row i answers query i.
#[derive(Debug, Clone, new)]
pub struct RetrievalInput {
    queries: Tensor<2>,
    documents: Tensor<2>,
}

/// [`spearman`] correlation of similarities and scores, over all pairs of an epoch.
pub type SpearmanMetric = EpochMetric<Spearman>;
/// [`triplet_accuracy`](crate::evaluation::triplet_accuracy) over all triplets of an epoch.
pub type TripletAccuracyMetric = EpochMetric<TripletAccuracy>;
/// [nDCG](crate::evaluation::InformationRetrieval::ndcg) at `k`, of a search in all documents of an epoch.
pub type NdcgMetric = EpochMetric<Ndcg>;

/// The measure of [`SpearmanMetric`].
#[derive(Debug, Clone)]
pub struct Spearman {
    similarity: Similarity,
}

/// The measure of [`TripletAccuracyMetric`].
#[derive(Debug, Clone)]
pub struct TripletAccuracy {
    similarity: Similarity,
    margin: f64,
}

/// The measure of [`NdcgMetric`].
#[derive(Debug, Clone)]
pub struct Ndcg {
    similarity: Similarity,
    k: usize,
}

impl SpearmanMetric {
    /// Correlates this similarity with the scores.
    pub fn new(similarity: Similarity) -> Self {
        Self::over(Spearman { similarity })
    }
}

impl TripletAccuracyMetric {
    /// Counts triplets whose positive is more similar than their negative, by more than `margin`.
    pub fn new(similarity: Similarity, margin: f64) -> Self {
        Self::over(TripletAccuracy { similarity, margin })
    }
}

impl NdcgMetric {
    /// Rates the first `k` documents of each query.
    ///
    /// # Panics
    ///
    /// If `k` is 0.
    #[track_caller]
    pub fn new(similarity: Similarity, k: usize) -> Self {
        assert!(k > 0, "NdcgMetric: `k` must be at least 1, got 0");
        Self::over(Ndcg { similarity, k })
    }
}

impl OverEpoch for Spearman {
    type Input = SpearmanInput;

    fn name(&self) -> String {
        format!("Spearman [{:?}]", self.similarity)
    }

    fn gather(&self, input: &SpearmanInput) -> Tensor<2> {
        let pairs = [("left", input.left.clone()), ("right", input.right.clone())];
        let similarities = paired("SpearmanInput", pairs, self.similarity);
        let [rows] = similarities.dims();
        expect_length("SpearmanInput", "scores", input.scores.dims()[0], rows);
        let scores = input.scores.clone().inner().cast(similarities.dtype());
        Tensor::stack(vec![similarities, scores], 1)
    }

    fn value(&self, gathered: Tensor<2>) -> Result<Option<f64>, TensorReadError> {
        let columns = gathered.transpose();
        let values = columns.try_into_data()?.iter::<f64>().collect::<Vec<_>>();
        let (similarities, scores) = values.split_at(values.len() / 2);
        Ok(spearman(similarities, scores))
    }
}

impl OverEpoch for TripletAccuracy {
    type Input = TripletInput;

    fn name(&self) -> String {
        match self.margin {
            0.0 => format!("Triplet accuracy [{:?}]", self.similarity),
            margin => format!("Triplet accuracy [{:?}, margin {margin}]", self.similarity),
        }
    }

    fn gather(&self, input: &TripletInput) -> Tensor<2> {
        let rows = [&input.anchor, &input.positive, &input.negative].map(Clone::clone);
        similarities("TripletInput", rows, self.similarity).transpose()
    }

    fn value(&self, gathered: Tensor<2>) -> Result<Option<f64>, TensorReadError> {
        let columns = gathered.transpose();
        let values = columns.try_into_data()?.iter::<f64>().collect::<Vec<_>>();
        Ok(Some(accuracy(&values, self.margin)))
    }
}

impl OverEpoch for Ndcg {
    type Input = RetrievalInput;

    fn name(&self) -> String {
        format!("nDCG@{} [{:?}]", self.k, self.similarity)
    }

    fn gather(&self, input: &RetrievalInput) -> Tensor<2> {
        let RetrievalInput { queries, documents } = input;
        require_rows("RetrievalInput", "queries", queries.dims());
        same_shape("RetrievalInput", "documents", documents.dims(), queries.dims());
        Tensor::cat(vec![queries.clone().inner(), documents.clone().inner()], 1)
    }

    fn value(&self, gathered: Tensor<2>) -> Result<Option<f64>, TensorReadError> {
        let answers: Vec<_> = (0..gathered.dims()[0]).map(|row| vec![row]).collect();
        let sides: [Tensor<2>; 2] =
            gathered.chunk(2, 1).try_into().expect("queries and documents are gathered");
        let [queries, documents] = sides;
        let config = InformationRetrievalConfig::new()
            .with_similarity(self.similarity)
            .with_ndcg_at_k(vec![self.k])
            .with_accuracy_at_k(vec![])
            .with_precision_recall_at_k(vec![])
            .with_mrr_at_k(vec![])
            .with_map_at_k(vec![]);
        let found = config.evaluate(queries, documents, &answers);
        Ok(found.ok().map(|found| found.ndcg[&self.k]))
    }
}
