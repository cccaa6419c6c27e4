//! Pairs that attract and pairs that repel.

use burn::prelude::*;

use super::hinge::hinge;
use crate::select::OnlineSelection;

/// `½ (y d² + (1 − y) max(0, m − d)²)` for every pair, `[n]`.
pub fn contrastive(d: Tensor<1>, y: Tensor<1>, margin: f64) -> Tensor<1> {
    // The half first, and nothing of negative pairs: d² may be too large for its type.
    let half_square = |x: Tensor<1>| x.clone() * x.mul_scalar(0.5);
    let attract = half_square(d.clone()).mask_fill(y.clone().equal_elem(0.0), 0.0) * y.clone();
    let repel = half_square(violation(d, margin)) * (y.neg().add_scalar(1.0));
    attract + repel
}

/// `d²` for hard positive pairs, `max(0, m − d)²` for hard negative pairs, 0 for the rest, `[n]`.
pub fn online_contrastive(d: Tensor<1>, selection: OnlineSelection, margin: f64) -> Tensor<1> {
    let attract = d.clone().square().mask_fill(selection.hard_positive.bool_not(), 0.0);
    let repel = violation(d, margin).square().mask_fill(selection.hard_negative.bool_not(), 0.0);
    attract + repel
}

fn violation(d: Tensor<1>, margin: f64) -> Tensor<1> {
    hinge(d.neg().add_scalar(margin))
}
