//! Scores and vectors that should equal a target. Errors are those of each element, in the shape of
//! what is compared; the two have the same.

use burn::prelude::*;
use burn::tensor::activation;

use super::hinge::log_one_plus_exp;
use crate::geometry::Similarity;
use crate::kernels::{carry_gradient, row_products_sum};
use crate::numeric::{lowest_number, smallest_divisor, tangent};

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

/// The same, summed and multiplied by a weight, `[1]`; for a similarity that is the dot product of prepared rows.
pub(crate) fn margin_squared_error_sum(
    similarity: Similarity,
    query: Tensor<2>,
    positive: Tensor<2>,
    negatives: Vec<Tensor<2>>,
    margins: Tensor<2>,
    weight: f64,
) -> Tensor<1> {
    let of_row = |margins: &[f32], scores: &mut [f64]| {
        let (positive, negatives) = scores.split_first_mut().expect("a score of the positive");
        let (mut value, mut slope_of_positive) = (0.0, 0.0);
        for (score, &margin) in negatives.iter_mut().zip(margins) {
            let error = *positive - *score - f64::from(margin);
            value += error * error;
            slope_of_positive += 2.0 * error;
            *score = -2.0 * error;
        }
        *positive = slope_of_positive;
        value
    };
    let query = similarity.prepare(query);
    let documents: Vec<_> =
        std::iter::once(positive).chain(negatives).map(|rows| similarity.prepare(rows)).collect();
    row_products_sum([&query, &margins], &documents, weight, &of_row, || {
        let (positive, negatives) = (documents[0].clone(), documents[1..].to_vec());
        let (query, margins) = (query.clone(), margins.clone());
        margin_squared_error(Similarity::Dot, query, positive, negatives, margins)
            .mul_scalar(weight)
            .sum()
    })
}

/// The mean of `(x − y)²` relative to the mean of `(y − ȳ)²`, `[1]`, where `ȳ` is the mean row of `y`; not divided if
/// all rows of `y` are equal.
///
/// # Numerical behavior
///
/// Both means are of numbers in units of the largest one, so no square overflows or underflows. What does not fit the
/// type becomes its largest number; subnormal differences count as 0. The gradients are known in closed form.
pub fn normalized_mean_squared_error(x: Tensor<2>, y: Tensor<2>) -> Tensor<1> {
    let [a, b] = [&x, &y].map(|rows| rows.clone().inner());
    // The mean of equal rows may be off by a rounding error.
    let equal = b.clone().equal(b.clone().narrow(0, 0, 1).expand(b.dims())).all();
    let spread = b.clone() - b.clone().mean_dim(0);
    let spread = InUnits::new(spread.clone().mask_fill(every(equal, &spread), 0.0));
    let error = InUnits::new(a - b);

    let undivided = spread.mean_square.clone().equal_elem(0.0);
    let square = spread.mean_square.mask_fill(undivided, 1.0);
    let ratio = error.mean_square / square.clone();
    let units = fitting(error.unit / spread.unit.clone());
    let squared_units = fitting(units.clone().square());
    let twice = 2.0 / x.shape().num_elements() as f64;
    // Derivatives of the ratio with respect to x − y, and, with the other sign, to y − ȳ.
    let slope = |rows: Tensor<2>, square: Tensor<1>, units: Tensor<1>| {
        let factor = fitting(units / spread.unit.clone()).unsqueeze_dim::<2>(0);
        fitting(rows.mul_scalar(twice) * square.unsqueeze_dim::<2>(0) * factor)
    };
    let by_error = slope(error.rows, square.clone().recip(), units);
    let by_spread = slope(spread.rows, ratio.clone() / square, squared_units.clone());
    fitting(ratio * squared_units)
        + carry_gradient(x, by_error.clone())
        + carry_gradient(y, fitting(by_error + by_spread).neg())
}

/// Rows as multiples of their largest number.
struct InUnits {
    rows: Tensor<2>,
    /// `[1]`; 1 for rows of zeros.
    unit: Tensor<1>,
    /// Of `rows`, `[1]`.
    mean_square: Tensor<1>,
}

impl InUnits {
    fn new(rows: Tensor<2>) -> Self {
        let share = 1.0 / rows.shape().num_elements() as f64;
        let largest = rows.clone().abs().max();
        let none = largest.clone().lower_elem(smallest_divisor(&largest));
        let unit = largest.mask_fill(none.clone(), 1.0);
        let rows = rows.clone().mask_fill(every(none, &rows), 0.0) / unit.clone().unsqueeze_dim(0);
        let mean_square = rows.clone().square().sum_dim(1).mul_scalar(share).sum();
        Self { rows, unit, mean_square }
    }
}

/// A condition for each number of the rows, from one for all.
fn every(condition: Tensor<1, Bool>, rows: &Tensor<2>) -> Tensor<2, Bool> {
    condition.unsqueeze_dim::<2>(0).expand(rows.dims())
}

/// The largest number of the type in place of one that does not fit.
fn fitting<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let largest = -lowest_number(x.dtype());
    x.clamp(-largest, largest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::DType;

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

    /// Value and derivatives of the normalised error.
    fn normalized(x: [[f64; 2]; 3], y: [[f64; 2]; 3], dtype: DType) -> (f64, [Vec<f64>; 2]) {
        let place = (&Device::flex().autodiff(), dtype);
        let [x, y] = [x, y].map(|rows| Tensor::<2>::from_data(rows, place).require_grad());
        let value = normalized_mean_squared_error(x.clone(), y.clone());
        let slopes = value.backward();
        let slope = |rows: Tensor<2>| rows.grad(&slopes).unwrap().try_into_vec_as().unwrap();
        (value.into_scalar::<f64>(), [x, y].map(slope))
    }

    const DECODED: [[f64; 2]; 3] = [[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]];
    const RESIDUALS: [[f64; 2]; 3] = [[1.0, 2.0], [-0.5, 0.5], [3.0, -1.0]];

    #[test]
    fn a_normalized_error_is_the_quotient_of_two_errors() {
        let (value, slopes) = normalized(DECODED, RESIDUALS, DType::F64);
        let mean = [3.5 / 3.0, 0.5];
        let sum = |of: fn(f64, f64, f64) -> f64| -> f64 {
            let numbers = (0..3).flat_map(|i| (0..2).map(move |j| (i, j)));
            numbers.map(|(i, j)| of(DECODED[i][j], RESIDUALS[i][j], mean[j])).sum()
        };
        let expected = sum(|x, y, _| (x - y).powi(2)) / sum(|_, y, mean| (y - mean).powi(2));
        assert!((value - expected).abs() < 1e-14, "{value} is not {expected}");
        for (side, slopes) in slopes.iter().enumerate() {
            for (place, slope) in slopes.iter().enumerate() {
                let at = |step: f64| {
                    let mut rows = [DECODED, RESIDUALS];
                    rows[side][place / 2][place % 2] += step;
                    normalized(rows[0], rows[1], DType::F64).0
                };
                let expected = (at(1e-6) - at(-1e-6)) / 2e-6;
                assert!((slope - expected).abs() < 1e-8, "{slope} is not {expected}");
            }
        }
    }

    #[test]
    fn an_error_of_equal_rows_is_not_divided() {
        // The mean of three times 0.1 is not 0.1.
        let (value, [of_x, of_y]) = normalized([[1.1, 0.1]; 3], [[0.1, 0.1]; 3], DType::F32);
        assert!((value - 0.5).abs() < 1e-6, "{value}");
        assert!(of_x.iter().zip(&of_y).all(|(x, y)| *x == -y), "{of_x:?}, {of_y:?}");
        assert!((of_x[0] - 1.0 / 3.0).abs() < 1e-6 && of_x[1] == 0.0, "{of_x:?}");
    }

    #[test]
    fn a_normalized_error_keeps_its_digits_and_is_never_nan() {
        let scaled = |rows: [[f64; 2]; 3], by: f64| rows.map(|row| row.map(|x| x * by));
        let (expected, slopes) = normalized(DECODED, RESIDUALS, DType::F64);
        for by in [1e-30, 1e-20, 1e18] {
            let rows = [DECODED, RESIDUALS].map(|rows| scaled(rows, by));
            let (value, [of_x, _]) = normalized(rows[0], rows[1], DType::F32);
            assert!((value / expected - 1.0).abs() < 1e-5, "{by}: {value}");
            assert!((of_x[0] * by / slopes[0][0] - 1.0).abs() < 1e-5, "{by}: {of_x:?}");
        }
        for (of_decoded, of_residuals) in [(1e18, 1e-20), (1e-20, 1e18), (0.0, 1e-42), (1e18, 0.0)]
        {
            let rows = [scaled(DECODED, of_decoded), scaled(RESIDUALS, of_residuals)];
            let (value, slopes) = normalized(rows[0], rows[1], DType::F32);
            assert!(value.is_finite(), "{of_decoded}, {of_residuals}: {value}");
            assert!(slopes.concat().iter().all(|slope| slope.is_finite()), "{slopes:?}");
        }
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
