//! Anchors that should be closer to positives than to negatives.
//!
//! Which rows an anchor is compared with is decided without a gradient; the distances of the
//! chosen pairs are computed with one.

use core::ops::Range;

use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;

use super::hinge::closed_hinge;
use crate::pairwise::Distance;
use crate::pairwise::blocks::{self, Blocks};
use crate::pairwise::comparison::Others;
#[cfg(feature = "flex")]
use crate::pairwise::flex;
use crate::pairwise::mining::{
    Chosen, LabelMasks, Negatives, TripletCounts, closest, farthest, hardest_positives,
    semi_hard_negatives, violated_triplets,
};
#[cfg(feature = "flex")]
use crate::pairwise::norm::{carry_gradient, unit_rows};
use crate::reduction::{Reduction, Terms};

/// What the search for one anchor among `rows` takes, in bytes: distances in `f64`, what they are made
/// of and what is made of them.
pub fn search_bytes(rows: &Tensor<2>, distance: Distance) -> usize {
    rows.dims()[0] * (48 + distance.difference_bytes(rows, false))
}

/// The same for the triplets of one anchor: its distances, sorted, with counts and their gradient.
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
    let (positive, negative) = hardest(x.clone().inner(), labels.inner(), distance, blocks);
    let [positive, negative] = [positive, negative].map(|chosen| Others::Chosen(0, chosen));
    distance.comparison(0.0).with([x], positive, Some(negative))
}

/// The hardest positive and the hardest negative of every anchor; see [`hardest_gap`].
pub(crate) fn hardest(
    rows: Tensor<2>,
    labels: Tensor<1, Int>,
    distance: Distance,
    blocks: Blocks,
) -> (Chosen, Chosen) {
    #[cfg(feature = "flex")]
    if flex::suits(&rows) && distance != Distance::Manhattan {
        return flex::hardest(distance, &rows, &flex::integers(labels), blocks);
    }
    let search = |range: Range<usize>| {
        let masks = LabelMasks::of_rows(labels.clone(), range.clone());
        let order = distance.order(rows.clone().slice([range]), rows.clone());
        (hardest_positives(order.clone(), &masks), nearest_or_farthest(order, &masks))
    };
    let (positive, negative) = blocks.ranges().map(search).unzip();
    (Chosen::cat(positive), Chosen::cat(negative))
}

/// The negative that sentence-transformers trains on; there always is one.
///
/// It looks for the smallest distance after adding the anchor's farthest distance to those of its
/// own class. The anchor itself then ties with a negative that is as far away as any row, and if it
/// comes first the farthest row is meant.
fn nearest_or_farthest(order: Tensor<2>, masks: &LabelMasks) -> Chosen {
    let everyone = masks.negative.clone().bool_or(masks.negative.clone().bool_not());
    let farthest_row = farthest(order.clone(), everyone.clone());

    let handicap = order.clone().max_dim(1).expand(order.dims());
    let handicap = handicap.mask_fill(masks.negative.clone(), 0.0);
    let chosen = closest(order + handicap, everyone);
    let is_negative = masks.negative.clone().gather(1, chosen.index.clone().unsqueeze_dim(1));
    let index = farthest_row.index.mask_where(is_negative.squeeze_dim(1), chosen.index);
    Chosen::new(index, chosen.exists)
}

/// Anchors that have a positive as well as a negative, `[n]`; found a block at a time.
pub fn valid_anchors(labels: Tensor<1, Int>, blocks: Blocks) -> Tensor<1, Bool> {
    let labels = labels.inner();
    let valid = |range| LabelMasks::of_rows(labels.clone(), range).valid_anchors();
    Tensor::cat(blocks.ranges().map(valid).collect(), 0)
}

/// One term an anchor, `[n]`; with `only` given, other anchors are 0 and do not count.
pub fn anchors_where(only: Option<Tensor<1, Bool>>, terms: Tensor<1>) -> Terms {
    match only {
        None => Terms::all(terms),
        Some(valid) => {
            let count = valid.clone().float().cast(terms.dtype()).sum();
            Terms::new(terms.mask_fill(valid.bool_not(), 0.0), count)
        }
    }
}

/// The triplets of a labelled batch of which a loss is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Triplets {
    /// Distance between anchor and positive or negative.
    pub distance: Distance,
    /// By how much the negative should be farther away than the positive.
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

    /// The reduced [`terms`](Self::terms), `[1]`, a block of anchors at a time.
    pub fn reduced(
        &self,
        x: Tensor<2>,
        labels: Tensor<1, Int>,
        blocks: Blocks,
        reduction: Reduction,
    ) -> Tensor<1> {
        let dtype = x.dtype();
        #[cfg(feature = "flex")]
        if let Some(reduced) = self.reduced_by_rows(&x, &labels, blocks, reduction) {
            return reduced;
        }
        let part = |range, [x]: [Tensor<2>; 1]| {
            let (sums, count) = self.of_rows(x, range, labels.clone());
            (sums.sum(), count)
        };
        let (sum, counts) = blocks::sum([x], blocks, part);
        Terms::new(sum, Tensor::cat(counts, 0).sum()).reduce(reduction).cast(dtype)
    }

    /// [`reduced`](Self::reduced) by a kernel, where there is one.
    #[cfg(feature = "flex")]
    fn reduced_by_rows(
        &self,
        x: &Tensor<2>,
        labels: &Tensor<1, Int>,
        blocks: Blocks,
        reduction: Reduction,
    ) -> Option<Tensor<1>> {
        if !flex::suits(x) {
            return None;
        }
        let labels = flex::integers(labels.clone().inner());
        let fixed = x.clone().inner();
        let triplets =
            flex::TripletRows::new(self.distance, &fixed, &labels, self.margin, self.negatives)?;
        let sum = triplets.sum(blocks, x.is_tracked(), reduction)?;
        let value = Tensor::from_data([sum.value as f32], &x.device());
        let Some(gradient) = sum.gradient else { return Some(value) };
        // The gradient of a cosine distance is that of the unit rows.
        let rows = match self.distance {
            Distance::Cosine => unit_rows(x.clone()),
            _ => x.clone(),
        };
        Some(value + carry_gradient(rows, gradient))
    }

    /// The sums of some anchors, `[rows]`, and how many of their triplets count, `[1]`.
    fn of_rows(
        &self,
        x: Tensor<2>,
        range: Range<usize>,
        labels: Tensor<1, Int>,
    ) -> (Tensor<1>, Tensor<1>) {
        // As constants, whatever graph the labels came with.
        let masks = LabelMasks::of_rows(labels.inner(), range.clone());
        let d = self.distance.between_wide(x.clone().slice([range]), x);
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

/// What violated triplets make of the distances of some anchors; all constants.
struct Violations {
    /// Derivatives of the sum of the violations by the distances, `[rows, n]`.
    weights: Tensor<2>,
    /// How often each anchor gets the margin, `[rows]`.
    touched: Tensor<1>,
    /// How many triplets count, `[1]`.
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
