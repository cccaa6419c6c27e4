//! The closest negative beyond each positive.

use burn::prelude::*;

use super::extreme::farthest;
use super::masks::LabelMasks;
use super::sorted::SortedRows;

/// The semi-hard negative of every ordered positive pair: the closest negative of the anchor that
/// is farther away than the positive; where there is none, the anchor's farthest negative.
///
/// # Shapes
///
/// distances `[rows, n]` → column indices `[rows, n]`, meaningful where `masks.positive` holds and the
/// anchor has a negative
///
/// # Numerical behavior
///
/// One sort of each row, `n² log n` in all. "Farther" is strict.
pub fn semi_hard_negatives(distances: Tensor<2>, masks: &LabelMasks) -> Tensor<2, Int> {
    let distances = distances.inner();
    let farthest_negative = farthest(distances.clone(), masks.negative.clone()).index();
    let sorted = SortedRows::new(distances, masks);
    let next = sorted.next_negative();
    let none = next.clone().greater_equal_elem(sorted.n as i64);
    let column = sorted.order.clone().gather(1, next.mask_fill(none.clone(), 0));
    let fallback = farthest_negative.unsqueeze_dim::<2>(1).expand([sorted.rows, sorted.n]);
    let column = column.mask_where(none, fallback);
    sorted.restore_int(column)
}
