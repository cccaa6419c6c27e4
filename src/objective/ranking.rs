//! A positive among the other candidates of the batch.

use burn::prelude::*;

use super::hinge::hinge;
use crate::pairwise::mining::{Chosen, closest};
use crate::pairwise::{Distance, Similarity, norm::UnitRows};

/// The rows that are ranked: queries, and for each its positive and its k hard negatives.
#[derive(Debug, Clone)]
pub struct Candidates {
    similarity: Similarity,
    scale: f64,
    /// Queries, `[n, dim]`.
    queries: Tensor<2>,
    /// The positives, `[n, dim]`.
    positives: Tensor<2>,
    /// The positives, then the first negatives, then the second …, `[n (1 + k), dim]`.
    documents: Tensor<2>,
}

impl Candidates {
    /// Prepares the rows for scores `scale · s(x, y)`.
    pub fn new(
        similarity: Similarity,
        scale: f64,
        queries: Tensor<2>,
        positives: Tensor<2>,
        negatives: Vec<Tensor<2>>,
    ) -> Self {
        let positives = similarity.prepare(positives);
        let mut documents = vec![positives.clone()];
        documents.extend(negatives.into_iter().map(|negative| similarity.prepare(negative)));
        Self {
            similarity,
            scale,
            queries: similarity.prepare(queries),
            positives,
            documents: Tensor::cat(documents, 0),
        }
    }

    /// Scores of every query with every document, `[n, n (1 + k)]`.
    pub fn query_to_document(&self) -> Tensor<2> {
        self.scores(self.queries.clone(), self.documents.clone())
    }

    /// Scores of every positive with every query, `[n, n]`, read off those of
    /// [`query_to_document`](Self::query_to_document): every similarity here is symmetric.
    pub fn document_to_query(&self, query_to_document: Tensor<2>) -> Tensor<2> {
        let [n, _] = self.queries.dims();
        query_to_document.slice([0..n, 0..n]).transpose()
    }

    /// Scores of every query with the other queries, `[n, n]`; those with itself are the lowest
    /// number.
    pub fn query_to_query(&self) -> Tensor<2> {
        let scores = self.scores(self.queries.clone(), self.queries.clone());
        exclude(scores, self.own_columns(1))
    }

    /// Scores of every positive with the documents of other queries, `[n, n (1 + k)]`; those with
    /// documents of its own query are the lowest number.
    pub fn document_to_document(&self) -> Tensor<2> {
        let scores = self.scores(self.positives.clone(), self.documents.clone());
        exclude(scores, self.own_columns(self.blocks()))
    }

    /// True where a document belongs to the query of the row, `[n, n · blocks]`.
    fn own_columns(&self, blocks: usize) -> Tensor<2, Bool> {
        let [n, _] = self.queries.dims();
        // `diag_mask` is false on the diagonal.
        let own = Tensor::<2, Bool>::diag_mask([n, n], 0, &self.queries.device()).bool_not();
        Tensor::cat(vec![own; blocks], 1)
    }

    /// How many documents a query has: its positive and its hard negatives.
    fn blocks(&self) -> usize {
        self.documents.dims()[0] / self.queries.dims()[0]
    }

    fn scores(&self, x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        self.similarity.pairwise_prepared(x, y, self.scale)
    }

    /// Adds `strength · s` (the similarity as a constant) to the scores of the documents that
    /// `of` names, never to the positive.
    pub fn harden(&self, scores: Tensor<2>, of: Penalized, strength: f64) -> Tensor<2> {
        let own = self.own_columns(self.blocks());
        let spared = match of {
            Penalized::OtherRows => own,
            Penalized::OwnNegatives => own.bool_not().bool_or(self.positive_cells()),
            Penalized::All => self.positive_cells(),
        };
        let penalty = scores.clone().inner().mul_scalar(strength / self.scale);
        scores + penalty.mask_fill(spared, 0.0)
    }

    /// True where the positive of the row's query is, `[n, n (1 + k)]`.
    fn positive_cells(&self) -> Tensor<2, Bool> {
        let own = self.own_columns(1);
        let nowhere = own.clone().bool_and(own.clone().bool_not());
        let mut cells = vec![nowhere; self.blocks()];
        cells[0] = own;
        Tensor::cat(cells, 1)
    }
}

/// Which documents get a penalty for being similar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Penalized {
    /// Documents of other queries.
    OtherRows,
    /// The hard negatives of the query itself.
    OwnNegatives,
    /// Both.
    All,
}

/// The first column block of scores holds the positives on its diagonal: those, `[n, 1]`.
pub fn positive_scores(scores: Tensor<2>) -> Tensor<2> {
    let [n, _] = scores.dims();
    let index = Tensor::<1, Int>::arange(0..n as i64, &scores.device()).unsqueeze_dim::<2>(1);
    scores.gather(1, index)
}

/// `ln Σ exp(z)` over the rows of all blocks together, `[n, 1]`.
///
/// # Numerical behavior
///
/// Shifted by the largest score of the row, a constant, so nothing overflows.
pub fn log_sum_exp(blocks: Vec<Tensor<2>>) -> Tensor<2> {
    let largest = |z: &Tensor<2>| z.clone().inner().max_dim(1);
    let shift = blocks.iter().map(largest).reduce(Tensor::max_pair).expect("at least one block");
    let sums = blocks.into_iter().map(|z| (z - shift.clone()).exp().sum_dim(1));
    sums.reduce(|total, sum| total + sum).expect("at least one block").log() + shift
}

/// `max(0, m⁺ − cos(aᵢ, pᵢ)) + max(0, maxⱼ≠ᵢ cos(aᵢ, pⱼ) − m⁻)` for every row, `[n]`.
///
/// A batch of one row has no negative and only the first half.
pub fn mega_batch_margin(
    anchors: Tensor<2>,
    positives: Tensor<2>,
    positive_margin: f64,
    negative_margin: f64,
) -> Tensor<1> {
    let negative = most_similar_other(anchors.clone(), positives.clone());
    let (a, p) = (UnitRows::new(anchors).rows, UnitRows::new(positives).rows);
    let cosine = |x: Tensor<2>, y: Tensor<2>| (x * y).sum_dim(1).squeeze_dim::<1>(1);

    let attract = hinge(cosine(a.clone(), p.clone()).neg().add_scalar(positive_margin));
    let repel = hinge(cosine(a, negative.rows(p)).sub_scalar(negative_margin));
    attract + repel.mask_fill(negative.exists.bool_not(), 0.0)
}

/// For row i of `x`, the row j ≠ i of `y` with the largest cosine.
fn most_similar_other(x: Tensor<2>, y: Tensor<2>) -> Chosen {
    let [n, _] = x.dims();
    let others = Tensor::<2, Bool>::diag_mask([n, n], 0, &x.device());
    closest(Distance::Cosine.order(x, y), others)
}

/// Gives the excluded scores the lowest number of the type: their exponential is 0.
fn exclude(scores: Tensor<2>, excluded: Tensor<2, Bool>) -> Tensor<2> {
    let lowest = scores.dtype().finfo().map_or(f64::MIN, |info| info.min);
    scores.mask_fill(excluded, lowest)
}
