//! Candidates that another model takes for positives.

use core::ops::Range;

use burn::prelude::*;

use crate::geometry::Similarity;
use crate::numeric::{PRODUCT_SLACK, machine_epsilon};
use crate::scores::{Comparison, PairwiseScores, Scores};

/// How far below the similarity of a query and its positive a negative has to stay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Margin {
    /// By this much.
    Absolute(f64),
    /// By this share of it.
    Relative(f64),
}

impl Margin {
    /// The largest score of a negative, for the `scores` of the positives, `[n, 1]`, which are similarities times `unit`,
    /// `[1, 1]`.
    pub fn limits(self, scores: Tensor<2>, unit: Tensor<2>) -> Tensor<2> {
        // Scores of equal texts differ by rounding.
        let slack = PRODUCT_SLACK * machine_epsilon(scores.dtype());
        let slack = (scores.clone().abs() + unit.clone()).mul_scalar(slack);
        let limits = match self {
            Self::Absolute(margin) => scores - unit.mul_scalar(margin),
            Self::Relative(share) => scores.clone() - scores.abs().mul_scalar(share),
        };
        limits + slack
    }
}

/// Another model's cosines of the texts of a batch, constants.
#[derive(Debug, Clone)]
pub struct Guide {
    scores: PairwiseScores<Similarity>,
    /// The largest score with which a candidate is a negative of its row's query, `[n, 1]`.
    limits: Tensor<2>,
}

impl Guide {
    /// The guide's embeddings of queries, positives and hard negatives, `[n, dim]` each, without a gradient.
    pub fn new(
        queries: Tensor<2>,
        positives: Tensor<2>,
        negatives: Vec<Tensor<2>>,
        margin: Margin,
    ) -> Self {
        let own = Similarity::Cosine.paired(queries.clone(), positives.clone());
        let own: Tensor<2> = own.unsqueeze_dim(1);
        let unit = Tensor::ones([1, 1], (&own.device(), own.dtype()));
        let limits = margin.limits(own, unit);
        let scores = PairwiseScores::new(Similarity::Cosine, queries, positives, negatives);
        Self { scores, limits }
    }

    /// True for candidates that the guide finds too similar to be negatives of a row, `[range, candidates]`.
    /// The limit is that of the row's query, also where its positive is compared.
    pub(super) fn too_similar(
        &self,
        comparison: Comparison,
        range: &Range<usize>,
    ) -> Tensor<2, Bool> {
        let scores = self.scores.block(comparison, range.clone(), 1.0);
        let limits = self.limits.clone().slice([range.clone()]).expand(scores.dims());
        scores.greater(limits)
    }

    /// Memory for the cosine of a pair and what is made of it, in bytes.
    pub(super) fn bytes_per_score(&self) -> usize {
        self.limits.dtype().size() + 2
    }
}
