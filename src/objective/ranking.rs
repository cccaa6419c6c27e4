//! A positive among the other candidates of the batch.
//!
//! [`Blocks`] say which rows are anchors. In a batch that is spread over devices these are some of the
//! rows, [from an offset on](Blocks::starting_at), and candidates are those of all devices.

use core::ops::Range;

use burn::prelude::*;

use crate::batch::{ColumnMapper, Columns, RetrievalBatch, RowIds};
use crate::blocks::{self, Accumulated, Blocks};
use crate::kernels::{add_to_diagonal, answers, diagonal, log_sum_exp, softmax};
use crate::numeric::lowest_number;
use crate::objective::guide::{Guide, Margin};
use crate::objective::hinge::{log_one_plus_exp, sigmoid};
use crate::reduction::{Reduced, Reduction, Terms};
use crate::scores::{Comparison, PairwiseScores, PairwiseSimilarity, Scores, Side};
use crate::select::{CandidateBlock, Ids, without_own};

/// The documents that get a penalty for being similar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Penalized {
    /// Documents of other queries.
    OtherRows,
    /// The hard negatives of the query itself.
    OwnNegatives,
    /// Both.
    All,
}

/// How the positive of a query competes with the other candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contest {
    /// In one softmax over all comparisons together: `ln Σ exp(z) − zᵢᵢ`.
    Joint,
    /// In a softmax for each comparison, whose logarithms are averaged.
    PerComparison,
    /// Not at all: each candidate of the one comparison is a question of its own, with the answer yes for the positive.
    /// `ln(1 + exp(−zᵢᵢ)) + Σ_{j≠i} ln(1 + exp(zᵢⱼ))`
    Sigmoid,
}

/// The candidates that the positive of a query competes with.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// The comparisons, [`Comparison::QUERY_TO_DOCUMENT`] among them.
    pub comparisons: Vec<Comparison>,
    /// How it competes with them.
    pub contest: Contest,
    /// Documents whose scores from query to document grow by this many times their similarity, a
    /// constant.
    pub penalty: Option<(Penalized, f64)>,
    /// Whether a positive does not compete with itself, as long as its query has any other candidate.
    pub decoupled: bool,
    /// Candidates whose score is above that of the positive less this margin are left out.
    pub false_negatives: Option<Margin>,
}

/// The factor on the scores.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "one at a time; a tensor is large by some features")]
pub enum Scale {
    /// A number of the configuration.
    Fixed(f64),
    /// A parameter, `[1]`.
    Learned(Tensor<1>),
}

/// The scores of a batch with everything that decides how they count.
#[derive(Debug, Clone)]
pub struct Candidates<S> {
    scores: S,
    scale: Scale,
    /// Whether the rows of the scores have the scale in them.
    in_rows: bool,
    ids: Option<Ids>,
    /// True where a column of hard negatives has no negative for a row, `[n k]`, a column after the other.
    absent: Option<Tensor<1, Bool>>,
    /// A weight for every row of the batch, `[n]`.
    weights: Option<Tensor<1>>,
    guide: Option<Guide>,
}

/// The logits of a block.
struct Logits<S: Scores> {
    /// Those of each comparison, penalties added.
    all: Vec<Tensor<2>>,
    /// The traces of their scores.
    traces: Vec<S::Trace>,
    /// Those of the positives, `[rows, 1]`.
    positives: Tensor<2>,
}

impl<S: Scores> Columns for Candidates<S> {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let scale = match self.scale {
            Scale::Learned(scale) if !self.in_rows => {
                Scale::Learned(mapper.map_numbers("scale", scale))
            }
            scale => scale,
        };
        Self { scores: self.scores.map_columns(mapper), scale, ..self }
    }
}

impl<S: PairwiseSimilarity> Candidates<PairwiseScores<S>> {
    /// The rows of a batch, with its ids, mask and weights.
    pub fn of_batch(similarity: S, batch: RetrievalBatch, scale: Scale) -> Self {
        let RetrievalBatch { anchor, positive, negatives, ids, negative_mask, weights, .. } = batch;
        let scores = PairwiseScores::new(similarity, anchor, positive, negatives);
        let mut candidates = Self::new(scores, scale);
        if let Some(RowIds { rows, negatives }) = ids {
            candidates = candidates.with_ids(rows, negatives);
        }
        if let Some(exists) = negative_mask {
            candidates = candidates.with_negative_mask(exists);
        }
        if let Some(weights) = weights {
            candidates = candidates.with_weights(weights);
        }
        candidates
    }
}

impl<S: Scores> Candidates<S> {
    /// Candidates whose logits are `scale · score`.
    pub fn new(scores: S, scale: Scale) -> Self {
        // Rows that carry a learned scale keep the closed form; the graph does the rest.
        let scaled = match &scale {
            Scale::Learned(scale) => scores.scaled(scale),
            Scale::Fixed(_) => None,
        };
        let in_rows = scaled.is_some();
        let scores = scaled.unwrap_or(scores);
        Self { scores, scale, in_rows, ids: None, absent: None, weights: None, guide: None }
    }

    /// The same with an id for each query and its positive, `[n]`, and for each of its negatives, if these
    /// have any.
    pub fn with_ids(self, queries: Tensor<1, Int>, negatives: Vec<Tensor<1, Int>>) -> Self {
        let documents = core::iter::once(queries.clone()).chain(negatives);
        let documents = Tensor::cat(documents.collect(), 0);
        Self { ids: Some(Ids { queries, documents }), ..self }
    }

    /// The same with hard negatives only where `exists` holds, `[n, k]`.
    pub fn with_negative_mask(self, exists: Tensor<2, Bool>) -> Self {
        let absent = exists.bool_not().transpose().reshape([-1]);
        Self { absent: Some(absent), ..self }
    }

    /// The same with a weight for every row of the batch, `[n]`.
    pub fn with_weights(self, weights: Tensor<1>) -> Self {
        Self { weights: Some(weights), ..self }
    }

    /// The same without candidates that the guide takes for positives; positives are compared with positives
    /// only.
    pub fn with_guide(self, guide: Guide) -> Self {
        Self { guide: Some(guide), ..self }
    }

    /// The number of queries.
    fn queries(&self) -> usize {
        self.scores.rows(Side::Queries)
    }

    /// Memory for the scores of one query, in bytes.
    pub fn bytes_per_query(&self, ranking: &Ranking) -> usize {
        let columns = ranking.comparisons.iter().map(|c| self.scores.rows(c.candidates));
        // Two ids and their comparison.
        let ids = if self.ids.is_some() { 2 * size_of::<i64>() + 2 } else { 0 };
        let guide = self.guide.as_ref().map_or(0, Guide::bytes_per_score);
        // Its own positive, and what is left out with it.
        let own = if ranking.decoupled { 2 } else { 0 };
        // The score before its penalty, and the mask of those that are too high.
        let free = ranking.false_negatives.map_or(0, |_| self.scores.bytes_per_score() + 2);
        columns.sum::<usize>() * (self.scores.bytes_per_score() + ids + guide + own + free)
    }

    /// The term of its [`Contest`] for each query of `blocks`, `[anchors]`, times its weight; `z` are the logits of a
    /// comparison, or of all. Computed a block of queries at a time if no gradient is wanted.
    pub fn terms(&self, ranking: &Ranking, blocks: Blocks) -> Terms {
        let values = match blocks::is_tracked(self) {
            true => self.terms_of(blocks.all(), ranking),
            false => {
                Tensor::cat(blocks.ranges().map(|range| self.terms_of(range, ranking)).collect(), 0)
            }
        };
        Terms::weighted(values, self.own_weights(blocks))
    }

    /// The reduced [`terms`](Self::terms), a block of queries at a time.
    pub fn reduced(&self, ranking: &Ranking, reduction: Reduction, blocks: Blocks) -> Reduced {
        let factor = match self.own_weights(blocks) {
            Some(weights) => Factor::Each(reduction.factors(weights), blocks.all().start),
            None => Factor::Equal(reduction.weight(blocks.anchors())),
        };
        let factor_of_scores = match self.scale {
            Scale::Fixed(scale) => Some(scale),
            Scale::Learned(_) => self.in_rows.then_some(1.0),
        };
        let closed = self.scores.closed_form().zip(factor_of_scores);
        Reduced::new(match closed.filter(|(rows, _)| rows.iter().any(Tensor::is_tracked)) {
            Some((rows, scale)) => {
                let fixed =
                    Closed { of: &self.clone().without_graph(), ranking, factor: &factor, scale };
                blocks::closed_sum(rows, blocks, |range, gradients| fixed.block(range, gradients))
            }
            None => blocks::sum(self.clone(), blocks, |range, candidates| {
                factor.sum(candidates.terms_of(range.clone(), ranking), &range)
            }),
        })
    }

    fn own_weights(&self, blocks: Blocks) -> Option<Tensor<1>> {
        self.weights.as_ref().map(|weights| weights.clone().slice([blocks.all()]))
    }

    fn terms_of(&self, range: Range<usize>, ranking: &Ranking) -> Tensor<1> {
        let Logits { all: logits, positives, .. } = self.logits(&range, ranking);
        let terms = match ranking.contest {
            Contest::Joint => log_sum_exp(logits) - positives,
            Contest::PerComparison => {
                let each: Vec<_> = logits.into_iter().map(|z| log_sum_exp(vec![z])).collect();
                Tensor::cat(each, 1).mean_dim(1) - positives
            }
            Contest::Sigmoid => self.answers(only(logits), positives, &range),
        };
        terms.squeeze_dim(1)
    }

    /// `ln(1 + exp(−zᵢᵢ)) + Σ_{j≠i} ln(1 + exp(zᵢⱼ))`, `[rows, 1]`.
    fn answers(&self, logits: Tensor<2>, positives: Tensor<2>, range: &Range<usize>) -> Tensor<2> {
        let own = self.block(Comparison::QUERY_TO_DOCUMENT, range, &logits).own();
        let lowest = lowest_number(logits.dtype());
        let others = log_one_plus_exp(logits.mask_fill(own, lowest)).sum_dim(1);
        others + log_one_plus_exp(positives.neg())
    }

    fn logits(&self, range: &Range<usize>, ranking: &Ranking) -> Logits<S> {
        let mut positives = None;
        let mut free = Vec::new();
        let logits = |&comparison: &Comparison| {
            let (mut z, trace) = self.scaled(comparison, range);
            free.extend(ranking.false_negatives.map(|_| z.clone()));
            if comparison == Comparison::QUERY_TO_DOCUMENT {
                positives = Some(z.clone().gather(1, diagonal(range.clone(), &z.device())));
                if let Some((of, strength)) = ranking.penalty {
                    z = self.penalize(z, range, of, strength);
                }
            }
            (z, trace)
        };
        let (all, traces): (Vec<_>, _) = ranking.comparisons.iter().map(logits).unzip();
        let positives = positives.expect("queries are compared with documents");
        let too_high = self.too_high(&free, &positives, range, ranking);
        let all = self.masked(all, too_high, range, ranking);
        Logits { all, traces, positives }
    }

    /// For each comparison, true for candidates whose score before its penalty is too high for a negative; nothing if
    /// none is. The limit is that of the row's query, also where its positive is compared.
    fn too_high(
        &self,
        free: &[Tensor<2>],
        positives: &Tensor<2>,
        range: &Range<usize>,
        ranking: &Ranking,
    ) -> Vec<Tensor<2, Bool>> {
        let Some(margin) = ranking.false_negatives else { return Vec::new() };
        let positives = positives.clone().inner();
        let unit = match &self.scale {
            Scale::Fixed(scale) => {
                Tensor::full([1, 1], *scale, (&positives.device(), positives.dtype()))
            }
            Scale::Learned(scale) => scale.clone().inner().cast(positives.dtype()).unsqueeze(),
        };
        let limits = margin.limits(positives, unit);
        let comparisons = ranking.comparisons.iter().zip(free);
        let masks = comparisons.map(|(&comparison, z)| {
            let above = z.clone().inner().greater(limits.clone().expand(z.dims()));
            self.block(comparison, range, z).others(above)
        });
        masks.collect()
    }

    /// The number of candidates that are left out for their score alone.
    pub fn false_negatives(&self, ranking: &Ranking, blocks: Blocks) -> usize {
        let count = |range: Range<usize>| -> i64 {
            let scaled = |&to: &Comparison| self.scaled(to, &range).0;
            let free: Vec<_> = ranking.comparisons.iter().map(scaled).collect();
            let forth = Comparison::QUERY_TO_DOCUMENT;
            let place = ranking.comparisons.iter().position(|&to| to == forth);
            let z = &free[place.expect("queries are compared with documents")];
            let positives = z.clone().gather(1, diagonal(range.clone(), &z.device()));
            let too_high = self.too_high(&free, &positives, &range, ranking);
            let blocks = ranking.comparisons.iter().zip(free).zip(too_high);
            let new = blocks.map(|((&comparison, z), too_high)| {
                let left_out = self.left_out(comparison, &range, &z);
                let new =
                    left_out.into_iter().fold(too_high, |new, out| new.bool_and(out.bool_not()));
                new.int().sum().into_data().iter::<i64>().sum::<i64>()
            });
            new.sum()
        };
        blocks.ranges().map(count).sum::<i64>() as usize
    }

    /// The logits of all comparisons, the lowest number where a candidate does not count.
    fn masked(
        &self,
        logits: Vec<Tensor<2>>,
        too_high: Vec<Tensor<2, Bool>>,
        range: &Range<usize>,
        ranking: &Ranking,
    ) -> Vec<Tensor<2>> {
        let pairs = ranking.comparisons.iter().zip(&logits);
        let mut too_high = too_high.into_iter();
        let left_out = |(&to, z): (&Comparison, &Tensor<2>)| {
            self.left_out(to, range, z).into_iter().chain(too_high.next()).reduce(Tensor::bool_or)
        };
        let mut masks: Vec<_> = pairs.clone().map(left_out).collect();
        if ranking.decoupled {
            let blocks: Vec<_> = pairs.map(|(&to, z)| self.block(to, range, z)).collect();
            masks = without_own(&blocks, masks, ranking.contest == Contest::Joint);
        }
        let masked = logits.into_iter().zip(masks).map(|(z, mask)| match mask {
            Some(mask) => {
                let lowest = lowest_number(z.dtype());
                z.mask_fill(mask, lowest)
            }
            None => z,
        });
        masked.collect()
    }

    fn scaled(&self, comparison: Comparison, range: &Range<usize>) -> (Tensor<2>, S::Trace) {
        let scores = |factor| self.scores.traced(comparison, range.clone(), factor);
        match &self.scale {
            Scale::Fixed(scale) => scores(*scale),
            Scale::Learned(_) if self.in_rows => scores(1.0),
            Scale::Learned(scale) => {
                let (scores, trace) = scores(1.0);
                let dtype = scores.dtype();
                (scores * scale.clone().cast(dtype).unsqueeze(), trace)
            }
        }
    }

    fn block(
        &self,
        comparison: Comparison,
        range: &Range<usize>,
        logits: &Tensor<2>,
    ) -> CandidateBlock {
        let (queries, width, device) = (self.queries(), logits.dims()[1], logits.device());
        CandidateBlock { comparison, range: range.clone(), queries, width, device }
    }

    /// True for the candidates that a row is not compared with: itself, rows with its id (except its own
    /// positive), absent negatives, and what a guide takes for positives; `None` if there are none.
    fn left_out(
        &self,
        comparison: Comparison,
        range: &Range<usize>,
        logits: &Tensor<2>,
    ) -> Option<Tensor<2, Bool>> {
        let block = self.block(comparison, range, logits);
        let guided = |guide: &Guide| block.guided_away(guide.too_similar(comparison, range));
        let masks = [
            block.itself(),
            self.ids.as_ref().map(|ids| block.equal_ids(ids)),
            self.absent.as_ref().and_then(|absent| block.absent(absent)),
            self.guide.as_ref().map(guided),
        ];
        masks.into_iter().flatten().reduce(Tensor::bool_or)
    }

    /// Adds the penalty, a constant, to the documents that get one, never to the positive.
    fn penalize(
        &self,
        logits: Tensor<2>,
        range: &Range<usize>,
        of: Penalized,
        strength: f64,
    ) -> Tensor<2> {
        let block = self.block(Comparison::QUERY_TO_DOCUMENT, range, &logits);
        let (own, positive) = (block.of_own_query(), block.own());
        let spared = match of {
            Penalized::OtherRows => own,
            Penalized::OwnNegatives => own.bool_not().bool_or(positive),
            Penalized::All => positive,
        };
        let constant = logits.clone().inner().mul_scalar(strength);
        let penalty = match &self.scale {
            Scale::Fixed(scale) => constant.mul_scalar(1.0 / scale),
            Scale::Learned(scale) => {
                let dtype = constant.dtype();
                constant / scale.clone().inner().cast(dtype).unsqueeze()
            }
        };
        logits + penalty.mask_fill(spared, 0.0)
    }
}

fn only(logits: Vec<Tensor<2>>) -> Tensor<2> {
    logits.into_iter().next().expect("queries are compared with documents")
}

/// The factor of each term in the sum.
#[allow(clippy::large_enum_variant, reason = "one at a time; a tensor is large by some features")]
enum Factor {
    Equal(f64),
    /// One for each anchor, `[anchors]`, and the row of the first.
    Each(Tensor<1>, usize),
}

impl Factor {
    /// The factors of the anchors in `range`, `[range]`; `None` if they are equal.
    fn each(&self, range: &Range<usize>) -> Option<Tensor<1>> {
        match self {
            Self::Equal(_) => None,
            Self::Each(factors, first) => {
                Some(factors.clone().slice(range.start - first..range.end - first))
            }
        }
    }

    /// The sum of the terms of `range`, each times its factor, `[1]`.
    fn sum(&self, terms: Tensor<1>, range: &Range<usize>) -> Tensor<1> {
        match self {
            Self::Equal(factor) => terms.mul_scalar(*factor).sum(),
            Self::Each(..) => (terms * self.each(range).expect("one each")).sum(),
        }
    }
}

/// The sum with gradients in closed form: the derivative of `ln Σ exp(z)` is `softmax(z)`, that of `ln(1 + exp(z))` is
/// the sigmoid, and the scores know the rest.
struct Closed<'a, S> {
    of: &'a Candidates<S>,
    ranking: &'a Ranking,
    factor: &'a Factor,
    scale: f64,
}

impl<S: Scores> Closed<'_, S> {
    /// The terms of a block times their factors, `[1]`; adds to the gradients.
    fn block(&self, range: Range<usize>, gradients: &mut [Option<Accumulated>; 2]) -> Tensor<1> {
        let Logits { all: logits, traces, positives } = self.of.logits(&range, self.ranking);
        let contest = self.ranking.contest;
        let share = 1.0 / if contest == Contest::PerComparison { logits.len() } else { 1 } as f64;
        let equal = match self.factor {
            Factor::Equal(factor) => *factor,
            Factor::Each(..) => 1.0,
        };
        let slope = equal * share * self.scale;
        let (slopes, terms) = match contest {
            Contest::Joint => {
                let (slopes, normalizers) = softmax(logits, slope);
                (slopes, normalizers - positives)
            }
            Contest::PerComparison => {
                let each = logits.into_iter().map(|z| softmax(vec![z], slope));
                let (slopes, normalizers): (Vec<_>, Vec<_>) = each.unzip();
                let sum = normalizers.into_iter().reduce(|sum, term| sum + term);
                let sum = sum.expect("at least one comparison");
                (slopes.concat(), sum.mul_scalar(share) - positives)
            }
            Contest::Sigmoid => {
                let (slopes, terms) = answers(only(logits), range.start, slope, |logits| {
                    let slopes = sigmoid(logits.clone()).mul_scalar(slope);
                    (slopes, self.of.answers(logits, positives, &range))
                });
                (vec![slopes], terms)
            }
        };
        let slopes = slopes.into_iter().zip(traces);
        self.backward(&range, equal * self.scale, slopes, gradients);
        self.factor.sum(terms.squeeze_dim(1), &range)
    }

    fn backward(
        &self,
        range: &Range<usize>,
        pull: f64,
        slopes: impl Iterator<Item = (Tensor<2>, S::Trace)>,
        gradients: &mut [Option<Accumulated>; 2],
    ) {
        for (&comparison, (slope, trace)) in self.ranking.comparisons.iter().zip(slopes) {
            let slope = match comparison {
                Comparison::QUERY_TO_DOCUMENT => add_to_diagonal(slope, range.start, -pull),
                _ => slope,
            };
            let slope = match self.factor.each(range) {
                Some(factors) => slope * factors.unsqueeze_dim(1),
                None => slope,
            };
            self.of.scores.backward(comparison, range, slope, trace, gradients);
        }
    }
}
