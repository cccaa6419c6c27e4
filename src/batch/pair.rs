use core::ops::RangeInclusive;

use burn::prelude::*;

use super::columns::{Batch, ColumnMapper, Columns, Role};
use super::integers::signed;
use super::shape::Leader;
use super::values::{check_finite, none_of, within};
use super::warning::warn_once;
use crate::error::BatchError;

const NAME: &str = "PairBatch";

/// Pairs of embeddings with one number each: a binary label (ContrastiveLoss,
/// OnlineContrastiveLoss) or a similarity score (AnglELoss, CoSENTLoss, CosineSimilarityLoss).
#[derive(Debug, Clone)]
pub struct PairBatch {
    pub(crate) left: Tensor<2>,
    pub(crate) right: Tensor<2>,
    pub(crate) labels: Tensor<1>,
}

impl PairBatch {
    /// Left and right rows, `[n, dim]`, and a label or score each, `[n]`. Labels may also be
    /// integers, where a tuple is turned into a batch.
    ///
    /// # Panics
    ///
    /// If `left` has no row or no column, `right` has another shape or type, or `labels` is not
    /// `[n]`.
    #[track_caller]
    pub fn new(left: Tensor<2>, right: Tensor<2>, labels: Tensor<1>) -> Self {
        let (leader, left) = Leader::new(NAME, "left", left);
        let right = leader.embeddings("right", right);
        let labels = leader.numbers("labels", labels, [left.dims()[0]]);
        Self { left, right, labels }
    }

    /// The pairs of anchors with each of their documents: with the positive `[n, dim]`, whose labels are `labels`
    /// (without any, 1), then with each column of negatives, `[n, dim]`, whose labels are 1 minus these.
    ///
    /// # Panics
    ///
    /// If `anchor` has no row or no column, another part has another shape or type, or `labels` is not `[n]`.
    ///
    /// # Example
    ///
    /// ```
    /// use burn::prelude::*;
    /// use burn_embedding_losses::batch::PairBatch;
    ///
    /// let rows = Tensor::<2>::ones([2, 3], &Device::flex());
    /// let labels = Tensor::<1>::from_floats([1.0, 0.75], &Device::flex());
    /// let batch = PairBatch::of_rankings(rows.clone(), rows.clone(), vec![rows], Some(labels));
    /// assert_eq!(batch.labels().to_data(), TensorData::from([1.0f32, 0.75, 0.0, 0.25]));
    /// ```
    #[track_caller]
    pub fn of_rankings(
        anchor: Tensor<2>,
        positive: Tensor<2>,
        negatives: Vec<Tensor<2>>,
        labels: Option<Tensor<1>>,
    ) -> Self {
        let (leader, anchor) = Leader::new(NAME, "anchor", anchor);
        let mut documents = vec![leader.embeddings("positive", positive)];
        documents.extend(leader.columns("negatives", 0, negatives));
        let n = anchor.dims()[0];
        let labels =
            labels.unwrap_or_else(|| Tensor::ones([n], (&anchor.device(), anchor.dtype())));
        let labels = leader.numbers("labels", labels, [n]);
        let of_negatives = labels.clone().neg().add_scalar(1.0);
        let count = documents.len();
        let mut all = vec![of_negatives; count];
        all[0] = labels;
        let left = Tensor::cat(vec![anchor; count], 0);
        Self { left, right: Tensor::cat(documents, 0), labels: Tensor::cat(all, 0) }
    }

    /// The left embeddings, `[n, dim]`.
    pub fn left(&self) -> &Tensor<2> {
        &self.left
    }

    /// The right embeddings, `[n, dim]`.
    pub fn right(&self) -> &Tensor<2> {
        &self.right
    }

    /// One label or score for each pair, `[n]`, without a gradient.
    pub fn labels(&self) -> &Tensor<1> {
        &self.labels
    }

    /// Left embeddings, right embeddings and labels.
    pub fn into_parts(self) -> (Tensor<2>, Tensor<2>, Tensor<1>) {
        (self.left, self.right, self.labels)
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding or a label is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite(NAME, self)
    }

    /// [`check`](Self::check), and that every label is 0 or 1, reading from the device.
    ///
    /// # Errors
    ///
    /// If a value is not finite, or a label is neither 0 nor 1.
    pub fn check_binary(&self) -> Result<(), BatchError> {
        self.check()?;
        self.check_either()
    }

    /// [`check`](Self::check), and that every score is in `range`, reading from the device.
    ///
    /// # Errors
    ///
    /// If a value is not finite, or a score lies outside `range`.
    ///
    /// # Example
    ///
    /// ```
    /// use burn::prelude::*;
    /// use burn_embedding_losses::batch::PairBatch;
    ///
    /// let device = Device::flex();
    /// let rows = Tensor::<2>::ones([2, 3], &device);
    /// let scores = Tensor::<1>::from_floats([0.5, 5.0], &device);
    /// let batch = PairBatch::new(rows.clone(), rows, scores);
    ///
    /// let error = batch.check_scores(0.0..=1.0).unwrap_err().to_string();
    /// assert_eq!(error, "PairBatch: `labels` must be in 0..=1, row 1 is not");
    /// ```
    pub fn check_scores(&self, range: RangeInclusive<f64>) -> Result<(), BatchError> {
        self.check()?;
        within(&self.labels, NAME, range)
    }

    fn check_either(&self) -> Result<(), BatchError> {
        let labels = || self.labels.clone();
        let other = labels().not_equal_elem(0.0).bool_and(labels().not_equal_elem(1.0));
        none_of(other, NAME, "labels", "0 or 1")
    }

    /// In a debug build, warns once that a score is outside the range that `loss` is made for.
    pub(crate) fn warn_outside(&self, loss: &'static str, range: RangeInclusive<f64>) {
        warn_once(loss, || within(&self.labels, NAME, range));
    }

    /// In a debug build, warns once that a label is neither 0 nor 1.
    pub(crate) fn warn_unless_either(&self, loss: &'static str) {
        warn_once(loss, || self.check_either());
    }

    /// In a debug build, panics if a score is outside the range that the loss needs.
    #[track_caller]
    pub(crate) fn require_within(&self, range: RangeInclusive<f64>) {
        if cfg!(debug_assertions)
            && let Err(error) = within(&self.labels, NAME, range)
        {
            panic!("{error}");
        }
    }
}

impl Columns for PairBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let left = mapper.map(Role::Anchor, "left", self.left);
        let right = mapper.map(Role::Other, "right", self.right);
        Self::new(left, right, mapper.map_numbers("labels", self.labels))
    }
}

impl Batch for PairBatch {}

impl From<(Tensor<2>, Tensor<2>, Tensor<1>)> for PairBatch {
    #[track_caller]
    fn from((left, right, labels): (Tensor<2>, Tensor<2>, Tensor<1>)) -> Self {
        Self::new(left, right, labels)
    }
}

impl From<(Tensor<2>, Tensor<2>, Tensor<1, Int>)> for PairBatch {
    #[track_caller]
    fn from((left, right, labels): (Tensor<2>, Tensor<2>, Tensor<1, Int>)) -> Self {
        Self::new(left, right, signed(labels).float())
    }
}
