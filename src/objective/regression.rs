//! Scores and vectors that should equal a target. Errors are those of each element, in the shape of
//! what is compared; the two have the same.

use burn::prelude::*;
use burn::tensor::activation;

use super::hinge::log_one_plus_exp;
use crate::geometry::Similarity;
use crate::numeric::tangent;

pub use crate::kernels::squared_error_sum;

/// PyTorch keeps the logarithms of a probability above this.
const LOWEST_LOG: f64 = -100.0;

/// `(x − y)²`, element by element.
pub fn squared_error<const D: usize>(x: Tensor<D>, y: Tensor<D>) -> Tensor<D> {
    let error = x - y;
    error.clone() * error
}

/// `|x − y|`, element by element; derivative 0 at 0.
pub fn absolute_error<const D: usize>(x: Tensor<D>, y: Tensor<D>) -> Tensor<D> {
    (x - y).abs()
}

/// `½ (x − y)²` where `|x − y| ≤ delta`, else `delta (|x − y| − ½ delta)`.
pub fn huber<const D: usize>(x: Tensor<D>, y: Tensor<D>, delta: f64) -> Tensor<D> {
    let error = (x - y).abs();
    let beyond = error.clone().sub_scalar(delta);
    let inner = error.clamp_max(delta);
    // Both branches meet in ½ e² + delta · max(0, |x − y| − delta), with e held at delta.
    inner.square().mul_scalar(0.5) + activation::relu(beyond).mul_scalar(delta)
}

/// `−y ln p − (1 − y) ln(1 − p)` for probabilities `p` in `[0, 1]`, with logarithms no lower
/// than −100.
pub fn binary_cross_entropy<const D: usize>(p: Tensor<D>, y: Tensor<D>) -> Tensor<D> {
    let log = |p: Tensor<D>| {
        let smallest = LOWEST_LOG.exp();
        let gone = p.clone().lower_elem(smallest);
        p.clamp_min(smallest).log().mask_fill(gone, LOWEST_LOG)
    };
    let miss = log(p.clone().neg().add_scalar(1.0)) * y.clone().neg().add_scalar(1.0);
    (log(p) * y + miss).neg()
}

/// [`binary_cross_entropy`] of `sigmoid(x)`, without a bound on the logarithms.
///
/// # Numerical behavior
///
/// Value and gradient are sums of terms of one sign, so they keep their digits however certain the
/// probabilities are.
pub fn binary_cross_entropy_with_logits<const D: usize>(x: Tensor<D>, y: Tensor<D>) -> Tensor<D> {
    let (fixed, miss) = (x.clone().inner(), y.clone().neg().add_scalar(1.0));
    let (above, below) = (activation::relu(fixed.clone()), activation::relu(fixed.clone().neg()));
    let small = (above.clone() + below.clone()).neg().exp();
    let value = above * miss.clone() + below * y.clone() + small.clone().log1p();
    // The smaller of the probabilities of 1 and 0, and the larger.
    let larger = small.clone().add_scalar(1.0).recip();
    let smaller = small * larger.clone();
    let positive = fixed.greater_elem(0.0);
    let of_zero = larger.clone().mask_where(positive.clone(), smaller.clone());
    let of_one = smaller.mask_where(positive, larger);
    tangent(x, value, of_one * miss - of_zero * y)
}

/// `−w y ln σ(x) − (1 − y) ln(1 − σ(x))` for logits `x` and a weight `w` of positives, computed without
/// leaving the log domain.
pub fn weighted_binary_cross_entropy<const D: usize>(
    x: Tensor<D>,
    y: Tensor<D>,
    weight: f64,
) -> Tensor<D> {
    let negative = y.clone().neg().add_scalar(1.0);
    log_one_plus_exp(x.clone().neg()) * y.mul_scalar(weight) + log_one_plus_exp(x) * negative
}

/// `(s(q, p) − s(q, nₖ) − marginₖ)²` for every query and negative, `[n, k]`.
pub fn margin_squared_error(
    similarity: Similarity,
    query: Tensor<2>,
    positive: Tensor<2>,
    negatives: Vec<Tensor<2>>,
    margins: Tensor<2>,
) -> Tensor<2> {
    let (query, positive) = (similarity.prepare(query), similarity.prepare(positive));
    let margin = |negative: Tensor<2>| {
        let negative = similarity.prepare(negative);
        similarity.paired_difference_prepared(query.clone(), positive.clone(), negative)
    };
    let predicted = Tensor::stack::<2>(negatives.into_iter().map(margin).collect(), 1);
    squared_error(predicted, margins)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(values: [f32; 3]) -> Tensor<1> {
        Tensor::from_floats(values, &Device::flex().autodiff()).require_grad()
    }

    #[test]
    fn a_sum_of_squared_errors_pulls_both_sides() {
        let rows = |row| Tensor::<2>::from_floats([row], &Device::flex().autodiff()).require_grad();
        let (x, y) = (rows([1.0, 2.0]), rows([0.0, 4.0]));
        let sum = squared_error_sum(x.clone(), y.clone(), 0.5);
        assert_eq!(sum.clone().into_scalar::<f32>(), 2.5);
        let slopes = sum.backward();
        let slope = |rows: Tensor<2>| rows.grad(&slopes).unwrap().try_into_vec_as::<f32>().unwrap();
        assert_eq!((slope(x), slope(y)), (vec![1.0, -2.0], vec![-1.0, 2.0]));
    }

    fn value_and_slope(x: [f32; 3], f: impl Fn(Tensor<1>) -> Tensor<1>) -> (Vec<f32>, Vec<f32>) {
        let x = vector(x);
        let y = f(x.clone());
        let slope = x.grad(&y.clone().sum().backward()).unwrap();
        (y.try_into_vec_as().unwrap(), slope.try_into_vec_as().unwrap())
    }

    #[test]
    fn huber_is_quadratic_inside_and_linear_outside() {
        let zero = Tensor::zeros([3], &Device::flex());
        let (value, slope) = value_and_slope([0.5, -3.0, 1.0], |x| huber(x, zero.clone(), 1.0));
        assert_eq!(value, [0.125, 2.5, 0.5]);
        assert_eq!(slope, [0.5, -1.0, 1.0]);
    }

    #[test]
    fn cross_entropy_of_certain_probabilities_is_finite() {
        let y = Tensor::from_floats([1.0, 1.0, 0.5], &Device::flex());
        let (value, slope) =
            value_and_slope([0.0, 1.0, 0.5], |p| binary_cross_entropy(p, y.clone()));
        assert_eq!(value[..2], [100.0, 0.0]);
        assert!((value[2] - std::f32::consts::LN_2).abs() < 1e-6);
        assert!(slope.iter().all(|s| s.is_finite()), "{slope:?}");
    }

    #[test]
    fn cross_entropy_of_certain_logits_keeps_its_digits() {
        let y = Tensor::from_floats([1.0, 0.0, 1.0], &Device::flex());
        let (value, slope) = value_and_slope([22.0, -22.0, -1e30], |x| {
            binary_cross_entropy_with_logits(x, y.clone())
        });
        let small = (-22f32).exp();
        for (got, expected) in value.iter().zip([small, small, 1e30]) {
            assert!((got / expected - 1.0).abs() < 1e-6, "{value:?}");
        }
        for (got, expected) in slope.iter().zip([-small, small, -1.0]) {
            assert!((got / expected - 1.0).abs() < 1e-6, "{slope:?}");
        }
    }

    #[test]
    fn cross_entropy_agrees_with_its_logit_form() {
        let y = Tensor::from_floats([1.0, 0.0, 0.3], &Device::flex());
        let (direct, _) = value_and_slope([0.4, -1.2, 2.0], |x| {
            binary_cross_entropy(activation::sigmoid(x), y.clone())
        });
        let (logits, _) =
            value_and_slope([0.4, -1.2, 2.0], |x| binary_cross_entropy_with_logits(x, y.clone()));
        for (d, l) in direct.iter().zip(logits) {
            assert!((d - l).abs() < 1e-6);
        }
    }
}
