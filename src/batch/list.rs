use burn::prelude::*;

use super::columns::{ColumnMapper, Columns, Role};
use super::shape::Leader;
use super::values::check_finite;
use crate::error::BatchError;

const NAME: &str = "ListBatch";

/// Queries with a list of documents each, the logit and the label of every document: the batch of a
/// reranker's listwise losses.
///
/// Lists of different lengths lie in one matrix, padded at the end or anywhere else. Padding never
/// changes a number, whatever it holds.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::ListBatch;
/// use burn_embedding_losses::reranking::ListNetLossConfig;
///
/// let device = Device::flex();
/// let logits = Tensor::<2>::from_floats([[0.3, 1.2, 0.1], [0.7, 9.9, 9.9]], &device);
/// let labels = Tensor::<2>::from_floats([[0.0, 1.0, 0.0], [1.0, 9.9, 9.9]], &device);
/// let batch = ListBatch::new(logits, labels, &[3, 1]);
///
/// assert_eq!(batch.lengths(), [3, 1]);
/// assert!(ListNetLossConfig::new().init().forward(batch).into_scalar::<f32>() > 0.0);
/// ```
#[derive(Debug, Clone)]
pub struct ListBatch {
    /// `[lists, longest]`, 0 where there is no document.
    pub(crate) logits: Tensor<2>,
    /// As the logits.
    pub(crate) labels: Tensor<2>,
    /// Whether there is a document.
    pub(crate) exists: Tensor<2, Bool>,
}

impl ListBatch {
    /// Logits and labels, `[lists, longest]`, of which the first `lengths[q]` of row `q` are documents. A
    /// list may be empty.
    ///
    /// # Panics
    ///
    /// If `logits` has no row or no column, `labels` has another shape, `lengths` has not one length for each
    /// list, or a length is larger than the matrix is wide.
    #[track_caller]
    pub fn new(logits: Tensor<2>, labels: Tensor<2>, lengths: &[usize]) -> Self {
        let [lists, longest] = logits.dims();
        assert!(
            lengths.len() == lists,
            "{NAME}: `lengths` must be one for each of {lists} lists, got {}",
            lengths.len()
        );
        let most = lengths.iter().max().copied().unwrap_or_default();
        assert!(most <= longest, "{NAME}: `lengths` must be at most {longest}, got {most}");
        let exists =
            lengths.iter().flat_map(|&length| (0..longest).map(move |place| place < length));
        let exists = TensorData::new(exists.collect::<Vec<bool>>(), [lists, longest]);
        let exists = Tensor::from_data(exists, &logits.device());
        Self::masked(logits, labels, exists)
    }

    /// Logits and labels, `[lists, longest]`, and whether there is a document at each place.
    ///
    /// # Panics
    ///
    /// If `logits` has no row or no column, or `labels` or `exists` has another shape.
    #[track_caller]
    pub fn masked(logits: Tensor<2>, labels: Tensor<2>, exists: Tensor<2, Bool>) -> Self {
        let (leader, logits) = Leader::new(NAME, "logits", logits);
        let labels = leader.numbers("labels", labels, logits.dims());
        let (got, expected) = (exists.dims(), logits.dims());
        assert!(got == expected, "{NAME}: `exists` must have shape {expected:?}, got {got:?}");
        let exists = exists.inner();
        let padding = exists.clone().bool_not();
        Self {
            logits: logits.mask_fill(padding.clone(), 0.0),
            labels: labels.mask_fill(padding, 0.0),
            exists,
        }
    }

    /// The logit of every document, `[lists, longest]`; 0 where there is none.
    pub fn logits(&self) -> &Tensor<2> {
        &self.logits
    }

    /// The label of every document, `[lists, longest]`, without a gradient; 0 where there is none.
    pub fn labels(&self) -> &Tensor<2> {
        &self.labels
    }

    /// Whether there is a document at each place, `[lists, longest]`.
    pub fn exists(&self) -> &Tensor<2, Bool> {
        &self.exists
    }

    /// The number of documents in each list. Reads from the device.
    pub fn lengths(&self) -> Vec<usize> {
        let exists: Vec<bool> = self.exists.to_data().iter::<bool>().collect();
        let lists = exists.chunks(self.exists.dims()[1]);
        lists.map(|list| list.iter().filter(|&&exists| exists).count()).collect()
    }

    /// Checks the values of the documents, reading from the device.
    ///
    /// # Errors
    ///
    /// If a logit or a label is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite(NAME, self)
    }
}

impl Columns for ListBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let logits = mapper.map(Role::Other, "logits", self.logits);
        let labels = mapper.map_numbers("labels", self.labels);
        Self::masked(logits, labels, mapper.map_flags("exists", self.exists))
    }
}

impl From<(Tensor<2>, Tensor<2>, &[usize])> for ListBatch {
    #[track_caller]
    fn from((logits, labels, lengths): (Tensor<2>, Tensor<2>, &[usize])) -> Self {
        Self::new(logits, labels, lengths)
    }
}
