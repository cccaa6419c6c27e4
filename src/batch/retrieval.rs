use core::ops::Range;

use burn::prelude::*;

use super::RowIds;
use super::columns::{Batch, ColumnMapper, Columns, Role};
use super::shape::{Leader, same_shape};
use super::values::{check_finite, none_of};
use crate::budget::AnchorRows;
use crate::error::BatchError;

const NAME: &str = "RetrievalBatch";

/// Anchors (queries) with a positive each and any number of hard negatives each: the batch of the
/// ranking losses.
///
/// # A pool of documents
///
/// Documents that belong to no query, for instance those of earlier batches, become candidates of
/// every query as rows that are not the batch's own. Their place among the anchors is filled by
/// the documents themselves; it counts only where the loss compares queries with queries, or
/// documents with queries.
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::MultipleNegativesRankingLossConfig;
/// use burn_embedding_losses::batch::RetrievalBatch;
///
/// let device = Device::flex();
/// let queries = Tensor::<2>::from_floats([[1.0, 0.0]], &device);
/// let documents = Tensor::<2>::from_floats([[1.0, 0.0]], &device);
/// let pool = Tensor::<2>::from_floats([[0.0, 1.0], [0.0, 2.0]], &device);
///
/// let with_pool = |rows| Tensor::cat(vec![rows, pool.clone()], 0);
/// let batch = RetrievalBatch::from((with_pool(queries), with_pool(documents)));
/// // The first row is the only query; all three rows are candidates.
/// let batch = batch.with_own_rows(0..1);
///
/// // Cosines 1, 0 and 0: ln(e¹ + 2 e⁰) − 1
/// let loss = MultipleNegativesRankingLossConfig::new().with_scale(1.0).init();
/// let value = loss.forward(batch).into_scalar::<f32>();
/// assert!((value - 0.551445).abs() < 1e-6);
/// ```
#[derive(Debug, Clone)]
pub struct RetrievalBatch {
    pub(crate) anchor: Tensor<2>,
    pub(crate) positive: Tensor<2>,
    pub(crate) negatives: Vec<Tensor<2>>,
    pub(crate) ids: Option<RowIds>,
    pub(crate) negative_mask: Option<Tensor<2, Bool>>,
    pub(crate) weights: Option<Tensor<1>>,
    pub(crate) own_rows: Range<usize>,
}

impl RetrievalBatch {
    /// Anchors, positives and each column of hard negatives, `[n, dim]`.
    ///
    /// # Panics
    ///
    /// If `anchor` has no row or no column, or another part has another shape or type.
    #[track_caller]
    pub fn new(anchor: Tensor<2>, positive: Tensor<2>, negatives: Vec<Tensor<2>>) -> Self {
        Self::within([NAME, "anchor"], anchor, positive, negatives)
    }

    /// As [`new`](Self::new), with messages about the batch `owner` that calls anchors by another
    /// name.
    #[track_caller]
    pub(super) fn within(
        [owner, anchors]: [&'static str; 2],
        anchor: Tensor<2>,
        positive: Tensor<2>,
        negatives: Vec<Tensor<2>>,
    ) -> Self {
        let (leader, anchor) = Leader::new(owner, anchors, anchor);
        let positive = leader.embeddings("positive", positive);
        let negatives = leader.columns("negatives", 0, negatives);
        let own_rows = 0..anchor.dims()[0];
        let (ids, negative_mask, weights) = (None, None, None);
        Self { anchor, positive, negatives, ids, negative_mask, weights, own_rows }
    }

    /// The same batch, of whose rows it is known which belong together: see [`RowIds`]. Ids are
    /// integers of any type, `[n]`.
    ///
    /// # Panics
    ///
    /// If `ids` is not `[n]`.
    #[track_caller]
    pub fn with_ids(self, ids: Tensor<1, Int>) -> Self {
        let ids = Some(RowIds::new(NAME, ids, self.rows()));
        Self { ids, ..self }
    }

    /// The same batch with ids of the hard negatives, a column for each column of them.
    ///
    /// # Panics
    ///
    /// If the rows have no ids yet, or the ids are not `[n]` for every column of negatives.
    #[track_caller]
    pub fn with_negative_ids(mut self, ids: Vec<Tensor<1, Int>>) -> Self {
        let known = self.ids.take();
        let known = known.expect("RetrievalBatch: `ids` must be given before `negative_ids`");
        self.ids = Some(known.with_negatives(NAME, ids, self.negatives.len()));
        self
    }

    /// The same batch with different numbers of hard negatives for its rows: `exists`, `[n, k]`, is
    /// true where the negative of that row and column is one. Elsewhere the embedding only fills the
    /// column up, and is no candidate for any row.
    ///
    /// # Panics
    ///
    /// If there are no hard negatives, or `exists` is not `[n, k]`.
    ///
    /// # Example
    ///
    /// The first row has two hard negatives, the second has one:
    ///
    /// ```
    /// use burn::prelude::*;
    /// use burn_embedding_losses::batch::RetrievalBatch;
    ///
    /// let device = Device::flex();
    /// let rows = Tensor::<2>::ones([2, 3], &device);
    /// let exists = Tensor::<2, Bool>::from_bool([[true, true], [true, false]], &device);
    /// let batch = RetrievalBatch::new(rows.clone(), rows.clone(), vec![rows.clone(), rows])
    ///     .with_negative_mask(exists);
    /// assert_eq!(batch.negative_mask().unwrap().dims(), [2, 2]);
    /// ```
    #[track_caller]
    pub fn with_negative_mask(self, exists: Tensor<2, Bool>) -> Self {
        let columns = self.negatives.len();
        assert!(
            columns > 0,
            "{NAME}: `negative_mask` must mask hard negatives, got a batch without"
        );
        same_shape(NAME, "negative_mask", exists.dims(), [self.rows(), columns]);
        Self { negative_mask: Some(exists.inner()), ..self }
    }

    /// The same batch with a weight for the term of each row, `[n]`: constants, finite and not
    /// negative, which [`check`](Self::check) makes sure of.
    ///
    /// # Panics
    ///
    /// If `weights` is not `[n]`.
    #[track_caller]
    pub fn with_weights(self, weights: Tensor<1>) -> Self {
        same_shape(NAME, "weights", weights.dims(), [self.rows()]);
        let weights = Some(weights.cast(self.anchor.dtype()).inner());
        Self { weights, ..self }
    }

    /// The same batch, of which only the rows `own_rows` are queries; the others are candidates
    /// only. They come from other devices (see [`gather`](crate::gather)) or from a
    /// [pool](Self#a-pool-of-documents). `diagnose` counts the terms of the own rows, and describes
    /// all rows otherwise.
    ///
    /// # Panics
    ///
    /// If `own_rows` is empty or not within the batch.
    #[track_caller]
    pub fn with_own_rows(self, own_rows: Range<usize>) -> Self {
        let rows = self.rows();
        assert!(
            !own_rows.is_empty() && own_rows.end <= rows,
            "{NAME}: `own_rows` must be some of 0..{rows}, got {own_rows:?}"
        );
        Self { own_rows, ..self }
    }

    /// The anchors, `[n, dim]`.
    pub fn anchor(&self) -> &Tensor<2> {
        &self.anchor
    }

    /// The positive of each anchor, `[n, dim]`.
    pub fn positive(&self) -> &Tensor<2> {
        &self.positive
    }

    /// The hard negatives, `[n, dim]` each; may be empty.
    pub fn negatives(&self) -> &[Tensor<2>] {
        &self.negatives
    }

    /// Which rows belong together, if the batch was given [ids](Self::with_ids).
    pub fn ids(&self) -> Option<&RowIds> {
        self.ids.as_ref()
    }

    /// Which hard negatives exist, `[n, k]`, if not [all](Self::with_negative_mask) do.
    pub fn negative_mask(&self) -> Option<&Tensor<2, Bool>> {
        self.negative_mask.as_ref()
    }

    /// The weight of each row, `[n]`, if the batch was given [weights](Self::with_weights).
    pub fn weights(&self) -> Option<&Tensor<1>> {
        self.weights.as_ref()
    }

    /// The rows whose losses are wanted: all, or, of a batch [gathered](crate::gather) from several
    /// devices, those of this one. The others are candidates only.
    pub fn own_rows(&self) -> Range<usize> {
        self.own_rows.clone()
    }

    /// The anchors whose losses are wanted.
    pub(crate) fn anchors(&self) -> AnchorRows {
        let [_, dim] = self.anchor.dims();
        AnchorRows { device: self.anchor.device(), rows: self.own_rows(), dim }
    }

    /// The share of the own rows in all rows, in `(0, 1]`.
    pub fn share(&self) -> f64 {
        self.own_rows.len() as f64 / self.rows() as f64
    }

    /// The same batch with what `map` makes of its embeddings.
    #[track_caller]
    pub(crate) fn map_embeddings(self, map: impl Fn(Role, Tensor<2>) -> Tensor<2>) -> Self {
        let Self { anchor, positive, negatives, ids, negative_mask, weights, own_rows } = self;
        let negatives = negatives.into_iter().map(|rows| map(Role::Negative, rows)).collect();
        let mapped = Self::new(map(Role::Anchor, anchor), map(Role::Positive, positive), negatives);
        Self { ids, negative_mask, weights, own_rows, ..mapped }
    }

    /// Anchors, positives and hard negatives.
    pub fn into_parts(self) -> (Tensor<2>, Tensor<2>, Vec<Tensor<2>>) {
        (self.anchor, self.positive, self.negatives)
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding or a weight is not finite, or a weight is negative.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite(NAME, self)?;
        let negative = |weights: &Tensor<1>| weights.clone().lower_elem(0.0);
        self.weights
            .as_ref()
            .map_or(Ok(()), |weights| none_of(negative(weights), NAME, "weights", "0 or more"))
    }

    fn rows(&self) -> usize {
        self.anchor.dims()[0]
    }
}

impl Columns for RetrievalBatch {
    /// Own rows stay what they are if the number of rows does; otherwise all rows are.
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let (before, own_rows) = (self.rows(), self.own_rows);
        let anchor = mapper.map(Role::Anchor, "anchor", self.anchor);
        let positive = mapper.map(Role::Positive, "positive", self.positive);
        let negatives = self.negatives.into_iter();
        let negatives = negatives.map(|rows| mapper.map(Role::Negative, "negatives", rows));
        let mut batch = Self::new(anchor, positive, negatives.collect());
        if let Some(ids) = self.ids {
            let (rows, negatives) = ids.map(mapper);
            batch = batch.with_ids(rows);
            if !negatives.is_empty() {
                batch = batch.with_negative_ids(negatives);
            }
        }
        if let Some(exists) = self.negative_mask {
            batch = batch.with_negative_mask(mapper.map_flags("negative_mask", exists));
        }
        if let Some(weights) = self.weights {
            batch = batch.with_weights(mapper.map_numbers("weights", weights));
        }
        if batch.rows() == before { batch.with_own_rows(own_rows) } else { batch }
    }
}

impl Batch for RetrievalBatch {}

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
