//! Triplets that violate a margin, counted without building them.

use burn::prelude::*;

use super::masks::LabelMasks;
use super::sorted::SortedRows;

/// For each pair of rows the number of violated triplets with it, and the number of all violated triplets.
#[derive(Debug, Clone)]
pub struct TripletCounts {
    /// `[rows, n]`: for a positive pair, the number of negatives with
    /// `d(a, p) − d(a, n) + margin ≥ 0`; for a negative pair, minus the number of such positives.
    /// It is the derivative of the sum of all violations with respect to the distances.
    pub weights: Tensor<2>,
    /// For every anchor, the number of triplets with `d(a, p) − d(a, n) + margin ≥ 0`, `[rows]`:
    /// `Σ weights · distances + margin · touched` is the sum of its violations.
    pub touched: Tensor<1>,
    /// For every anchor, the number of triplets with `d(a, p) − d(a, n) + margin > 0`, `[rows]`.
    pub active: Tensor<1>,
}

/// Counts the triplets that violate the margin, without building them.
///
/// A triplet that lies exactly on the margin is touched but not active: its value is 0, and its
/// derivative is 1 by the convention of sentence-transformers. Keys that differ by rounding error
/// only count as equal.
///
/// # Shapes
///
/// distances `[rows, n]`: some or all rows, as the masks
///
/// # Numerical behavior
///
/// One sort of each row and running sums, `n² log n` in all.
pub fn violated_triplets(distances: Tensor<2>, masks: &LabelMasks, margin: f64) -> TripletCounts {
    let distances = distances.inner();
    let shifted = distances.clone().add_scalar(margin);
    let keys = distances.mask_where(masks.positive.clone(), shifted);
    let sorted = SortedRows::new(keys, masks);

    let negatives_up_to = sorted.count_up_to_ties(sorted.negative.clone());
    let negatives_below = sorted.count_below_ties(sorted.negative.clone());
    let positives_below = sorted.count_below_ties(sorted.positive.clone());
    let positives = sorted.positive.clone().sum_dim(1);

    let attract = negatives_up_to * sorted.positive.clone();
    let repel = (positives - positives_below) * sorted.negative.clone();
    TripletCounts {
        touched: attract.clone().sum_dim(1).squeeze_dim(1),
        active: (negatives_below * sorted.positive.clone()).sum_dim(1).squeeze_dim(1),
        weights: sorted.restore(attract - repel),
    }
}
