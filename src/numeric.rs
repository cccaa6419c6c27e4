//! Lengths, unit rows and roots that stay finite, and the rounding errors that results may have.
//!
//! A plain `sqrt` has an infinite derivative at 0, and the square of a coordinate underflows or
//! overflows long before the coordinate does. Every root of a loss whose argument may be 0 is taken here,
//! except by the kernels, which derive theirs by hand in `f64`. Every bound that decides whether two numbers
//! count as equal is defined here, except what a kernel needs to know about its own `f32` arithmetic.

use burn::prelude::*;
use burn::tensor::DType;

/// A row shorter than this is divided by it instead of being stretched to length 1, as
/// sentence-transformers does.
pub(crate) const SHORTEST_UNIT: f64 = 1e-12;

/// PyTorch's pairwise distance adds this to every coordinate difference.
pub(crate) const COORDINATE_OFFSET: f64 = 1e-6;

/// Rounding error of a squared distance by a product, relative to the sum of the squared lengths, in
/// steps of the type.
pub(crate) const PRODUCT_NOISE: f64 = 8.0;

/// The largest difference of two equal distances whose products were summed in another order, relative to
/// the larger, in steps of the type.
pub(crate) const PRODUCT_SLACK: f64 = 16.0;

/// Rows whose largest coordinate lies between these bounds are squared without scaling.
const SQUARES_EXACTLY: (f64, f64) = (1e-15, 1e15);

/// The same values, in a type to add in: half precision becomes `f32`; `f32` and `f64` stay.
pub fn accumulate<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let dtype = accumulation_type(x.dtype());
    if dtype == x.dtype() { x } else { x.cast(dtype) }
}

/// The type that numbers stored in `dtype` are computed with.
pub(crate) fn accumulation_type(dtype: DType) -> DType {
    match dtype {
        DType::F16 | DType::BF16 => DType::F32,
        _ => dtype,
    }
}

/// The widest type the device computes in: for sums of products that are about to cancel.
pub(crate) fn widen(x: Tensor<2>) -> Tensor<2> {
    match x.device().supports_dtype(DType::F64) {
        true => x.cast(DType::F64),
        false => accumulate(x),
    }
}

/// The distance from 1 to the next number of the tensor's type.
pub(crate) fn machine_epsilon(dtype: DType) -> f64 {
    dtype.finfo().map_or(f32::EPSILON as f64, |info| info.epsilon)
}

/// The smallest number of the tensor's type that has all its digits.
fn smallest_normal<const D: usize>(x: &Tensor<D>) -> f64 {
    x.dtype().finfo().map_or(f64::MIN_POSITIVE, |info| info.min_positive)
}

/// A number so small that its inverse just fits the tensor's type.
pub(crate) fn smallest_divisor<const D: usize>(x: &Tensor<D>) -> f64 {
    smallest_normal(x) * 16.0
}

/// The lowest finite number of a type of floats.
pub fn lowest_number(dtype: DType) -> f64 {
    dtype.finfo().map_or(f64::MIN, |info| info.min)
}

/// The largest difference of two values that are equal except for rounding.
///
/// Distances in `f64` come from a matrix product, whose sums differ in order; those in `f32` from
/// differences, where equal rows give equal numbers.
pub(crate) fn rounding_slack(values: &Tensor<2>) -> Tensor<2> {
    let steps = if values.dtype() == DType::F64 { PRODUCT_SLACK } else { 2.0 };
    values.clone().abs().mul_scalar(steps * machine_epsilon(values.dtype()))
}

/// `√x`, element by element, with value **and gradient** 0 wherever `x ≤ 0`.
///
/// # Numerical behavior
///
/// The true derivative at 0 is infinite; 0 is the subgradient of a distance there, and what
/// PyTorch's vector norm uses.
pub fn safe_sqrt<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !x.is_tracked() {
        return x.clamp_min(0.0).sqrt();
    }
    let fixed = x.clone().inner();
    let root = fixed.clone().clamp_min(0.0).sqrt();
    let positive = fixed.clamp_min(smallest_normal(&root));
    let slope = (root.clone() / positive).mul_scalar(0.5);
    tangent(x, root, slope)
}

/// `1 / √x` for `x > 0`.
fn inverse_sqrt<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !x.is_tracked() {
        return x.sqrt().recip();
    }
    let fixed = x.clone().inner();
    let inverse = fixed.clone().sqrt().recip();
    let slope = (inverse.clone() / fixed).mul_scalar(-0.5);
    tangent(x, inverse, slope)
}

/// A tensor whose value is `value` and whose derivative with respect to `x` is `slope`; both are
/// constants.
///
/// Burn derives roots and inverses by `powf` and `powi`: slow on a CPU and, in `f64`, wrong on
/// Burn 0.22.1's wgpu, where `Tensor::<1>::from_data([4.0], (&device, DType::F64))
/// .powf_scalar(-0.5)` is 0. Vulkan has powers, `exp` and `log` up to 32 bits only:
/// <https://github.com/tracel-ai/cubecl/issues/1316>.
pub(crate) fn tangent<const D: usize>(
    x: Tensor<D>,
    value: Tensor<D>,
    slope: Tensor<D>,
) -> Tensor<D> {
    zero(x) * slope + value
}

/// Zeros with the derivative of `x`.
pub(crate) fn zero<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clone() - x.inner()
}

/// Euclidean length of every row: `[n, dim] → [n, 1]`.
///
/// # Numerical behavior
///
/// Rows whose largest coordinate is below 1e-15 or above 1e15 are scaled before they are
/// squared, so lengths from the smallest to the largest number of the type come out right, in
/// `f32` too. A zero row has length 0 and gradient 0.
pub fn l2_norm(x: Tensor<2>) -> Tensor<2> {
    let x = accumulate(x);
    let scale = squaring_scale(x.clone().inner().abs().max_dim(1));
    safe_sqrt((x / scale.clone()).square().sum_dim(1)) * scale
}

/// The divisor that makes coordinates as large as `largest` small enough to be squared; 1 if they already
/// are.
pub(crate) fn squaring_scale<const D: usize>(largest: Tensor<D>) -> Tensor<D> {
    let (low, high) = SQUARES_EXACTLY;
    let smallest = smallest_divisor(&largest);
    let fits =
        largest.clone().greater_equal_elem(low).bool_and(largest.clone().lower_equal_elem(high));
    let as_is = fits.bool_or(largest.clone().equal_elem(0.0));
    // The inverse of a scale must be finite as well: no subnormal one.
    largest.clamp_min(smallest).mask_fill(as_is, 1.0)
}

/// Rows of length 1 that point where the given rows point.
///
/// # Numerical behavior
///
/// - A zero row stays zero **and gets a zero gradient** (sentence-transformers: up to 1e12).
/// - A row shorter than 1e-12 is divided by 1e-12, as in sentence-transformers: it fades out
///   instead of being stretched.
/// - A row whose squared length overflows the type (in `f32`, longer than 1.8e19) counts as a
///   zero row.
#[derive(Debug, Clone)]
pub struct UnitRows {
    /// The rows, `[n, dim]`.
    pub rows: Tensor<2>,
    /// `½ (1 − ‖row‖²)` of every row, `[n, 1]`: exactly 0 for a row of length 1, ½ for a zero
    /// row. With it, `1 − u·v = ½ ‖u − v‖² + shortfall(u) + shortfall(v)` holds for all rows.
    pub shortfall: Tensor<2>,
}

impl UnitRows {
    /// Scales the rows of `x`, shape `[n, dim]`, to length 1.
    pub fn new(x: Tensor<2>) -> Self {
        let x = accumulate(x);
        let floor = SHORTEST_UNIT * SHORTEST_UNIT;
        let squares = x.clone().square().sum_dim(1);
        let largest = squares.dtype().finfo().map_or(f64::MAX, |info| info.max);
        let no_direction =
            squares.clone().equal_elem(0.0).bool_or(squares.clone().greater_elem(largest));
        let inverse = inverse_sqrt(squares.clone().clamp_min(floor));
        let inverse = inverse.mask_fill(no_direction.clone(), 0.0);

        let reaches_one = squares.clone().greater_equal_elem(floor);
        let shortfall = squares.mul_scalar(-0.5 / floor).add_scalar(0.5);
        Self {
            rows: x * inverse,
            shortfall: shortfall.mask_fill(reaches_one, 0.0).mask_fill(no_direction, 0.5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient_of(x: [[f32; 2]; 3], f: impl Fn(Tensor<2>) -> Tensor<2>) -> (Vec<f32>, Vec<f32>) {
        let x = Tensor::<2>::from_floats(x, &Device::flex().autodiff()).require_grad();
        let y = f(x.clone());
        let grads = y.clone().sum().backward();
        let gradient = x.grad(&grads).expect("x is tracked");
        (y.try_into_vec_as().unwrap(), gradient.try_into_vec_as().unwrap())
    }

    #[test]
    fn length_of_a_three_four_row_is_five_and_its_gradient_the_direction() {
        let (norm, gradient) = gradient_of([[3.0, 4.0], [0.0, 0.0], [0.0, -2.0]], l2_norm);
        assert_eq!(norm, [5.0, 0.0, 2.0]);
        assert_eq!(gradient, [0.6, 0.8, 0.0, 0.0, 0.0, -1.0]);
    }

    #[test]
    fn length_survives_squares_that_do_not_fit() {
        let (norm, gradient) = gradient_of([[3e-20, 4e-20], [3e30, 4e30], [1e-42, 0.0]], l2_norm);
        for (got, expected) in norm.iter().zip([5e-20, 5e30, 1e-42]) {
            assert!((got / expected - 1.0).abs() < 1e-3, "{got} is not {expected}");
        }
        for (got, expected) in gradient.iter().zip([0.6, 0.8, 0.6, 0.8, 1.0, 0.0]) {
            assert!((got - expected).abs() < 1e-3, "{got} is not {expected}");
        }
    }

    #[test]
    fn root_of_zero_has_no_gradient() {
        let (root, gradient) = gradient_of([[4.0, 0.0], [0.0, 1.0], [-1.0, 9.0]], safe_sqrt);
        assert_eq!(root, [2.0, 0.0, 0.0, 1.0, 0.0, 3.0]);
        assert_eq!(gradient[1..5], [0.0, 0.0, 0.5, 0.0]);
    }

    #[test]
    fn a_zero_row_stays_zero_without_a_gradient() {
        let (rows, gradient) =
            gradient_of([[0.0, 0.0], [3.0, 4.0], [1e-20, 0.0]], |x| UnitRows::new(x).rows);
        assert_eq!(rows[..2], [0.0, 0.0]);
        assert_eq!(gradient[..2], [0.0, 0.0]);
        assert!((rows[2] - 0.6).abs() < 1e-6 && (rows[3] - 0.8).abs() < 1e-6);
        assert!((gradient[4] / 1e12 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn shortfall_is_zero_for_unit_rows_and_a_half_for_zero_rows() {
        let (shortfall, _) =
            gradient_of([[0.0, 0.0], [0.3, 0.4], [1e-20, 0.0]], |x| UnitRows::new(x).shortfall);
        assert_eq!(shortfall, [0.5, 0.0, 0.5]);
    }
}
