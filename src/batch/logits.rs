//! The batches of rerankers: raw scores of a cross-encoder, before any activation, with labels.

use core::ops::RangeInclusive;

use burn::prelude::*;

use super::classified_pair::{ClassTargets, check_class_indices};
use super::columns::{ColumnMapper, Columns, Role};
use super::integers::signed;
use super::margin::{MarginTargets, margins_of};
use super::shape::Leader;
use super::values::{check_finite, within};
use super::warning::warn_once;
use crate::error::BatchError;

/// Query-document pairs with one logit and one label each: the batch of a reranker's
/// BinaryCrossEntropyLoss and MSELoss.
#[derive(Debug, Clone)]
pub struct LogitBatch {
    /// `[n, 1]`.
    pub(crate) logits: Tensor<2>,
    /// `[n, 1]`.
    pub(crate) labels: Tensor<2>,
}

impl LogitBatch {
    /// A logit and a label for each pair, `[n]`. Labels may also be integers, where a tuple is turned into
    /// a batch.
    ///
    /// # Panics
    ///
    /// If there is no pair, or `labels` is not `[n]`.
    #[track_caller]
    pub fn new(logits: Tensor<1>, labels: Tensor<1>) -> Self {
        Self::of_columns(logits.unsqueeze_dim(1), labels.unsqueeze_dim(1))
    }

    #[track_caller]
    pub(crate) fn of_columns(logits: Tensor<2>, labels: Tensor<2>) -> Self {
        let (leader, logits) = Leader::new("LogitBatch", "logits", logits);
        let labels = leader.numbers("labels", labels, logits.dims());
        Self { logits, labels }
    }

    /// One logit for each pair, `[n]`.
    pub fn logits(&self) -> Tensor<1> {
        self.logits.clone().squeeze_dim(1)
    }

    /// One label for each pair, `[n]`, without a gradient.
    pub fn labels(&self) -> Tensor<1> {
        self.labels.clone().squeeze_dim(1)
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If a logit or a label is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite("LogitBatch", self)
    }

    /// [`check`](Self::check), and that every label is in `range`, reading from the device.
    ///
    /// # Errors
    ///
    /// If a value is not finite, or a label lies outside `range`.
    pub fn check_labels(&self, range: RangeInclusive<f64>) -> Result<(), BatchError> {
        self.check()?;
        within(&self.labels(), "LogitBatch", range)
    }

    /// In a debug build, warns once that a label is outside the range that `loss` is made for.
    pub(crate) fn warn_outside(&self, loss: &'static str, range: RangeInclusive<f64>) {
        warn_once(loss, || within(&self.labels(), "LogitBatch", range));
    }
}

impl Columns for LogitBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let logits = mapper.map(Role::Other, "logits", self.logits);
        Self::of_columns(logits, mapper.map_numbers("labels", self.labels))
    }
}

impl From<(Tensor<1>, Tensor<1>)> for LogitBatch {
    #[track_caller]
    fn from((logits, labels): (Tensor<1>, Tensor<1>)) -> Self {
        Self::new(logits, labels)
    }
}

impl From<(Tensor<1>, Tensor<1, Int>)> for LogitBatch {
    #[track_caller]
    fn from((logits, labels): (Tensor<1>, Tensor<1, Int>)) -> Self {
        Self::new(logits, signed(labels).float())
    }
}

/// Pairs with a logit for each class, and the class of the pair: the batch of a reranker's
/// CrossEntropyLoss.
#[derive(Debug, Clone)]
pub struct ClassLogitBatch {
    pub(crate) logits: Tensor<2>,
    pub(crate) targets: ClassTargets,
}

impl ClassLogitBatch {
    /// Logits `[n, classes]`, and class indices `[n]` or probabilities `[n, classes]`.
    ///
    /// # Panics
    ///
    /// If there is no pair or no class, or `targets` is neither `[n]` nor `[n, classes]`.
    #[track_caller]
    pub fn new(logits: Tensor<2>, targets: impl Into<ClassTargets>) -> Self {
        let (leader, logits) = Leader::new("ClassLogitBatch", "logits", logits);
        let targets = match targets.into() {
            ClassTargets::Indices(indices) => {
                ClassTargets::Indices(leader.integers("targets", indices))
            }
            ClassTargets::Probabilities(p) => {
                ClassTargets::Probabilities(leader.numbers("targets", p, logits.dims()))
            }
        };
        Self { logits, targets }
    }

    /// The logit of every pair and class, `[n, classes]`.
    pub fn logits(&self) -> &Tensor<2> {
        &self.logits
    }

    /// The class of every pair, without a gradient.
    pub fn targets(&self) -> &ClassTargets {
        &self.targets
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If a logit or a probability is not finite, or a class index is neither in `0..classes` nor
    /// [`IGNORED_LABEL`](super::IGNORED_LABEL).
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite("ClassLogitBatch", self)?;
        match &self.targets {
            ClassTargets::Probabilities(_) => Ok(()),
            ClassTargets::Indices(indices) => {
                check_class_indices("ClassLogitBatch", indices, self.logits.dims()[1])
            }
        }
    }
}

impl Columns for ClassLogitBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let logits = mapper.map(Role::Other, "logits", self.logits);
        Self::new(logits, self.targets.map_columns(mapper))
    }
}

impl<T: Into<ClassTargets>> From<(Tensor<2>, T)> for ClassLogitBatch {
    #[track_caller]
    fn from((logits, targets): (Tensor<2>, T)) -> Self {
        Self::new(logits, targets)
    }
}

/// Queries with the logits of their candidates, the positive first: the batch of a reranker's
/// MultipleNegativesRankingLoss.
#[derive(Debug, Clone)]
pub struct CandidateBatch {
    pub(crate) logits: Tensor<2>,
}

impl CandidateBatch {
    /// The logit of each query with each of its candidates, `[n, candidates]`, the positive first.
    ///
    /// # Panics
    ///
    /// If there is no query or no candidate.
    #[track_caller]
    pub fn new(logits: Tensor<2>) -> Self {
        Self { logits: Leader::new("CandidateBatch", "logits", logits).1 }
    }

    /// The logit of each query and candidate, `[n, candidates]`.
    pub fn logits(&self) -> &Tensor<2> {
        &self.logits
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If a logit is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite("CandidateBatch", self)
    }
}

impl Columns for CandidateBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        Self::new(mapper.map(Role::Other, "logits", self.logits))
    }
}

impl From<Tensor<2>> for CandidateBatch {
    #[track_caller]
    fn from(logits: Tensor<2>) -> Self {
        Self::new(logits)
    }
}

/// Queries with the logits of a positive and k negatives, and a teacher's margins between them: the
/// batch of a reranker's MarginMSELoss.
#[derive(Debug, Clone)]
pub struct CandidateMarginBatch {
    pub(crate) logits: Tensor<2>,
    /// `[n, k]`.
    pub(crate) margins: Tensor<2>,
}

impl CandidateMarginBatch {
    /// Logits `[n, 1 + k]`, the positive first, and a margin for each negative, `[n]` (with one negative)
    /// or `[n, k]`. Scores, `[n, k + 1]`, become margins.
    ///
    /// # Panics
    ///
    /// If there is no query or no negative, or `targets` has another shape.
    #[track_caller]
    pub fn new(logits: Tensor<2>, targets: impl Into<MarginTargets>) -> Self {
        const NAME: &str = "CandidateMarginBatch";
        let (leader, logits) = Leader::new(NAME, "logits", logits);
        let [n, candidates] = logits.dims();
        assert!(
            candidates > 1,
            "{NAME}: `logits` must have a positive and at least one negative a row, got {candidates} columns"
        );
        let margins = margins_of(NAME, targets.into(), [n, candidates - 1]);
        let margins = leader.numbers("targets", margins, [n, candidates - 1]);
        Self { logits, margins }
    }

    /// The logit of each query and candidate, `[n, 1 + k]`.
    pub fn logits(&self) -> &Tensor<2> {
        &self.logits
    }

    /// The teacher's margin for each negative, `[n, k]`, without a gradient.
    pub fn margins(&self) -> &Tensor<2> {
        &self.margins
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If a logit or a margin is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite("CandidateMarginBatch", self)
    }
}

impl Columns for CandidateMarginBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let logits = mapper.map(Role::Other, "logits", self.logits);
        Self::new(logits, mapper.map_numbers("margins", self.margins))
    }
}

impl<T: Into<MarginTargets>> From<(Tensor<2>, T)> for CandidateMarginBatch {
    #[track_caller]
    fn from((logits, targets): (Tensor<2>, T)) -> Self {
        Self::new(logits, targets)
    }
}
