use burn::prelude::*;

use super::columns::{Batch, ColumnMapper, Columns, Role};
use super::integers::signed;
use super::shape::Leader;
use super::values::{check_finite, none_of};
use crate::error::BatchError;

const NAME: &str = "ClassifiedPairBatch";

/// A row with this class index does not take part in the loss (PyTorch's `ignore_index`).
pub const IGNORED_LABEL: i64 = -100;

/// The class of every pair.
#[derive(Debug, Clone)]
pub enum ClassTargets {
    /// Class indices in `0..classes`, or [`IGNORED_LABEL`], `[n]`: integers of any type.
    Indices(Tensor<1, Int>),
    /// A probability for each class, `[n, classes]`, rows adding up to 1.
    Probabilities(Tensor<2>),
}

impl From<Tensor<1, Int>> for ClassTargets {
    fn from(indices: Tensor<1, Int>) -> Self {
        Self::Indices(indices)
    }
}

impl From<Tensor<2>> for ClassTargets {
    fn from(probabilities: Tensor<2>) -> Self {
        Self::Probabilities(probabilities)
    }
}

impl ClassTargets {
    /// In a debug build, panics if a class index is neither in `0..classes` nor [`IGNORED_LABEL`]. Reads from
    /// the device.
    #[track_caller]
    pub(crate) fn require_below(&self, owner: &str, classes: usize) {
        if cfg!(debug_assertions)
            && let Self::Indices(indices) = self
            && let Err(error) = check_class_indices(owner, indices, classes)
        {
            panic!("{error}");
        }
    }
}

/// Pairs of embeddings with a class each: the batch of SoftmaxLoss.
#[derive(Debug, Clone)]
pub struct ClassifiedPairBatch {
    pub(crate) left: Tensor<2>,
    pub(crate) right: Tensor<2>,
    pub(crate) targets: ClassTargets,
}

impl ClassifiedPairBatch {
    /// Pairs `[n, dim]` and a class each: indices `[n]`, or probabilities `[n, classes]`.
    ///
    /// # Panics
    ///
    /// If `left` has no row or no column, `right` has another shape or type, or `targets` does not
    /// have `n` rows.
    #[track_caller]
    pub fn new(left: Tensor<2>, right: Tensor<2>, targets: impl Into<ClassTargets>) -> Self {
        let (leader, left) = Leader::new(NAME, "left", left);
        let right = leader.embeddings("right", right);
        let targets = match targets.into() {
            ClassTargets::Indices(indices) => {
                ClassTargets::Indices(leader.integers("targets", indices))
            }
            ClassTargets::Probabilities(p) => {
                let dims = [left.dims()[0], p.dims()[1]];
                ClassTargets::Probabilities(leader.numbers("targets", p, dims))
            }
        };
        Self { left, right, targets }
    }

    /// The left embeddings, `[n, dim]`.
    pub fn left(&self) -> &Tensor<2> {
        &self.left
    }

    /// The right embeddings, `[n, dim]`.
    pub fn right(&self) -> &Tensor<2> {
        &self.right
    }

    /// The class of every pair, without a gradient.
    pub fn targets(&self) -> &ClassTargets {
        &self.targets
    }

    /// Left embeddings, right embeddings and classes.
    pub fn into_parts(self) -> (Tensor<2>, Tensor<2>, ClassTargets) {
        (self.left, self.right, self.targets)
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding or a probability is not finite, or a class index is neither in `0..classes`
    /// nor [`IGNORED_LABEL`].
    pub fn check(&self, classes: usize) -> Result<(), BatchError> {
        check_finite(NAME, self)?;
        match &self.targets {
            ClassTargets::Probabilities(_) => Ok(()),
            ClassTargets::Indices(indices) => check_class_indices(NAME, indices, classes),
        }
    }
}

/// An error naming the first row whose class index is out of range; reads from the device.
pub(super) fn check_class_indices(
    owner: &str,
    indices: &Tensor<1, Int>,
    classes: usize,
) -> Result<(), BatchError> {
    let indices = signed(indices.clone());
    let outside = indices
        .clone()
        .lower_elem(0)
        .bool_or(indices.clone().greater_equal_elem(classes as i64))
        .bool_and(indices.not_equal_elem(IGNORED_LABEL));
    let rule = format_args!("below {classes} (or {IGNORED_LABEL}, which is left out)");
    none_of(outside, owner, "targets", rule)
}

impl Columns for ClassTargets {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        match self {
            Self::Indices(indices) => Self::Indices(mapper.map_integers("targets", indices)),
            Self::Probabilities(p) => Self::Probabilities(mapper.map_numbers("targets", p)),
        }
    }
}

impl Columns for ClassifiedPairBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let left = mapper.map(Role::Anchor, "left", self.left);
        let right = mapper.map(Role::Other, "right", self.right);
        Self::new(left, right, self.targets.map_columns(mapper))
    }
}

impl Batch for ClassifiedPairBatch {}

impl<T: Into<ClassTargets>> From<(Tensor<2>, Tensor<2>, T)> for ClassifiedPairBatch {
    #[track_caller]
    fn from((left, right, targets): (Tensor<2>, Tensor<2>, T)) -> Self {
        Self::new(left, right, targets)
    }
}
