use burn::prelude::*;

use super::shape::{check_finite, following, leading};
use crate::error::BatchError;

/// Anchors with one positive and one negative each: the batch of TripletLoss.
#[derive(Debug, Clone)]
pub struct TripletBatch {
    /// Anchors, `[n, dim]`.
    pub anchor: Tensor<2>,
    /// Positives, `[n, dim]`.
    pub positive: Tensor<2>,
    /// Negatives, `[n, dim]`.
    pub negative: Tensor<2>,
}

impl TripletBatch {
    /// Anchors, positives and negatives, `[n, dim]`.
    ///
    /// # Panics
    ///
    /// If `anchor` has no row or no column, or `positive` or `negative` has another shape.
    #[track_caller]
    pub fn new(anchor: Tensor<2>, positive: Tensor<2>, negative: Tensor<2>) -> Self {
        let anchor = leading("TripletBatch", "anchor", anchor);
        let shape = anchor.dims();
        let positive = following("TripletBatch", "positive", positive, shape);
        let negative = following("TripletBatch", "negative", negative, shape);
        Self { anchor, positive, negative }
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite("TripletBatch", "anchor", &self.anchor)?;
        check_finite("TripletBatch", "positive", &self.positive)?;
        check_finite("TripletBatch", "negative", &self.negative)
    }
}

impl From<(Tensor<2>, Tensor<2>, Tensor<2>)> for TripletBatch {
    #[track_caller]
    fn from((anchor, positive, negative): (Tensor<2>, Tensor<2>, Tensor<2>)) -> Self {
        Self::new(anchor, positive, negative)
    }
}
