//! Scores that should be in the order of their labels.

use burn::prelude::*;

use super::log_sum_exp::{log_of_zero, remaining_log_sum_exp, running_log_sum_exp};
use crate::kernels::carry_gradient;
use crate::numeric::lowest_number;
use crate::reduction::Reduced;
use crate::select::LabelOrder;

/// `ln(1 + Σ exp(t (sᵢ − sⱼ)))` over all pairs with `yᵢ < yⱼ`, one number for the batch; scores and labels
/// `[n]`.
///
/// # Numerical behavior
///
/// One sort by label and running log-sum-exps, `n log n`, with the memory of a few vectors. Everything
/// stays in the log domain, and the gradient is known in closed form: a pair pulls its scores together by
/// its share of the sum.
pub fn pairwise_logistic(scores: Tensor<1>, labels: Tensor<1>, scale: f64) -> Reduced {
    let order = LabelOrder::new(labels);
    let scores = scores.select(0, order.rows.clone());
    let fixed = scores.clone().inner();
    // An offset that all scores share cancels; without it they keep their digits.
    let centre = fixed.clone().min().mul_scalar(0.5) + fixed.clone().max().mul_scalar(0.5);
    let largest = -lowest_number(fixed.dtype()) / 4.0;
    let s = (fixed - centre).mul_scalar(scale).clamp(-largest, largest);

    let row = s.clone().unsqueeze_dim(0);
    let below = running_log_sum_exp(row.clone()).squeeze_dim(0);
    let below = strictly_before(below, order.first_equal);
    let above = remaining_log_sum_exp(row.neg()).squeeze_dim(0);
    let above = strictly_after(above, order.next_larger);

    let as_lower = s.clone() + above;
    let value = log_one_plus_sum_exp(as_lower.clone());
    let slope = (as_lower - value.clone()).exp() - (below - s - value.clone()).exp();
    Reduced::new(value + carry_gradient(scores, slope.mul_scalar(scale)))
}

/// The sum that ends before place `start` of each row; nothing before place 0.
fn strictly_before(sums: Tensor<1>, start: Tensor<1, Int>) -> Tensor<1> {
    Tensor::cat(vec![log_of_zero([1], &sums), sums], 0).select(0, start)
}

/// The sum that begins at place `start` of each row; nothing at place n.
fn strictly_after(sums: Tensor<1>, start: Tensor<1, Int>) -> Tensor<1> {
    Tensor::cat(vec![sums.clone(), log_of_zero([1], &sums)], 0).select(0, start)
}

/// `ln(1 + Σ exp(x))`, `[1]`.
fn log_one_plus_sum_exp(x: Tensor<1>) -> Tensor<1> {
    let shift = x.clone().max().clamp_min(0.0);
    let sum = (x - shift.clone()).exp().sum() + shift.clone().neg().exp();
    sum.log() + shift
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{DType, Distribution};

    fn by_all_pairs(scores: &[f64], labels: &[f64], scale: f64) -> f64 {
        let pairs = labels.iter().enumerate().flat_map(|(i, y)| {
            let above = labels.iter().enumerate().filter(move |(_, other)| y < other);
            above.map(move |(j, _)| (scale * (scores[i] - scores[j])).exp())
        });
        (1.0 + pairs.sum::<f64>()).ln()
    }

    #[test]
    fn the_sum_runs_over_all_pairs_of_different_labels() {
        let device = Device::flex();
        for (n, classes) in [(1, 1), (2, 2), (9, 3), (33, 40), (20, 1)] {
            device.seed(n);
            let place = (&device, DType::F64);
            let scores = Tensor::<1>::random([n as usize], Distribution::Uniform(-1.0, 1.0), place);
            let labels = (0..n as i64).map(|i| (i * i % classes) as f64).collect::<Vec<_>>();
            let y = Tensor::from_data(labels.as_slice(), place);
            let got = pairwise_logistic(scores.clone(), y, 5.0).into_value().into_scalar::<f64>();
            let scores: Vec<f64> = scores.into_data().iter::<f64>().collect();
            let expected = by_all_pairs(&scores, &labels, 5.0);
            assert!((got - expected).abs() < 1e-12, "{n} rows: {got} is not {expected}");
        }
    }

    #[test]
    fn a_pair_counts_however_far_other_scores_are_away() {
        let device = Device::flex().autodiff();
        // The last pair alone violates its order; exp(±1000) of the others would hide it.
        let scores = Tensor::<1>::from_floats([-1000.0, 5.0, 4.0], &device).require_grad();
        let labels = Tensor::<1>::from_floats([0.0, 1.0, 2.0], &device);
        let loss = pairwise_logistic(scores.clone(), labels, 1.0).into_value();
        let slope: Vec<f32> = scores.grad(&loss.backward()).unwrap().try_into_vec_as().unwrap();
        let (expected, share) = ((1.0 + 1f32.exp()).ln(), 1.0 / (1.0 + (-1f32).exp()));
        assert!((loss.into_scalar::<f32>() - expected).abs() < 1e-4);
        assert!(slope[0].abs() < 1e-6 && (slope[1] - share).abs() < 1e-4);
        assert!((slope[2] + share).abs() < 1e-4, "{slope:?}");
    }
}
