use burn::prelude::*;

use super::shape::{check_finite, first_true, following, leading};
use crate::error::BatchError;

/// Pairs of embeddings with one number each: a binary label (ContrastiveLoss,
/// OnlineContrastiveLoss) or a similarity score (CosineSimilarityLoss).
#[derive(Debug, Clone)]
pub struct PairBatch {
    /// Left embeddings, `[n, dim]`.
    pub left: Tensor<2>,
    /// Right embeddings, `[n, dim]`.
    pub right: Tensor<2>,
    /// One label or score a pair, `[n]`, without a gradient.
    pub labels: Tensor<1>,
}

impl PairBatch {
    /// Left and right rows, `[n, dim]`, and a label or score each, `[n]`.
    ///
    /// # Panics
    ///
    /// If `left` has no row or no column, `right` has another shape, or `labels` is not `[n]`.
    #[track_caller]
    pub fn new(left: Tensor<2>, right: Tensor<2>, labels: Tensor<1>) -> Self {
        let left = leading("PairBatch", "left", left);
        let [n, dim] = left.dims();
        let right = following("PairBatch", "right", right, [n, dim]);
        let labels = following("PairBatch", "labels", labels, [n]).cast(left.dtype()).inner();
        Self { left, right, labels }
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding or a label is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite("PairBatch", "left", &self.left)?;
        check_finite("PairBatch", "right", &self.right)?;
        check_finite("PairBatch", "labels", &self.labels)
    }

    /// [`check`](Self::check), and that every label is 0 or 1, reading from the device.
    ///
    /// # Errors
    ///
    /// If a value is not finite, or a label is neither 0 nor 1.
    pub fn check_binary(&self) -> Result<(), BatchError> {
        self.check()?;
        let binary =
            self.labels.clone().equal_elem(0.0).bool_or(self.labels.clone().equal_elem(1.0));
        first_true(binary.bool_not().unsqueeze_dim(1)).map_or(Ok(()), |row| {
            Err(BatchError::new(format!("PairBatch: `labels` must be 0 or 1, row {row} is not")))
        })
    }
}

impl From<(Tensor<2>, Tensor<2>, Tensor<1>)> for PairBatch {
    #[track_caller]
    fn from((left, right, labels): (Tensor<2>, Tensor<2>, Tensor<1>)) -> Self {
        Self::new(left, right, labels)
    }
}

impl From<(Tensor<2>, Tensor<2>, Tensor<1, Int>)> for PairBatch {
    #[track_caller]
    fn from((left, right, labels): (Tensor<2>, Tensor<2>, Tensor<1, Int>)) -> Self {
        Self::new(left, right, labels.float())
    }
}
