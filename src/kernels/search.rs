//! Searches among all rows of a batch that a kernel does without a matrix of distances. Their plain forms
//! are in [`select`](crate::select).

use burn::prelude::*;

use super::{Chosen, ProductDistance, flex};
use crate::budget::Blocks;

/// The hardest positive and the hardest negative of every anchor, a block of anchors at a time; `None`
/// if there is no kernel for these rows.
pub(crate) fn hardest(
    distance: ProductDistance,
    x: &Tensor<2>,
    labels: &Tensor<1, Int>,
    blocks: Blocks,
) -> Option<(Chosen, Chosen)> {
    flex::hardest(distance, x, labels, blocks)
}

/// For each anchor i of `blocks`, a row of `x`, the closest row j ≠ i of `y`, with another id if ids
/// are given; `None` if there is no kernel for these rows.
pub(crate) fn closest_other(
    distance: ProductDistance,
    rows: [&Tensor<2>; 2],
    ids: Option<&Tensor<1, Int>>,
    blocks: Blocks,
) -> Option<Chosen> {
    flex::closest_other(distance, rows, ids, blocks)
}
