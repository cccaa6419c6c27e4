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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_far_negative_pair_costs_nothing_and_a_far_positive_one_no_more_than_it_must() {
        let device = Device::flex().autodiff();
        // d² is infinite in f32, ½ d² of the last pair is not.
        let d = Tensor::<1>::from_floats([1e30, 2.5e19], &device).require_grad();
        let y = Tensor::<1>::from_floats([0.0, 1.0], &device);
        let terms = contrastive(d.clone(), y, 0.5);
        let gradients = terms.clone().sum().backward();
        let gradient = d.grad(&gradients).unwrap().into_data();
        assert_eq!(terms.into_data().iter::<f32>().next(), Some(0.0));
        assert_eq!(gradient.iter::<f32>().collect::<Vec<_>>(), [0.0, 2.5e19]);
    }
}
