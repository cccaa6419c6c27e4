//! The hardest positive and the hardest negative of every anchor.

use core::ops::Range;

use burn::prelude::*;

use super::extreme::{closest, farthest};
use super::masks::LabelMasks;
use crate::budget::Blocks;
use crate::geometry::Distance;
use crate::kernels::{self, Chosen};

/// Memory that the search for one anchor among `rows` needs, in bytes: its distances in `f64` and the
/// intermediate results before and after.
pub fn search_bytes(rows: &Tensor<2>, distance: Distance) -> usize {
    rows.dims()[0] * (48 + distance.difference_bytes(rows, false))
}

/// The farthest row of the same label, by a matrix of distances `[n, n]`.
pub fn hardest_positives(distances: Tensor<2>, masks: &LabelMasks) -> Chosen {
    farthest(distances, masks.positive.clone())
}

/// The closest row of another label, by a matrix of distances `[n, n]`.
pub fn hardest_negatives(distances: Tensor<2>, masks: &LabelMasks) -> Chosen {
    closest(distances, masks.negative.clone())
}

/// The farthest row of the same label and the closest row of another label for every anchor, searched a
/// block of anchors at a time.
///
/// As in sentence-transformers, an anchor without a negative gets its farthest row instead; there is
/// always a negative.
pub fn hardest(
    rows: Tensor<2>,
    labels: Tensor<1, Int>,
    distance: Distance,
    blocks: Blocks,
) -> (Chosen, Chosen) {
    let (rows, labels) = (rows.inner(), labels.inner());
    let by_kernel = distance.by_product().and_then(|d| kernels::hardest(d, &rows, &labels, blocks));
    by_kernel.unwrap_or_else(|| plain(rows, labels, distance, blocks))
}

fn plain(
    rows: Tensor<2>,
    labels: Tensor<1, Int>,
    distance: Distance,
    blocks: Blocks,
) -> (Chosen, Chosen) {
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
    let is_negative = masks.negative.clone().gather(1, chosen.index().unsqueeze_dim(1));
    let index = farthest_row.index().mask_where(is_negative.squeeze_dim(1), chosen.index());
    Chosen::new(index, chosen.exists())
}
