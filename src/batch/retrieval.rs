use burn::prelude::*;

use super::shape::{check_finite, following, leading};
use crate::error::BatchError;

/// Anchors (queries) with a positive each and any number of hard negatives each: the batch of the
/// ranking losses.
#[derive(Debug, Clone)]
pub struct RetrievalBatch {
    /// Anchors, `[n, dim]`.
    pub anchor: Tensor<2>,
    /// Positives, `[n, dim]`.
    pub positive: Tensor<2>,
    /// Hard negatives, `[n, dim]` each; may be empty.
    pub negatives: Vec<Tensor<2>>,
}

impl RetrievalBatch {
    /// # Panics
    ///
    /// If `anchor` has no row or no column, or another part has another shape.
    #[track_caller]
    pub fn new(anchor: Tensor<2>, positive: Tensor<2>, negatives: Vec<Tensor<2>>) -> Self {
        let anchor = leading("RetrievalBatch", "anchor", anchor);
        let shape = anchor.dims();
        let positive = following("RetrievalBatch", "positive", positive, shape);
        let widen = |(k, negative)| {
            following("RetrievalBatch", &format!("negatives[{k}]"), negative, shape)
        };
        let negatives = negatives.into_iter().enumerate().map(widen).collect();
        Self { anchor, positive, negatives }
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite("RetrievalBatch", "anchor", &self.anchor)?;
        check_finite("RetrievalBatch", "positive", &self.positive)?;
        self.negatives
            .iter()
            .try_for_each(|negative| check_finite("RetrievalBatch", "negatives", negative))
    }
}

impl From<(Tensor<2>, Tensor<2>)> for RetrievalBatch {
    #[track_caller]
    fn from((anchor, positive): (Tensor<2>, Tensor<2>)) -> Self {
        Self::new(anchor, positive, Vec::new())
    }
}

impl From<(Tensor<2>, Tensor<2>, Tensor<2>)> for RetrievalBatch {
    #[track_caller]
    fn from((anchor, positive, negative): (Tensor<2>, Tensor<2>, Tensor<2>)) -> Self {
        Self::new(anchor, positive, vec![negative])
    }
}

impl From<(Tensor<2>, Tensor<2>, Vec<Tensor<2>>)> for RetrievalBatch {
    #[track_caller]
    fn from((anchor, positive, negatives): (Tensor<2>, Tensor<2>, Vec<Tensor<2>>)) -> Self {
        Self::new(anchor, positive, negatives)
    }
}
