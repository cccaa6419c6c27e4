//! The most similar row that belongs to another anchor.

use burn::prelude::*;

use super::extreme::closest;
use super::masks::{LabelMasks, own_row};
use crate::budget::Blocks;
use crate::geometry::Distance;
use crate::kernels::{self, Chosen};

/// For each anchor i of `blocks`, a row of `x`, the closest row j ≠ i of `y`, with another id if ids are
/// given; a block of anchors at a time.
///
/// # Shapes
///
/// `[n, dim]`, `[m, dim]`, ids `[m]` → one choice per anchor
pub fn closest_other(
    distance: Distance,
    [x, y]: [Tensor<2>; 2],
    ids: Option<Tensor<1, Int>>,
    blocks: Blocks,
) -> Chosen {
    let (x, y) = (x.inner(), y.inner());
    let by_kernel = distance
        .by_product()
        .and_then(|d| kernels::closest_other(d, [&x, &y], ids.as_ref(), blocks));
    by_kernel.unwrap_or_else(|| plain(distance, [x, y], ids, blocks))
}

fn plain(
    distance: Distance,
    [x, y]: [Tensor<2>; 2],
    ids: Option<Tensor<1, Int>>,
    blocks: Blocks,
) -> Chosen {
    let chosen = blocks.ranges().map(|range| {
        let order = distance.order(x.clone().slice([range.clone()]), y.clone());
        let others = match &ids {
            None => own_row(range, y.dims()[0], &x.device()).bool_not(),
            Some(ids) => LabelMasks::of_rows(ids.clone(), range).negative,
        };
        closest(order, others)
    });
    Chosen::cat(chosen.collect())
}
