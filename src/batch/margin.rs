use burn::prelude::*;

use super::RetrievalBatch;
use super::shape::check_finite;
use crate::error::BatchError;
use crate::numeric::accumulate;

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

/// Queries with a positive, one or more negatives, and the margins that a teacher sees between
/// them: the batch of MarginMSELoss.
#[derive(Debug, Clone)]
pub struct MarginBatch {
    /// Query, positive and the k negatives, `[n, dim]` each.
    pub candidates: RetrievalBatch,
    /// Target margin of each negative, `[n, k]`, without a gradient.
    pub margins: Tensor<2>,
}

impl MarginBatch {
    /// Scores, shape `[n, k + 1]`, become margins.
    ///
    /// # Panics
    ///
    /// If the embeddings differ in shape, there is no negative, or `targets` is neither `[n]` (with
    /// one negative), `[n, k]` nor `[n, k + 1]`.
    #[track_caller]
    pub fn new(
        query: Tensor<2>,
        positive: Tensor<2>,
        negatives: Vec<Tensor<2>>,
        targets: impl Into<MarginTargets>,
    ) -> Self {
        let candidates = RetrievalBatch::new(query, positive, negatives);
        let ([n, _], k) = (candidates.anchor.dims(), candidates.negatives.len());
        assert!(k > 0, "MarginBatch: `negatives` must hold at least one column, got none");
        // Widened before scores are subtracted.
        let targets = accumulate(match targets.into() {
            MarginTargets::Margin(margin) => margin.unsqueeze_dim(1),
            MarginTargets::MarginsOrScores(targets) => targets,
        });
        let margins = match targets.dims() {
            [rows, columns] if rows == n && columns == k => targets,
            [rows, columns] if rows == n && columns == k + 1 => {
                targets.clone().slice([0..n, 0..1]) - targets.slice([0..n, 1..k + 1])
            }
            got => panic!(
                "MarginBatch: `targets` must have shape {:?} (margins) or {:?} (scores), got {got:?}",
                [n, k],
                [n, k + 1]
            ),
        };
        let margins = margins.cast(candidates.anchor.dtype()).inner();
        Self { candidates, margins }
    }

    /// Checks the values, reading from the device.
    ///
    /// # Errors
    ///
    /// If an embedding or a margin is not finite.
    pub fn check(&self) -> Result<(), BatchError> {
        self.candidates.check()?;
        check_finite("MarginBatch", "margins", &self.margins)
    }
}

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
