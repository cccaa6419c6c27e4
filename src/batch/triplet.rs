use burn::prelude::*;

use super::columns::{Batch, ColumnMapper, Columns, Role};
use super::shape::Leader;
use super::values::check_finite;
use crate::error::BatchError;

const NAME: &str = "TripletBatch";

/// Anchors with one positive and one negative each: the batch of TripletLoss.
#[derive(Debug, Clone)]
pub struct TripletBatch {
    pub(crate) anchor: Tensor<2>,
    pub(crate) positive: Tensor<2>,
    pub(crate) negative: Tensor<2>,
}

impl TripletBatch {
    /// Anchors, positives and negatives, `[n, dim]`.
    ///
    /// # Panics
    ///
    /// If `anchor` has no row or no column, or `positive` or `negative` has another shape or type.
    #[track_caller]
    pub fn new(anchor: Tensor<2>, positive: Tensor<2>, negative: Tensor<2>) -> Self {
        let (leader, anchor) = Leader::new(NAME, "anchor", anchor);
        let positive = leader.embeddings("positive", positive);
        let negative = leader.embeddings("negative", negative);
        Self { anchor, positive, negative }
    }

    /// The anchors, `[n, dim]`.
    pub fn anchor(&self) -> &Tensor<2> {
        &self.anchor
    }

    /// The positive of each anchor, `[n, dim]`.
    pub fn positive(&self) -> &Tensor<2> {
        &self.positive
    }

    /// The negative of each anchor, `[n, dim]`.
    pub fn negative(&self) -> &Tensor<2> {
        &self.negative
    }

    /// Anchors, positives and negatives.
    pub fn into_parts(self) -> (Tensor<2>, Tensor<2>, Tensor<2>) {
        (self.anchor, self.positive, self.negative)
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite(NAME, self)
    }
}

impl Columns for TripletBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let anchor = mapper.map(Role::Anchor, "anchor", self.anchor);
        let positive = mapper.map(Role::Positive, "positive", self.positive);
        Self::new(anchor, positive, mapper.map(Role::Negative, "negative", self.negative))
    }
}

impl Batch for TripletBatch {}

impl From<(Tensor<2>, Tensor<2>, Tensor<2>)> for TripletBatch {
    #[track_caller]
    fn from((anchor, positive, negative): (Tensor<2>, Tensor<2>, Tensor<2>)) -> Self {
        Self::new(anchor, positive, negative)
    }
}
