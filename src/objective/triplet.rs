//! Anchors that should be closer to positives than to negatives.
//!
//! The rows that an anchor is compared with are selected without a gradient; the distances of the
//! selected pairs are computed with one.

use core::ops::Range;

use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;

use super::hinge::closed_hinge;
use crate::blocks::{self, Blocks};
use crate::geometry::Distance;
use crate::kernels::{self, Partner, TripletRule};
use crate::reduction::{Reduced, Reduction, Terms};
use crate::select::{
    LabelMasks, Negatives, TripletCounts, hardest, semi_hard_negatives, violated_triplets,
};

/// Memory that the triplets of one anchor need, in bytes: its distances, sorted, with counts and their
/// gradient.
pub fn triplet_bytes(rows: &Tensor<2>, distance: Distance) -> usize {
    rows.dims()[0] * (160 + distance.difference_bytes(rows, rows.is_tracked()))
}

/// Distance to the hardest positive minus distance to the hardest negative, for every anchor `[n]`;
/// searched a block of anchors at a time.
///
/// As in sentence-transformers, an anchor without a positive has positive distance 0, and an anchor
/// without a negative takes its farthest row instead: in a batch of one class the difference is 0.
pub fn hardest_gap(
    x: Tensor<2>,
    labels: Tensor<1, Int>,
    distance: Distance,
    blocks: Blocks,
) -> Tensor<1> {
    let (positive, negative) = hardest(x.clone(), labels, distance, blocks);
    let [positive, negative] = [positive, negative].map(|chosen| Partner::Chosen(0, chosen));
    distance.metric(0.0).compare([x], positive, Some(negative))
}

/// One term per anchor, `[n]`; with `only` given, other anchors are 0 and do not count.
pub fn anchors_where(only: Option<Tensor<1, Bool>>, terms: Tensor<1>) -> Terms {
    match only {
        None => Terms::all(terms),
        Some(valid) => {
            let count = valid.clone().float().cast(terms.dtype()).sum();
            Terms::new(terms.mask_fill(valid.bool_not(), 0.0), count)
        }
    }
}

/// The triplets of a labelled batch that a loss is the sum of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Triplets {
    /// Distance between anchor and positive or negative.
    pub distance: Distance,
    /// The negative should be farther away than the positive by this much.
    pub margin: f64,
    /// Which negatives each positive is compared with.
    pub negatives: Negatives,
}

impl Triplets {
    /// `Σ max(0, d(a, p) − d(a, n) + m)` of every anchor, `[n]`; a block of anchors at a time where no
    /// gradient is wanted.
    pub fn terms(&self, x: Tensor<2>, labels: Tensor<1, Int>, blocks: Blocks) -> Terms {
        let dtype = x.dtype();
        let ranges: Vec<_> = match x.is_tracked() {
            true => core::iter::once(0..x.dims()[0]).collect(),
            false => blocks.ranges().collect(),
        };
        let part = |range| self.of_rows(x.clone(), range, labels.clone());
        let (sums, counts): (Vec<_>, Vec<_>) = ranges.into_iter().map(part).unzip();
        let count = Tensor::cat(counts, 0).sum();
        Terms::new(Tensor::cat(sums, 0).cast(dtype), count.cast(dtype))
    }

    /// The reduced [`terms`](Self::terms), a block of anchors at a time.
    pub fn reduced(
        &self,
        x: Tensor<2>,
        labels: Tensor<1, Int>,
        blocks: Blocks,
        reduction: Reduction,
    ) -> Reduced {
        let Self { margin, negatives, .. } = *self;
        let rule =
            self.distance.by_product().map(|distance| TripletRule { distance, margin, negatives });
        let weight = |count| reduction.weight(count);
        let by_kernel =
            rule.and_then(|rule| kernels::triplet_sum(&x, &labels, rule, blocks, weight));
        by_kernel.map_or_else(|| self.plain(x, labels, blocks, reduction), Reduced::new)
    }

    fn plain(
        &self,
        x: Tensor<2>,
        labels: Tensor<1, Int>,
        blocks: Blocks,
        reduction: Reduction,
    ) -> Reduced {
        let dtype = x.dtype();
        let part = |range, [x]: [Tensor<2>; 1]| {
            let (sums, count) = self.of_rows(x, range, labels.clone());
            (sums.sum(), count)
        };
        let (sum, counts) = blocks::sum_with([x], blocks, part);
        Reduced::of_sum(sum, Tensor::cat(counts, 0).sum(), reduction).cast(dtype)
    }

    /// The sums of some anchors, `[rows]`, and how many of their triplets count, `[1]`.
    fn of_rows(
        &self,
        x: Tensor<2>,
        range: Range<usize>,
        labels: Tensor<1, Int>,
    ) -> (Tensor<1>, Tensor<1>) {
        // Labels are constants, even if they come with a graph.
        let masks = LabelMasks::of_rows(labels.inner(), range.clone());
        let d = self.distance.pairwise_wide(x.clone().slice([range]), x);
        let found = d.clone().inner();
        let chosen = match self.negatives {
            Negatives::All => all_triplets(found, &masks, self.margin),
            Negatives::SemiHard { only_valid } => {
                semi_hard_triplets(found, &masks, self.margin, only_valid)
            }
        };
        // Σ w d + m Σ w⁺
        let weighed = (chosen.weights * d).sum_dim(1).squeeze_dim(1);
        (weighed + chosen.touched.mul_scalar(self.margin), chosen.counted)
    }
}

/// The violated triplets of some anchors; all constants.
struct Violations {
    /// Gradient of the sum of the violations with respect to the distances, `[rows, n]`.
    weights: Tensor<2>,
    /// The number of triplets with each anchor, `[rows]`.
    touched: Tensor<1>,
    /// The number of triplets that count, `[1]`.
    counted: Tensor<1>,
}

fn all_triplets(d: Tensor<2>, masks: &LabelMasks, margin: f64) -> Violations {
    let TripletCounts { weights, touched, active } = violated_triplets(d, masks, margin);
    Violations { weights, touched, counted: active.sum() }
}

fn semi_hard_triplets(
    d: Tensor<2>,
    masks: &LabelMasks,
    margin: f64,
    only_valid: bool,
) -> Violations {
    let chosen = semi_hard_negatives(d.clone(), masks);
    let no_negative = masks.negative.clone().any_dim(1).bool_not().expand(d.dims());
    let pairs = match only_valid {
        false => masks.positive.clone(),
        true => masks.positive.clone().bool_and(no_negative.clone().bool_not()),
    };
    let d_n = d.clone().gather(1, chosen.clone()).mask_fill(no_negative.clone(), 0.0);
    let share = half_open_step(d - d_n + margin).mask_fill(pairs.clone().bool_not(), 0.0);
    let repel = share.clone().mask_fill(no_negative, 0.0);
    Violations {
        touched: share.clone().sum_dim(1).squeeze_dim(1),
        counted: pairs.float().cast(share.dtype()).sum(),
        weights: share.scatter(1, chosen, repel.neg(), IndexingUpdateOp::Add),
    }
}

/// `max(0, d_p − d_n + m)` with derivative 1 at 0, `[n]`.
pub fn batch_hard(gap: Tensor<1>, margin: f64) -> Tensor<1> {
    closed_hinge(gap.add_scalar(margin))
}

/// Derivative of the hinge `max(0, t)`: 0 below 0, ½ at 0 and 1 above.
fn half_open_step(t: Tensor<2>) -> Tensor<2> {
    t.sign().add_scalar(1.0).mul_scalar(0.5)
}
