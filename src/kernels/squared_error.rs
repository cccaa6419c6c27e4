//! The sum of squared errors.

use burn::prelude::*;

use super::RowMetric;
use super::flex;
use crate::numeric::accumulate;

/// `weight · Σ (x − y)²`, `[1]`.
///
/// # Numerical behavior
///
/// Each row is scaled before the rows are added, so a result that fits the type does not overflow on
/// the way. On the CPU value and gradient come from one pass.
pub fn squared_error_sum(x: Tensor<2>, y: Tensor<2>, weight: f64) -> Tensor<1> {
    let [x, y] = [x, y].map(accumulate);
    flex::squared_error_sum([&x, &y], weight).unwrap_or_else(|| plain(x, y, weight))
}

fn plain(x: Tensor<2>, y: Tensor<2>, weight: f64) -> Tensor<1> {
    RowMetric::SquaredEuclidean { offset: 0.0 }.rows(x, y).mul_scalar(weight).sum()
}
