//! Metrics for Burn's learner, computed over a whole epoch.
//!
//! A rank correlation has no mean over batches, and a query is to be answered from all documents, not
//! from those of its batch. So these metrics gather on the device what a batch gives, without its
//! gradient, and have a value only when the epoch is over. Until then the learner shows `N/A`.
//!
//! The output of a validation step implements [`Adaptor`](burn::train::metric::Adaptor) for the input of the metric:
//!
//! ```
//! use burn::prelude::*;
//! use burn::train::metric::Adaptor;
//! use burn_embedding_losses::Similarity;
//! use burn_embedding_losses::evaluation::metric::{SpearmanInput, SpearmanMetric};
//!
//! struct Validated {
//!     left: Tensor<2>,
//!     right: Tensor<2>,
//!     scores: Tensor<1>,
//! }
//!
//! impl Adaptor<SpearmanInput> for Validated {
//!     fn adapt(&self) -> SpearmanInput {
//!         SpearmanInput::new(self.left.clone(), self.right.clone(), self.scores.clone())
//!     }
//! }
//!
//! // For `SupervisedTraining::metric_valid_numeric`:
//! let metric = SpearmanMetric::new(Similarity::Cosine);
//! ```

use burn::prelude::*;
use burn::tensor::TensorReadError;
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry, format_float,
};
use derive_new::new;

use super::correlation::spearman;
use super::retrieval::InformationRetrievalConfig;
use super::scores::{expect_length, paired};
use super::triplets::{accuracy, similarities};
use crate::batch::shape::{require_rows, same_shape};
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

/// Embeddings of queries, and of the document that answers each.
#[derive(Debug, Clone, new)]
pub struct RetrievalInput {
    queries: Tensor<2>,
    documents: Tensor<2>,
}

/// What a metric gathers, and what it makes of it.
pub trait OverEpoch: Clone + Send + Sync {
    /// What a batch gives.
    type Input;

    /// The name of the metric.
    fn name(&self) -> String;

    /// What is kept of a batch, without a gradient, `[n, columns]`.
    fn gather(&self, input: &Self::Input) -> Tensor<2>;

    /// The value of all that was kept, `[rows, columns]`; `None` if it has none.
    fn value(&self, gathered: Tensor<2>) -> Result<Option<f64>, TensorReadError>;
}

/// A metric that has a value at the end of an epoch only.
///
/// Where there is none, for instance as all scores are equal, the learner is given 0 and shown `N/A`.
#[derive(Debug, Clone)]
pub struct EpochMetric<M> {
    measure: M,
    gathered: Vec<Tensor<2>>,
    value: Option<f64>,
}

/// [`spearman`] of similarities and scores, over all pairs of an epoch.
pub type SpearmanMetric = EpochMetric<Spearman>;
/// [`triplet_accuracy`](super::triplet_accuracy) over all triplets of an epoch.
pub type TripletAccuracyMetric = EpochMetric<TripletAccuracy>;
/// [nDCG](super::InformationRetrieval::ndcg) at `k` over an epoch, all of whose documents make the
/// corpus.
pub type NdcgMetric = EpochMetric<Ndcg>;

/// What [`SpearmanMetric`] measures.
#[derive(Debug, Clone)]
pub struct Spearman {
    similarity: Similarity,
}

/// What [`TripletAccuracyMetric`] measures.
#[derive(Debug, Clone)]
pub struct TripletAccuracy {
    similarity: Similarity,
    margin: f64,
}

/// What [`NdcgMetric`] measures.
#[derive(Debug, Clone)]
pub struct Ndcg {
    similarity: Similarity,
    k: usize,
}

impl SpearmanMetric {
    /// Rank correlation of this similarity with the scores.
    pub fn new(similarity: Similarity) -> Self {
        Self::over(Spearman { similarity })
    }
}

impl TripletAccuracyMetric {
    /// Triplets count whose positive is more similar by more than `margin`.
    pub fn new(similarity: Similarity, margin: f64) -> Self {
        Self::over(TripletAccuracy { similarity, margin })
    }
}

impl NdcgMetric {
    /// The first `k` documents count.
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

impl<M: OverEpoch> EpochMetric<M> {
    /// Gathers for this measure.
    pub fn over(measure: M) -> Self {
        Self { measure, gathered: Vec::new(), value: None }
    }
}

impl<M: OverEpoch> Metric for EpochMetric<M> {
    type Input = M::Input;

    fn name(&self) -> MetricName {
        MetricName::new(self.measure.name())
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes { unit: None, higher_is_better: true }.into()
    }

    fn update(
        &mut self,
        item: &M::Input,
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.gathered.push(self.measure.gather(item));
        Ok(SerializedEntry::not_available(None))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        self.value = match self.gathered.is_empty() {
            true => None,
            false => self.measure.value(Tensor::cat(self.gathered.clone(), 0))?,
        };
        Ok(self.value.map_or(SerializedEntry::not_available(None), |value| {
            let shown = format!("epoch {} - batch N/A", format_float(value, 4));
            SerializedEntry::new(shown, NumericEntry::Final(value).serialize())
        }))
    }

    fn clear(&mut self) {
        self.gathered.clear();
        self.value = None;
    }
}

impl<M: OverEpoch> Numeric for EpochMetric<M> {
    fn value(&self) -> Option<NumericEntry> {
        None
    }

    fn running_value(&self) -> Option<NumericEntry> {
        None
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Final(self.value.unwrap_or(0.0))
    }
}

#[cfg(test)]
mod tests;
