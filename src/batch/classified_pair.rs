use burn::prelude::*;

use super::shape::{check_finite, first_true, following, leading, same_shape};
use crate::error::BatchError;

/// A row with this class index does not take part in the loss (PyTorch's `ignore_index`).
pub const IGNORED_LABEL: i64 = -100;

/// The class of every pair.
#[derive(Debug, Clone)]
pub enum ClassTargets {
    /// Class indices in `0..classes`, or [`IGNORED_LABEL`], `[n]`.
    Indices(Tensor<1, Int>),
    /// A probability a class, `[n, classes]`, rows adding up to 1.
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

/// Pairs of embeddings with a class each: the batch of SoftmaxLoss.
#[derive(Debug, Clone)]
pub struct ClassifiedPairBatch {
    /// Left embeddings, `[n, dim]`.
    pub left: Tensor<2>,
    /// Right embeddings, `[n, dim]`.
    pub right: Tensor<2>,
    /// The class of every pair.
    pub targets: ClassTargets,
}

impl ClassifiedPairBatch {
    /// Pairs `[n, dim]` and a class each: indices `[n]`, or probabilities `[n, classes]`.
    ///
    /// # Panics
    ///
    /// If `left` has no row or no column, `right` has another shape, or `targets` does not have
    /// `n` rows.
    #[track_caller]
    pub fn new(left: Tensor<2>, right: Tensor<2>, targets: impl Into<ClassTargets>) -> Self {
        const NAME: &str = "ClassifiedPairBatch";
        let left = leading(NAME, "left", left);
        let right = following(NAME, "right", right, left.dims());
        let [n, _] = left.dims();
        let targets = match targets.into() {
            ClassTargets::Indices(indices) => {
                same_shape(NAME, "targets", indices.dims(), [n]);
                ClassTargets::Indices(indices)
            }
            ClassTargets::Probabilities(p) => {
                let [_, classes] = p.dims();
                let p = following(NAME, "targets", p, [n, classes]);
                ClassTargets::Probabilities(p.cast(left.dtype()).inner())
            }
        };
        Self { left, right, targets }
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding or a probability is not finite, or a class index is neither in `0..classes`
    /// nor [`IGNORED_LABEL`].
    pub fn check(&self, classes: usize) -> Result<(), BatchError> {
        const NAME: &str = "ClassifiedPairBatch";
        check_finite(NAME, "left", &self.left)?;
        check_finite(NAME, "right", &self.right)?;
        match &self.targets {
            ClassTargets::Probabilities(p) => check_finite(NAME, "targets", p),
            ClassTargets::Indices(indices) => check_class_indices(indices, classes),
        }
    }
}

/// An error naming the first row whose class index is out of range; reads from the device.
pub(crate) fn check_class_indices(
    indices: &Tensor<1, Int>,
    classes: usize,
) -> Result<(), BatchError> {
    let outside = indices
        .clone()
        .lower_elem(0)
        .bool_or(indices.clone().greater_equal_elem(classes as i64))
        .bool_and(indices.clone().not_equal_elem(IGNORED_LABEL));
    first_true(outside.unsqueeze_dim(1)).map_or(Ok(()), |row| {
        Err(BatchError::new(format!(
            "ClassifiedPairBatch: `targets` must be below {classes} (or {IGNORED_LABEL}, which \
             is left out), row {row} is not"
        )))
    })
}

impl<T: Into<ClassTargets>> From<(Tensor<2>, Tensor<2>, T)> for ClassifiedPairBatch {
    #[track_caller]
    fn from((left, right, targets): (Tensor<2>, Tensor<2>, T)) -> Self {
        Self::new(left, right, targets)
    }
}
