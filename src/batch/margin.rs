use burn::prelude::*;

use super::RetrievalBatch;
use super::columns::{Batch, ColumnMapper, Columns};
use super::integers::signed;
use super::values::check_finite;
use crate::error::BatchError;
use crate::numeric::accumulate;

const NAME: &str = "MarginBatch";

/// What a teacher says of the candidates of a query.
#[derive(Debug, Clone)]
pub enum MarginTargets {
    /// The margin `s(q, p) − s(q, n)` for the only negative, `[n]`.
    Margin(Tensor<1>),
    /// With k negatives: the k margins, `[n, k]`; or the k + 1 scores of the positive and the
    /// negatives, `[n, k + 1]`, whose differences are the margins.
    MarginsOrScores(Tensor<2>),
}

impl From<Tensor<1>> for MarginTargets {
    fn from(margin: Tensor<1>) -> Self {
        Self::Margin(margin)
    }
}

impl From<Tensor<2>> for MarginTargets {
    fn from(margins_or_scores: Tensor<2>) -> Self {
        Self::MarginsOrScores(margins_or_scores)
    }
}

impl From<Tensor<1, Int>> for MarginTargets {
    fn from(margin: Tensor<1, Int>) -> Self {
        signed(margin).float().into()
    }
}

impl From<Tensor<2, Int>> for MarginTargets {
    fn from(margins_or_scores: Tensor<2, Int>) -> Self {
        signed(margins_or_scores).float().into()
    }
}

/// Queries with a positive, one or more negatives, and the margins that a teacher sees between
/// them: the batch of MarginMSELoss.
#[derive(Debug, Clone)]
pub struct MarginBatch {
    pub(crate) candidates: RetrievalBatch,
    pub(crate) margins: Tensor<2>,
}

impl MarginBatch {
    /// Query, positive and each of the k negatives, `[n, dim]`, and a margin for each negative.
    /// Scores, `[n, k + 1]`, become margins.
    ///
    /// # Panics
    ///
    /// If the embeddings differ in shape or type, there is no negative, or `targets` is neither
    /// `[n]` (with one negative), `[n, k]` nor `[n, k + 1]`.
    #[track_caller]
    pub fn new(
        query: Tensor<2>,
        positive: Tensor<2>,
        negatives: Vec<Tensor<2>>,
        targets: impl Into<MarginTargets>,
    ) -> Self {
        let candidates = RetrievalBatch::within([NAME, "query"], query, positive, negatives);
        Self::of(candidates, targets.into())
    }

    #[track_caller]
    fn of(candidates: RetrievalBatch, targets: MarginTargets) -> Self {
        let ([n, _], k) = (candidates.anchor.dims(), candidates.negatives.len());
        assert!(k > 0, "{NAME}: `negatives` must hold at least one column, got none");
        let margins = margins_of(NAME, targets, [n, k]);
        let margins = margins.cast(candidates.anchor.dtype()).inner();
        Self { candidates, margins }
    }

    /// Query, positive and the k negatives, `[n, dim]` each.
    pub fn candidates(&self) -> &RetrievalBatch {
        &self.candidates
    }

    /// The target margin of each negative, `[n, k]`, without a gradient.
    pub fn margins(&self) -> &Tensor<2> {
        &self.margins
    }

    /// The candidates, and the target margin of each negative, `[n, k]`.
    pub fn into_parts(self) -> (RetrievalBatch, Tensor<2>) {
        (self.candidates, self.margins)
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding or a margin is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        check_finite(NAME, self)
    }
}

/// The margin of each of the `k` negatives of `n` queries, `[n, k]`.
#[track_caller]
pub(super) fn margins_of(owner: &str, targets: MarginTargets, [n, k]: [usize; 2]) -> Tensor<2> {
    // Widened before scores are subtracted.
    let targets = accumulate(match targets {
        MarginTargets::Margin(margin) => margin.unsqueeze_dim(1),
        MarginTargets::MarginsOrScores(targets) => targets,
    });
    match targets.dims() {
        [rows, columns] if rows == n && columns == k => targets,
        [rows, columns] if rows == n && columns == k + 1 => {
            targets.clone().slice([0..n, 0..1]) - targets.slice([0..n, 1..k + 1])
        }
        got => panic!(
            "{owner}: `targets` must have shape {:?} (margins) or {:?} (scores), got {got:?}",
            [n, k],
            [n, k + 1]
        ),
    }
}

impl Columns for MarginBatch {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let candidates = self.candidates.map_columns(mapper);
        Self::of(candidates, mapper.map_numbers("margins", self.margins).into())
    }
}

impl Batch for MarginBatch {}

impl<T: Into<MarginTargets>> From<(Tensor<2>, Tensor<2>, Tensor<2>, T)> for MarginBatch {
    #[track_caller]
    fn from((query, positive, negative, targets): (Tensor<2>, Tensor<2>, Tensor<2>, T)) -> Self {
        Self::new(query, positive, vec![negative], targets)
    }
}

impl<T: Into<MarginTargets>> From<(Tensor<2>, Tensor<2>, Vec<Tensor<2>>, T)> for MarginBatch {
    #[track_caller]
    fn from(parts: (Tensor<2>, Tensor<2>, Vec<Tensor<2>>, T)) -> Self {
        let (query, positive, negatives, targets) = parts;
        Self::new(query, positive, negatives, targets)
    }
}
