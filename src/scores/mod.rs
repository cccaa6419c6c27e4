//! Scores of anchors with candidates, a block of anchors at a time: ranking losses are written against
//! [`Scores`].
//!
//! [`PairwiseScores`] are those of any [`PairwiseSimilarity`]: [`Similarity`], or one of your own, with
//! parameters that are trained.
//!
//! # Example
//!
//! A learned bilinear form `s(q, d) = qᵀ W d` in place of the cosine:
//!
//! ```
//! use burn::prelude::*;
//! use burn_embedding_losses::MultipleNegativesRankingLossConfig;
//! use burn_embedding_losses::batch::{ColumnMapper, Columns, Role};
//! use burn_embedding_losses::scores::PairwiseSimilarity;
//!
//! #[derive(Clone)]
//! struct Bilinear {
//!     weight: Tensor<2>,
//! }
//!
//! // The tensors that the similarity depends on, so that they get a gradient.
//! impl Columns for Bilinear {
//!     fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
//!         Self { weight: mapper.map(Role::Other, "weight", self.weight) }
//!     }
//! }
//!
//! impl PairwiseSimilarity for Bilinear {
//!     fn scores(&self, queries: Tensor<2>, documents: Tensor<2>) -> Tensor<2> {
//!         queries.matmul(self.weight.clone()).matmul(documents.transpose())
//!     }
//! }
//!
//! let device = Device::flex().autodiff();
//! let similarity = Bilinear { weight: Tensor::eye(2, &device).require_grad() };
//! let queries = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0]], &device);
//! let documents = Tensor::<2>::from_floats([[1.0, 1.0], [0.0, 1.0]], &device);
//!
//! // Scores 1, 0 and 1, 1: the mean of ln(e¹ + e⁰) − 1 and ln(e¹ + e¹) − 1
//! let loss = MultipleNegativesRankingLossConfig::new().with_scale(1.0).init();
//! let value = loss.forward_with(&similarity, (queries, documents));
//! let gradient = similarity.weight.grad(&value.backward()).unwrap();
//! assert!((value.into_scalar::<f32>() - 0.503204).abs() < 1e-6);
//! assert_eq!(gradient.dims(), [2, 2]);
//! ```

mod own_tokens;
mod tokens;

pub(crate) use own_tokens::OwnScores;
pub(crate) use tokens::TokenScores;

use core::ops::Range;

use burn::prelude::*;

use crate::batch::{ColumnMapper, Columns, Role};
use crate::blocks::Accumulated;
use crate::geometry::Similarity;
use crate::kernels::matrices_in_memory;

/// One side of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The queries. Row i belongs to query i.
    Queries,
    /// The positives, in the order of the queries; as candidates, also their hard negatives.
    Documents,
}

/// A comparison of rows with candidates: row i of `anchors` with all of `candidates`, except those of query
/// i if both are on the same side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// The rows that are compared, one for each query.
    pub anchors: Side,
    /// The rows that they are compared with.
    pub candidates: Side,
}

impl Comparison {
    /// All documents for each query.
    pub const QUERY_TO_DOCUMENT: Self =
        Self { anchors: Side::Queries, candidates: Side::Documents };
    /// Each document with every query.
    pub const DOCUMENT_TO_QUERY: Self =
        Self { anchors: Side::Documents, candidates: Side::Queries };
}

/// Scores between the two sides of a batch.
///
/// As [`Columns`] they show every tensor that the scores depend on, in a fixed order; these get a
/// gradient.
pub trait Scores: Columns {
    /// What [`backward`](Self::backward) needs from the computation of a block; `()` if the rows are enough.
    type Trace;

    /// The number of rows on a side. Documents are the positives of all queries, in their order, then
    /// the first hard negatives of all queries, then the second ones, and so on.
    fn rows(&self, side: Side) -> usize;

    /// `factor` times the scores of the anchors in `range` with all candidates, `[range, candidates]`, and their
    /// trace.
    fn traced(
        &self,
        comparison: Comparison,
        range: Range<usize>,
        factor: f64,
    ) -> (Tensor<2>, Self::Trace);

    /// The scores of [`traced`](Self::traced) alone, `[range, candidates]`.
    fn block(&self, comparison: Comparison, range: Range<usize>, factor: f64) -> Tensor<2> {
        self.traced(comparison, range, factor).0
    }

    /// Memory for one score and its gradient, in bytes.
    fn bytes_per_score(&self) -> usize;

    /// The same scores times `factor`, `[1]`, as part of the graph, if the rows can carry it; so a scale that
    /// is trained costs no pass over the scores.
    #[allow(unused_variables)]
    fn scaled(&self, factor: &Tensor<1>) -> Option<Self> {
        None
    }

    /// Queries and documents, if the scores depend on nothing else and [`backward`](Self::backward) knows
    /// their gradient in closed form. Otherwise each block has a graph of its own.
    fn closed_form(&self) -> Option<[Tensor<2>; 2]> {
        None
    }

    /// Adds the gradients of a block with respect to queries and documents, given the gradient `slope` of
    /// its scores (without the factor), `[range, candidates]`, and its trace. No graph.
    ///
    /// Only called if there is a [closed form](Self::closed_form).
    #[allow(unused_variables)]
    fn backward(
        &self,
        comparison: Comparison,
        range: &Range<usize>,
        slope: Tensor<2>,
        trace: Self::Trace,
        gradients: &mut [Option<Accumulated>; 2],
    ) {
        unreachable!("only called for scores with a closed form")
    }
}

/// A similarity of a query with a document that is computed for all pairs of two matrices of rows.
///
/// As [`Columns`] it shows the tensors that it depends on, for instance learned weights; these get a
/// gradient.
pub trait PairwiseSimilarity: Columns {
    /// Prepares rows that are compared more than once, for instance scales them to length 1.
    fn prepare(&self, rows: Tensor<2>) -> Tensor<2> {
        rows
    }

    /// The similarity of every prepared query with every prepared document: `[n, dim]`, `[m, dim] → [n,
    /// m]`.
    fn scores(&self, queries: Tensor<2>, documents: Tensor<2>) -> Tensor<2>;

    /// Whether the scores are the dot products of prepared rows, and nothing else depends on a
    /// parameter: then gradients have a closed form.
    fn is_dot_product(&self) -> bool {
        false
    }

    /// Memory that a pair of these rows needs besides its score, in bytes.
    #[allow(unused_variables)]
    fn bytes_per_pair(&self, rows: &Tensor<2>, tracked: bool) -> usize {
        0
    }
}

impl Columns for Similarity {
    fn map_columns<M: ColumnMapper>(self, _: &mut M) -> Self {
        self
    }
}

impl PairwiseSimilarity for Similarity {
    fn prepare(&self, rows: Tensor<2>) -> Tensor<2> {
        Similarity::prepare(*self, rows)
    }

    fn scores(&self, queries: Tensor<2>, documents: Tensor<2>) -> Tensor<2> {
        self.pairwise_prepared(queries, documents, 1.0)
    }

    fn is_dot_product(&self) -> bool {
        self.is_bilinear()
    }

    fn bytes_per_pair(&self, rows: &Tensor<2>, tracked: bool) -> usize {
        self.difference_bytes(rows, tracked)
    }
}

/// The scores of a [`PairwiseSimilarity`] between rows.
#[derive(Debug, Clone)]
pub struct PairwiseScores<S> {
    similarity: S,
    /// Prepared queries, `[n, dim]`.
    queries: Tensor<2>,
    /// Prepared documents, `[m, dim]`.
    documents: Tensor<2>,
}

impl<S: PairwiseSimilarity> PairwiseScores<S> {
    /// The scores of queries, `[n, dim]`, with their positives and hard negatives, `[n, dim]` each.
    pub fn new(
        similarity: S,
        queries: Tensor<2>,
        positives: Tensor<2>,
        negatives: Vec<Tensor<2>>,
    ) -> Self {
        let queries = similarity.prepare(queries);
        let positives = similarity.prepare(positives);
        let documents = match negatives.is_empty() {
            true => positives,
            false => {
                let negatives = negatives.into_iter().map(|rows| similarity.prepare(rows));
                Tensor::cat(core::iter::once(positives).chain(negatives).collect(), 0)
            }
        };
        Self { similarity, queries, documents }
    }

    fn side(&self, side: Side) -> &Tensor<2> {
        match side {
            Side::Queries => &self.queries,
            Side::Documents => &self.documents,
        }
    }
}

impl<S: PairwiseSimilarity> Columns for PairwiseScores<S> {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        Self {
            similarity: self.similarity.map_columns(mapper),
            queries: mapper.map(Role::Anchor, "queries", self.queries),
            documents: mapper.map(Role::Other, "documents", self.documents),
        }
    }
}

impl<S: PairwiseSimilarity> Scores for PairwiseScores<S> {
    type Trace = ();

    fn rows(&self, side: Side) -> usize {
        self.side(side).dims()[0]
    }

    fn traced(&self, comparison: Comparison, range: Range<usize>, factor: f64) -> (Tensor<2>, ()) {
        let anchors = self.side(comparison.anchors).clone().slice([range]);
        let candidates = self.side(comparison.candidates).clone();
        if self.similarity.is_dot_product() {
            // The factor goes to the [n, dim] rows, not over the [n, m] scores.
            return (anchors.mul_scalar(factor).matmul(candidates.transpose()), ());
        }
        let scores = match comparison {
            // A similarity need not be symmetric: queries always come first.
            Comparison { anchors: Side::Documents, candidates: Side::Queries } => {
                self.similarity.scores(candidates, anchors).transpose()
            }
            _ => self.similarity.scores(anchors, candidates),
        };
        (scores.mul_scalar(factor), ())
    }

    fn bytes_per_score(&self) -> usize {
        let tracked = crate::blocks::is_tracked(self);
        let matrices = match tracked && self.similarity.is_dot_product() {
            true => matrices_in_memory(&self.queries),
            false => MATRICES,
        };
        let differences = self.similarity.bytes_per_pair(&self.queries, tracked);
        self.queries.dtype().size() * matrices + differences
    }

    fn scaled(&self, factor: &Tensor<1>) -> Option<Self> {
        // Half of it on either side, which holds for rows of one side among themselves as well.
        let root = factor.clone().sqrt().cast(self.queries.dtype()).unsqueeze::<2>();
        self.similarity.is_dot_product().then(|| Self {
            queries: self.queries.clone() * root.clone(),
            documents: self.documents.clone() * root,
            ..self.clone()
        })
    }

    fn closed_form(&self) -> Option<[Tensor<2>; 2]> {
        let rows = || [self.queries.clone(), self.documents.clone()];
        self.similarity.is_dot_product().then(rows)
    }

    fn backward(
        &self,
        comparison: Comparison,
        range: &Range<usize>,
        slope: Tensor<2>,
        (): (),
        gradients: &mut [Option<Accumulated>; 2],
    ) {
        let Comparison { anchors, candidates } = comparison;
        if let Some(gradient) = &mut gradients[candidates as usize] {
            let rows = self.side(anchors).clone().slice([range.clone()]);
            gradient.add(slope.clone().transpose().matmul(rows));
        }
        if let Some(gradient) = &mut gradients[anchors as usize] {
            gradient.add_anchors(range, slope.matmul(self.side(candidates).clone()));
        }
    }
}

/// The matrices of scores that a block has in memory: scores, exponentials and gradients.
const MATRICES: usize = 3;
