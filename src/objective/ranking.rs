//! A positive among the other candidates of the batch.
//!
//! [`Blocks`] say which rows are anchors. Where a batch is spread over devices these are some of the
//! rows, [from an offset on](Blocks::starting_at), and candidates are those of all devices.

use core::ops::Range;

use burn::prelude::*;

use super::hinge::hinge;
use crate::blocks::{self, Blocks};
use crate::geometry::{Distance, Similarity};
use crate::kernels::{
    Accumulated, Partner, RowMetric, add_to_diagonal, diagonal, log_sum_exp, matrices_in_memory,
    softmax,
};
use crate::numeric::lowest_number;
use crate::select::{closest_other, own_row};

/// Which rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The queries. Row i belongs to query i.
    Queries,
    /// The positives, in the order of the queries, and as candidates their hard negatives as well.
    Documents,
}

/// Rows that are compared with candidates: row i of `anchors` with all of `candidates`, but not
/// with those of query i where both are on the same side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// What is compared, a row for each query.
    pub anchors: Side,
    /// What it is compared with.
    pub candidates: Side,
}

impl Comparison {
    /// All documents for each query.
    pub const QUERY_TO_DOCUMENT: Self =
        Self { anchors: Side::Queries, candidates: Side::Documents };
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

/// What the positive of a query competes with.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// The comparisons, [`Comparison::QUERY_TO_DOCUMENT`] among them.
    pub comparisons: Vec<Comparison>,
    /// One softmax over all comparisons together, or one for each.
    pub joint: bool,
    /// Documents whose scores from query to document grow by this many times their similarity, a
    /// constant.
    pub penalty: Option<(Penalized, f64)>,
}

/// The rows that are ranked: queries, and for each its positive and its k hard negatives.
#[derive(Debug, Clone)]
pub struct Candidates {
    similarity: Similarity,
    scale: f64,
    /// Queries, `[n, dim]`.
    queries: Tensor<2>,
    /// The positives, then the first negatives, then the second …, `[n (1 + k), dim]`.
    documents: Tensor<2>,
    ids: Option<Ids>,
}

/// Rows with an equal id are not compared, but a query with its own positive.
#[derive(Debug, Clone)]
struct Ids {
    /// `[n]`.
    queries: Tensor<1, Int>,
    /// Of all documents, or of the positives only, `[n (1 + k)]` or `[n]`.
    documents: Tensor<1, Int>,
}

impl Candidates {
    /// Prepares the rows, `[n, dim]` each, for scores `scale · s(x, y)`.
    pub fn new(
        similarity: Similarity,
        scale: f64,
        queries: Tensor<2>,
        positives: Tensor<2>,
        negatives: Vec<Tensor<2>>,
    ) -> Self {
        let positives = similarity.prepare(positives);
        let documents = match negatives.is_empty() {
            true => positives,
            false => {
                let negatives = negatives.into_iter().map(|rows| similarity.prepare(rows));
                Tensor::cat(core::iter::once(positives).chain(negatives).collect(), 0)
            }
        };
        Self { similarity, scale, queries: similarity.prepare(queries), documents, ids: None }
    }

    /// The same rows with an id for each query and its positive, `[n]`, and for each of its negatives,
    /// if these have any.
    pub fn with_ids(self, queries: Tensor<1, Int>, negatives: Vec<Tensor<1, Int>>) -> Self {
        let documents = core::iter::once(queries.clone()).chain(negatives);
        let documents = Tensor::cat(documents.collect(), 0);
        Self { ids: Some(Ids { queries, documents }), ..self }
    }

    /// The number of queries.
    pub fn queries(&self) -> usize {
        self.queries.dims()[0]
    }

    /// What the scores of one query take while they are worked on, in bytes.
    pub fn bytes_per_query(&self, ranking: &Ranking) -> usize {
        let columns = |comparison: &Comparison| self.side(comparison.candidates).dims()[0];
        let columns: usize = ranking.comparisons.iter().map(columns).sum();
        let tracked = self.queries.is_tracked() || self.documents.is_tracked();
        let differences = self.similarity.difference_bytes(&self.queries, tracked);
        // Two ids and what comparing them gives.
        let ids = if self.ids.is_some() { 2 * size_of::<i64>() + 2 } else { 0 };
        let matrices = match tracked && self.similarity.is_bilinear() {
            true => matrices_in_memory(&self.queries),
            false => MATRICES,
        };
        columns * (self.queries.dtype().size() * matrices + differences + ids)
    }

    /// `ln Σ exp(z) − zᵢᵢ` of the queries of `blocks`, `[anchors]`; `z` are the scores of a comparison,
    /// or of all. The logarithms of several softmaxes are averaged. Computed a block of queries at a
    /// time where no gradient is wanted.
    pub fn terms(&self, ranking: &Ranking, blocks: Blocks) -> Tensor<1> {
        if self.queries.is_tracked() || self.documents.is_tracked() {
            return self.terms_of(blocks.all(), ranking);
        }
        Tensor::cat(blocks.ranges().map(|range| self.terms_of(range, ranking)).collect(), 0)
    }

    /// `weight` times the sum of [`terms`](Self::terms), `[1]`, a block of queries at a time.
    pub fn weighted_sum(&self, ranking: &Ranking, weight: f64, blocks: Blocks) -> Tensor<1> {
        let rows = [self.queries.clone(), self.documents.clone()];
        let tracked = rows.iter().any(Tensor::is_tracked);
        if tracked && self.similarity.is_bilinear() {
            let fixed = self.with(rows.clone().map(Tensor::inner));
            return blocks::closed_sum(rows, blocks, |range, gradients| {
                fixed.closed(range, ranking, weight, gradients)
            });
        }
        let part = |range, rows| {
            let terms = self.with(rows).terms_of(range, ranking);
            (terms.mul_scalar(weight).sum(), ())
        };
        blocks::sum(rows, blocks, part).0
    }

    fn with(&self, [queries, documents]: [Tensor<2>; 2]) -> Self {
        Self { queries, documents, ids: self.ids.clone(), ..*self }
    }

    fn side(&self, side: Side) -> &Tensor<2> {
        match side {
            Side::Queries => &self.queries,
            Side::Documents => &self.documents,
        }
    }

    fn terms_of(&self, range: Range<usize>, ranking: &Ranking) -> Tensor<1> {
        let (scores, positives) = self.all_scores(&range, ranking);
        let normalizer = match ranking.joint {
            true => log_sum_exp(scores),
            false => {
                let each: Vec<_> = scores.into_iter().map(|z| log_sum_exp(vec![z])).collect();
                Tensor::cat(each, 1).mean_dim(1)
            }
        };
        (normalizer - positives).squeeze_dim(1)
    }

    /// `weight` times the sum of the terms, `[1]`, with gradients in closed form: the derivative of
    /// `ln Σ exp(z)` is `softmax(z)`, that of `z = t x·y` is `t y` and `t x`.
    fn closed(
        &self,
        range: Range<usize>,
        ranking: &Ranking,
        weight: f64,
        gradients: &mut [Option<Accumulated>; 2],
    ) -> Tensor<1> {
        let (scores, positives) = self.all_scores(&range, ranking);
        let partitions = if ranking.joint { 1 } else { scores.len() };
        let share = weight / partitions as f64;
        let (slopes, normalizers) = match ranking.joint {
            true => softmax(scores, share * self.scale),
            false => {
                let each = scores.into_iter().map(|z| softmax(vec![z], share * self.scale));
                let (slopes, normalizers): (Vec<_>, Vec<_>) = each.unzip();
                let sum = normalizers.into_iter().reduce(|sum, term| sum + term);
                (slopes.concat(), sum.expect("at least one comparison"))
            }
        };
        self.backward(&range, ranking, weight, slopes, gradients);
        let normalizers = normalizers.mul_scalar(share);
        (normalizers - positives.mul_scalar(weight)).sum_dim(0).squeeze_dim(1)
    }

    /// Hands the derivatives by the scores on to the rows whose gradients are wanted.
    fn backward(
        &self,
        range: &Range<usize>,
        ranking: &Ranking,
        weight: f64,
        slopes: Vec<Tensor<2>>,
        gradients: &mut [Option<Accumulated>; 2],
    ) {
        let pull = |(&comparison, slope): (&Comparison, Tensor<2>)| match comparison {
            Comparison::QUERY_TO_DOCUMENT => {
                (comparison, add_to_diagonal(slope, range.start, -weight * self.scale))
            }
            _ => (comparison, slope),
        };
        let slopes: Vec<_> = ranking.comparisons.iter().zip(slopes).map(pull).collect();
        for (side, gradient) in [Side::Queries, Side::Documents].into_iter().zip(gradients) {
            let Some(gradient) = gradient else { continue };
            for (comparison, slope) in slopes.iter().filter(|(c, _)| c.candidates == side) {
                let rows = self.side(comparison.anchors).clone().slice([range.clone()]);
                gradient.add(slope.clone().transpose().matmul(rows));
            }
            let of_anchors = slopes.iter().filter(|(c, _)| c.anchors == side);
            let by_anchor = of_anchors.map(|(comparison, slope)| {
                slope.clone().matmul(self.side(comparison.candidates).clone())
            });
            let sum = by_anchor.reduce(|sum, part| sum + part);
            sum.into_iter().for_each(|part| gradient.add_next(part));
        }
    }

    /// The scores of each comparison, penalties added, and those of the positives, `[rows, 1]`.
    fn all_scores(&self, range: &Range<usize>, ranking: &Ranking) -> (Vec<Tensor<2>>, Tensor<2>) {
        let mut positives = None;
        let scores = |&comparison: &Comparison| {
            let z = self.scores(comparison, range);
            if comparison != Comparison::QUERY_TO_DOCUMENT {
                return self.leave_out_equals(z, comparison, range);
            }
            positives = Some(z.clone().gather(1, diagonal(range.clone(), &z.device())));
            let z = match ranking.penalty {
                Some((of, strength)) => self.penalize(z, range, of, strength),
                None => z,
            };
            self.leave_out_equals(z, comparison, range)
        };
        let scores = ranking.comparisons.iter().map(scores).collect();
        (scores, positives.expect("queries are compared with documents"))
    }

    /// Scores of some anchors with all candidates; the excluded ones are the lowest number.
    fn scores(&self, comparison: Comparison, range: &Range<usize>) -> Tensor<2> {
        let Comparison { anchors, candidates } = comparison;
        let rows = self.side(anchors).clone().slice([range.clone()]);
        let all = self.side(candidates).clone();
        let scores = self.similarity.pairwise_prepared(rows, all, self.scale);
        if anchors == candidates {
            let own = self.own_columns(&scores, range);
            leave_out(scores, own)
        } else {
            scores
        }
    }

    /// The scores without those of candidates with the id of the row, save its own.
    fn leave_out_equals(
        &self,
        scores: Tensor<2>,
        Comparison { anchors, candidates }: Comparison,
        range: &Range<usize>,
    ) -> Tensor<2> {
        let Some(ids) = &self.ids else { return scores };
        let rows = ids.queries.clone().slice([range.clone()]).unsqueeze_dim::<2>(1);
        let columns = match candidates {
            Side::Queries => ids.queries.clone(),
            Side::Documents => ids.documents.clone(),
        };
        let known = columns.dims()[0];
        let mut equal = rows.equal(columns.unsqueeze_dim::<2>(0));
        if anchors != candidates {
            let own = self.own_positive(range);
            let others = match known / self.queries() {
                1 => own.bool_not(),
                _ => {
                    let width = scores.dims()[1];
                    Tensor::cat(vec![own, self.nobody(range, width - self.queries())], 1).bool_not()
                }
            };
            equal = equal.bool_and(others);
        }
        if known < scores.dims()[1] {
            let rest = self.nobody(range, scores.dims()[1] - known);
            equal = Tensor::cat(vec![equal, rest], 1);
        }
        leave_out(scores, equal)
    }

    /// True nowhere, `[rows, columns]`.
    fn nobody(&self, range: &Range<usize>, columns: usize) -> Tensor<2, Bool> {
        let shape = [range.len(), columns];
        Tensor::<2, Int>::zeros(shape, &self.queries.device()).bool()
    }

    /// True where a candidate belongs to the query of the row.
    fn own_columns(&self, scores: &Tensor<2>, range: &Range<usize>) -> Tensor<2, Bool> {
        let copies = scores.dims()[1] / self.queries();
        Tensor::cat(vec![self.own_positive(range); copies], 1)
    }

    /// True where a positive belongs to the query of the row, `[rows, n]`.
    fn own_positive(&self, range: &Range<usize>) -> Tensor<2, Bool> {
        let device = self.queries.device();
        own_row(range.clone(), self.queries(), &device)
    }

    /// Adds the penalty, a constant, to the documents that get one, never to the positive.
    fn penalize(
        &self,
        scores: Tensor<2>,
        range: &Range<usize>,
        of: Penalized,
        strength: f64,
    ) -> Tensor<2> {
        let own = self.own_columns(&scores, range);
        let spared = match of {
            Penalized::OtherRows => own,
            Penalized::OwnNegatives => own.bool_not().bool_or(self.positive_cells(&scores, range)),
            Penalized::All => self.positive_cells(&scores, range),
        };
        let penalty = scores.clone().inner().mul_scalar(strength / self.scale);
        scores + penalty.mask_fill(spared, 0.0)
    }

    /// True where the positive of the row's query is among all documents.
    fn positive_cells(&self, scores: &Tensor<2>, range: &Range<usize>) -> Tensor<2, Bool> {
        let own = self.own_positive(range);
        let nowhere = own.clone().bool_and(own.clone().bool_not());
        let mut cells = vec![nowhere; scores.dims()[1] / self.queries()];
        cells[0] = own;
        Tensor::cat(cells, 1)
    }
}

/// How many matrices of scores a block has in memory: scores, exponentials and what is being made
/// of them.
const MATRICES: usize = 3;

/// The scores with the lowest number where the mask holds.
fn leave_out(scores: Tensor<2>, mask: Tensor<2, Bool>) -> Tensor<2> {
    let lowest = lowest_number(&scores);
    scores.mask_fill(mask, lowest)
}

/// `max(0, m⁺ − cos(aᵢ, pᵢ)) + max(0, maxⱼ≠ᵢ cos(aᵢ, pⱼ) − m⁻)` for the anchors of `blocks`, `[anchors]`.
///
/// A batch of one row has no negative and only the first half.
pub fn mega_batch_margin(
    anchors: Tensor<2>,
    positives: Tensor<2>,
    ids: Option<Tensor<1, Int>>,
    [positive_margin, negative_margin]: [f64; 2],
    blocks: Blocks,
) -> Tensor<1> {
    let rows = [anchors.clone(), positives.clone()];
    let negative = closest_other(Distance::Cosine, rows, ids, blocks);
    let nobody = negative.exists().bool_not();
    let own = |rows: &Tensor<2>| match blocks.all() == (0..rows.dims()[0]) {
        true => rows.clone(),
        false => rows.clone().slice([blocks.all()]),
    };
    let own_anchors = own(&anchors);
    let cosine = |candidates, others| {
        let sources = [own_anchors.clone(), candidates];
        RowMetric::Cosine.compare(sources, others, None)
    };
    let attract = cosine(own(&positives), Partner::SameRow(1));
    let attract = hinge(attract.neg().add_scalar(positive_margin));
    let repel = cosine(positives, Partner::Chosen(1, negative));
    let repel = hinge(repel.sub_scalar(negative_margin));
    attract + repel.mask_fill(nobody, 0.0)
}
