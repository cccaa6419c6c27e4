//! Anchors that should be closer to positives than to negatives.
//!
//! Which rows an anchor is compared with is decided without a gradient; the distances of the
//! chosen pairs are computed with one.

use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;

use super::hinge::closed_hinge;
use crate::pairwise::Distance;
use crate::pairwise::mining::{
    LabelMasks, closest, farthest, hardest_positives, semi_hard_negatives, violated_triplets,
};
use crate::reduction::Terms;

/// Distance to the hardest positive minus distance to the hardest negative, for every anchor `[n]`.
///
/// As in sentence-transformers, an anchor without a positive has positive distance 0, and an anchor
/// without a negative takes its farthest row instead: in a batch of one class the difference is 0.
pub fn hardest_gap(x: Tensor<2>, masks: &LabelMasks, distance: Distance) -> Tensor<1> {
    let order = distance.order(x.clone(), x.clone());
    let positive = hardest_positives(order.clone(), masks);
    let negative = nearest_or_farthest(order, masks);

    let d_p = distance.paired(x.clone(), positive.rows(x.clone()));
    let d_n = distance.paired(x.clone(), x.select(0, negative));
    d_p.mask_fill(positive.exists.bool_not(), 0.0) - d_n
}

/// Index of the negative that sentence-transformers trains on, `[n]`.
///
/// It looks for the smallest distance after adding the anchor's farthest distance to those of its
/// own class. The anchor itself then ties with a negative that is as far away as any row, and if it
/// comes first the farthest row is meant.
fn nearest_or_farthest(order: Tensor<2>, masks: &LabelMasks) -> Tensor<1, Int> {
    let everyone = masks.negative.clone().bool_or(masks.negative.clone().bool_not());
    let farthest_row = farthest(order.clone(), everyone.clone()).index;

    let handicap = order.clone().max_dim(1).expand(order.dims());
    let handicap = handicap.mask_fill(masks.negative.clone(), 0.0);
    let chosen = closest(order + handicap, everyone).index;
    let is_negative = masks.negative.clone().gather(1, chosen.clone().unsqueeze_dim(1));
    farthest_row.mask_where(is_negative.squeeze_dim(1), chosen)
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

/// `Σ max(0, d(a, p) − d(a, n) + m)` over all positives and negatives of every anchor, `[n]`,
/// counting the triplets that are larger than 0.
pub fn all_triplets(x: Tensor<2>, masks: &LabelMasks, distance: Distance, margin: f64) -> Terms {
    let dtype = x.dtype();
    let d = distance.between_wide(x.clone(), x);
    let counts = violated_triplets(d.clone(), masks, margin);
    let sums = weigh(counts.weights, d) + counts.touched.mul_scalar(margin);
    Terms::new(sums.cast(dtype), counts.active.sum().cast(dtype))
}

/// `Σ max(0, d(a, p) − d(a, n) + m)` over all positives of every anchor with their semi-hard
/// negatives, `[n]`, counting all positive pairs.
///
/// As in sentence-transformers, a pair whose anchor has no negative is `max(0, d(a, p) + m)`;
/// with `only` given, other anchors neither add nor count.
pub fn semi_hard_triplets(
    x: Tensor<2>,
    masks: &LabelMasks,
    distance: Distance,
    margin: f64,
    only: Option<Tensor<1, Bool>>,
) -> Terms {
    let dtype = x.dtype();
    let d = distance.between_wide(x.clone(), x);
    let found = d.clone().inner();
    let chosen = semi_hard_negatives(found.clone(), masks);
    let no_negative = masks.negative.clone().any_dim(1).bool_not().expand(found.dims());

    let pairs = match only {
        None => masks.positive.clone(),
        Some(valid) => masks.positive.clone().bool_and(valid.unsqueeze_dim::<2>(1)),
    };
    let d_n = found.clone().gather(1, chosen.clone()).mask_fill(no_negative.clone(), 0.0);
    let share = half_open_step(found - d_n + margin).mask_fill(pairs.clone().bool_not(), 0.0);
    let repel = share.clone().mask_fill(no_negative, 0.0);
    let weights = share.clone().scatter(1, chosen, repel.neg(), IndexingUpdateOp::Add);

    let sums = weigh(weights, d) + share.sum_dim(1).squeeze_dim(1).mul_scalar(margin);
    Terms::new(sums.cast(dtype), pairs.float().cast(dtype).sum())
}

/// `max(0, d_p − d_n + m)` with derivative 1 at 0, `[n]`.
pub fn batch_hard(gap: Tensor<1>, margin: f64) -> Tensor<1> {
    closed_hinge(gap.add_scalar(margin))
}

/// Derivative of the hinge `max(0, t)`: 0 below 0, ½ at 0 and 1 above.
fn half_open_step(t: Tensor<2>) -> Tensor<2> {
    t.sign().add_scalar(1.0).mul_scalar(0.5)
}

/// `Σ_j w_ij d_ij` for every row, `[n]`; the weights are constants.
fn weigh(weights: Tensor<2>, d: Tensor<2>) -> Tensor<1> {
    (weights.inner() * d).sum_dim(1).squeeze_dim(1)
}
