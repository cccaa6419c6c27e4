use burn::prelude::*;

use super::RetrievalBatch;
use super::columns::{Batch, ColumnMapper, Columns, Role};
use super::shape::{require_rows, same_shape, same_type};
use super::values::check_finite;
use crate::error::BatchError;
use crate::numeric::{accumulate, accumulation_type};

const NAME: &str = "GuidedBatch";

/// Anchors, positives and hard negatives, with another model's embeddings of the same texts: the batch of
/// GISTEmbedLoss.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::GuidedBatch;
///
/// let device = Device::flex();
/// let rows = |dim| Tensor::<2>::ones([3, dim], &device);
/// // Anchors and positives; the guide's embeddings have more dimensions.
/// let batch = GuidedBatch::new((rows(4), rows(4)), vec![rows(8), rows(8)]);
/// assert_eq!(batch.guide()[0].dims(), [3, 8]);
/// ```
#[derive(Debug, Clone)]
pub struct GuidedBatch {
    pub(crate) candidates: RetrievalBatch,
    pub(crate) guide: Vec<Tensor<2>>,
}

impl GuidedBatch {
    /// Candidates, `[n, dim]` each, and the guide's embeddings of anchors, positives and each column of hard
    /// negatives, `[n, guide_dim]` each.
    ///
    /// # Panics
    ///
    /// If the guide has not as many columns as the candidates, or a column of another shape or type than its
    /// first, or another number of rows.
    #[track_caller]
    pub fn new(candidates: impl Into<RetrievalBatch>, guide: Vec<Tensor<2>>) -> Self {
        let candidates = candidates.into();
        let ([n, _], columns) = (candidates.anchor.dims(), 2 + candidates.negatives.len());
        let got = guide.len();
        assert!(got == columns, "{NAME}: `guide` must have {columns} columns, got {got}");
        let (shape, dtype) = (guide[0].dims(), accumulation_type(guide[0].dtype()));
        require_rows(NAME, "guide[0]", shape);
        let mut constants = Vec::with_capacity(columns);
        for (index, rows) in guide.into_iter().enumerate() {
            let field = format!("guide[{index}]");
            same_shape(NAME, &field, rows.dims(), [n, shape[1]]);
            let rows = accumulate(rows).inner();
            same_type(NAME, &field, rows.dtype(), ("guide[0]", dtype));
            constants.push(rows);
        }
        Self { candidates, guide: constants }
    }

    /// The embeddings that are trained: anchors, positives and hard negatives.
    pub fn candidates(&self) -> &RetrievalBatch {
        &self.candidates
    }

    /// The guide's embeddings of anchors, positives and each column of hard negatives, `[n, guide_dim]` each,
    /// without a gradient.
    pub fn guide(&self) -> &[Tensor<2>] {
        &self.guide
    }

    /// The candidates, and the guide's embeddings.
    pub fn into_parts(self) -> (RetrievalBatch, Vec<Tensor<2>>) {
        (self.candidates, self.guide)
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding or a weight is not finite, or a weight is negative.
    pub fn check(&self) -> Result<(), BatchError> {
        self.candidates.check()?;
        check_finite(NAME, &self.guide)
    }
}

impl Columns for GuidedBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let candidates = self.candidates.map_columns(mapper);
        let guide = self.guide.into_iter().map(|rows| mapper.map(Role::Guide, "guide", rows));
        Self::new(candidates, guide.collect())
    }
}

impl Batch for GuidedBatch {}

impl<B: Into<RetrievalBatch>> From<(B, Vec<Tensor<2>>)> for GuidedBatch {
    #[track_caller]
    fn from((candidates, guide): (B, Vec<Tensor<2>>)) -> Self {
        Self::new(candidates, guide)
    }
}
