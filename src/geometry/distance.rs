//! Smaller is closer.

use burn::prelude::*;
use burn::tensor::DType;
use serde::{Deserialize, Serialize};

use crate::budget::budget_of;
use crate::kernels::{Partner, ProductDistance, RowMetric};
use crate::numeric::{
    COORDINATE_OFFSET, PRODUCT_NOISE, UnitRows, accumulate, accumulation_type, machine_epsilon,
    safe_sqrt, squaring_scale, widen, zero,
};

/// A distance between embeddings: 0 or more, and 0 between a row and itself.
///
/// | Variant | `d(x, y)` | range |
/// | :-- | :-- | :-- |
/// | `Euclidean` | `‖x − y‖₂` | `[0, ∞)` |
/// | `SquaredEuclidean` | `‖x − y‖₂²` | `[0, ∞)` |
/// | `Manhattan` | `Σ \|xᵢ − yᵢ\|` | `[0, ∞)` |
/// | `Cosine` | `1 − x·y / (‖x‖ ‖y‖)` | `[0, 2]`; 1 to and from a zero row |
///
/// Configuration files may also use the names of sentence-transformers (`"euclidean"`,
/// `"COSINE_DISTANCE"`, …).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Distance {
    /// Length of the difference.
    #[serde(alias = "euclidean", alias = "euclidean_distance", alias = "EUCLIDEAN")]
    Euclidean,
    /// Squared length of the difference.
    #[serde(alias = "squared_euclidean", alias = "SQUARED_EUCLIDEAN")]
    SquaredEuclidean,
    /// Sum of the absolute coordinate differences.
    #[serde(alias = "manhattan", alias = "MANHATTAN")]
    Manhattan,
    /// One minus the cosine similarity.
    #[serde(
        alias = "cosine",
        alias = "cosine_distance",
        alias = "COSINE_DISTANCE",
        alias = "COSINE"
    )]
    Cosine,
}

impl Distance {
    /// Distance of row i of `x` to row i of `y`.
    ///
    /// # Shapes
    ///
    /// `[n, dim]`, `[n, dim] → [n]`
    ///
    /// # Numerical behavior
    ///
    /// Computed from the difference of the rows (of the unit rows for the cosine), so close rows
    /// keep their distance whatever their length. Equal rows have distance and gradient 0.
    pub fn paired(self, x: Tensor<2>, y: Tensor<2>) -> Tensor<1> {
        self.metric(0.0).rows(x, y)
    }

    /// [`paired`](Self::paired) with 1e-6 added to every coordinate difference first, as PyTorch's
    /// pairwise distance has it. The cosine is not affected.
    ///
    /// Equal rows are then `1e-6 √dim` (Euclidean) or `1e-6 dim` (Manhattan) apart, with a
    /// gradient that moves them.
    ///
    /// # Shapes
    ///
    /// `[n, dim]`, `[n, dim] → [n]`
    pub fn paired_with_offset(self, x: Tensor<2>, y: Tensor<2>) -> Tensor<1> {
        self.metric(COORDINATE_OFFSET).rows(x, y)
    }

    /// Distance of row i of `x` to row i of `y`, less its distance to row i of `z`.
    ///
    /// # Shapes
    ///
    /// `[n, dim]`, `[n, dim]`, `[n, dim] → [n]`
    ///
    /// # Numerical behavior
    ///
    /// As [`paired`](Self::paired).
    pub fn paired_difference(self, x: Tensor<2>, y: Tensor<2>, z: Tensor<2>) -> Tensor<1> {
        self.metric(0.0).compare([x, y, z], Partner::SameRow(1), Some(Partner::SameRow(2)))
    }

    /// The same distance for two rows, with an offset added to every coordinate difference.
    pub(crate) fn metric(self, offset: f64) -> RowMetric {
        match self {
            Self::Euclidean => RowMetric::Euclidean { offset },
            Self::SquaredEuclidean => RowMetric::SquaredEuclidean { offset },
            Self::Manhattan => RowMetric::Manhattan { offset },
            Self::Cosine => RowMetric::CosineDistance,
        }
    }

    /// The distance as a product of matrices; `None` for Manhattan, which is none.
    pub(crate) fn by_product(self) -> Option<ProductDistance> {
        match self {
            Self::Euclidean => Some(ProductDistance::Euclidean),
            Self::SquaredEuclidean => Some(ProductDistance::SquaredEuclidean),
            Self::Cosine => Some(ProductDistance::Cosine),
            Self::Manhattan => None,
        }
    }

    /// Distance of every row of `x` to every row of `y`; exactly 0 between equal rows (but a zero row is
    /// at cosine distance 1 from itself).
    ///
    /// # Shapes
    ///
    /// `[n, dim]`, `[m, dim] → [n, m]`
    ///
    /// # Numerical behavior
    ///
    /// One matrix product of the **centred** rows, in `f64` where the device has it: neither an
    /// offset that all rows share nor tight clusters far apart cancel away small distances. Squared
    /// distances below the rounding error of that product are exactly 0, with gradient 0:
    /// duplicates are duplicates. For rows in `f64`, which no wider type can hold, the values come from
    /// the differences of all rows, a block at a time, and only the gradient from the product. A device
    /// without `f64` takes both from the differences; where a gradient is wanted they are all kept,
    /// `n · m · dim` numbers, as always for `Manhattan`.
    pub fn pairwise(self, x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        let x = accumulate(x);
        let dtype = x.dtype();
        self.pairwise_wide(x, y).cast(dtype)
    }

    /// [`pairwise`](Self::pairwise) in the type in which it is computed.
    pub(crate) fn pairwise_wide(self, x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Euclidean => {
                let (squares, scale) = Squares::of(&x).between(widen(x), widen(y));
                safe_sqrt(squares) * scale
            }
            Self::SquaredEuclidean => {
                let (squares, scale) = Squares::of(&x).between(widen(x), widen(y));
                squares * scale.square()
            }
            Self::Manhattan => {
                let (x, y) = (accumulate(x), accumulate(y));
                let difference = x.unsqueeze_dim::<3>(1) - y.unsqueeze_dim::<3>(0);
                difference.abs().sum_dim(2).squeeze_dim(2)
            }
            Self::Cosine => {
                let squares = Squares::of(&x);
                let (x, y) = (UnitRows::new(widen(x)), UnitRows::new(widen(y)));
                let (squares, scale) = squares.between(x.rows, y.rows);
                let apart = squares * scale.square().mul_scalar(0.5);
                apart + x.shortfall + y.shortfall.transpose()
            }
        }
    }

    /// Memory that a pair of these rows needs besides its distance, in bytes, if
    /// [`pairwise`](Self::pairwise) keeps the differences of all rows: the differences, their squares or
    /// absolute values, and their gradient.
    pub(crate) fn difference_bytes(self, rows: &Tensor<2>, tracked: bool) -> usize {
        let by_product = self != Self::Manhattan && rows.device().supports_dtype(DType::F64);
        let kept = self == Self::Manhattan || (tracked && !by_product);
        let copies = if kept { 3 } else { 0 };
        copies * rows.dims()[1] * accumulation_type(rows.dtype()).size()
    }

    /// Numbers in the order of the [distances](Self::pairwise), without a root and without a gradient, for
    /// a search, `[n, m]`.
    pub(crate) fn order(self, x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        let (x, y) = (x.inner(), y.inner());
        match self {
            Self::Euclidean => Squares::of(&x).between(widen(x), widen(y)).0,
            other => other.pairwise_wide(x, y),
        }
    }
}

/// How the squared distances of all pairs of rows are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Squares {
    /// By one matrix product in a type wider than the rows'.
    Product,
    /// By differences, and their gradient by one matrix product: a product in the rows' own type loses
    /// the distance of close rows, but not its direction.
    DifferenceWithGradientOfProduct,
    /// By differences: a product would lose the distance of close rows and its direction.
    Difference,
}

impl Squares {
    /// The way that keeps the digits of these rows.
    fn of(rows: &Tensor<2>) -> Self {
        match rows.dtype() {
            DType::F64 => Self::DifferenceWithGradientOfProduct,
            _ if rows.device().supports_dtype(DType::F64) => Self::Product,
            _ => Self::Difference,
        }
    }

    /// `‖xᵢ − yⱼ‖² / scale²` for all pairs of rows `[n, m]`, and the scale `[1, 1]` (1 unless the
    /// coordinates are too large or too small to be squared).
    fn between(self, x: Tensor<2>, y: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let centre = y.clone().inner().mean_dim(0);
        let centred = [&x, &y].map(|rows| rows.clone() - centre.clone());
        let largest = |rows: &Tensor<2>| rows.clone().inner().abs().max_dim(1).max_dim(0);
        let scale = squaring_scale(largest(&centred[0]).max_pair(largest(&centred[1])));
        let [x, y] = [x, y].map(|rows| rows / scale.clone());
        let centred = centred.map(|rows| rows / scale.clone());
        let squares = match self {
            Self::Product => above_noise(by_product(centred)),
            Self::DifferenceWithGradientOfProduct if x.is_tracked() || y.is_tracked() => {
                let value = by_difference(x.inner(), y.inner());
                let equal = value.clone().equal_elem(0.0);
                zero(by_product(centred).0).mask_fill(equal, 0.0) + value
            }
            Self::DifferenceWithGradientOfProduct | Self::Difference => by_difference(x, y),
        };
        (squares, scale)
    }
}

/// Squared distances by one matrix product, and the sums of the squared lengths, `[n, m]` each.
fn by_product([x, y]: [Tensor<2>; 2]) -> (Tensor<2>, Tensor<2>) {
    let lengths = |rows: &Tensor<2>| rows.clone().square().sum_dim(1);
    let sums = lengths(&x) + lengths(&y).transpose();
    (sums.clone() - x.mul_scalar(2.0).matmul(y.transpose()), sums)
}

/// Such distances, with 0 for those below their rounding error.
fn above_noise((squares, sums): (Tensor<2>, Tensor<2>)) -> Tensor<2> {
    let noise = sums.inner();
    let noise = noise.clone().mul_scalar(PRODUCT_NOISE * machine_epsilon(noise.dtype()));
    let equal = squares.clone().inner().lower_equal(noise);
    squares.mask_fill(equal, 0.0)
}

/// Squared distances by the differences of all rows, a block of rows at a time, `[n, m]`.
fn by_difference(x: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
    let ([n, dim], [m, _]) = (x.dims(), y.dims());
    let bytes = m * dim * x.dtype().size();
    let rows_at_once = (budget_of(&x.device()) / bytes).clamp(1, n);
    let candidates = y.unsqueeze_dim::<3>(0);
    let block = |rows: Tensor<2>| {
        let difference = rows.unsqueeze_dim::<3>(1) - candidates.clone();
        difference.square().sum_dim(2).squeeze_dim::<2>(2)
    };
    let blocks = x.split(rows_at_once, 0);
    Tensor::cat(blocks.into_iter().map(block).collect(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Distance; 4] =
        [Distance::Euclidean, Distance::SquaredEuclidean, Distance::Manhattan, Distance::Cosine];

    fn rows(values: [[f32; 2]; 3]) -> Tensor<2> {
        Tensor::from_floats(values, &Device::flex())
    }

    fn assert_close(got: Tensor<1>, expected: [f32; 3]) {
        let got: Vec<f32> = got.try_into_vec_as().unwrap();
        for (g, e) in got.iter().zip(expected) {
            assert!((g - e).abs() < 1e-6, "{got:?} is not {expected:?}");
        }
    }

    #[test]
    fn paired_distances_on_the_unit_circle() {
        let x = rows([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]);
        let y = rows([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]);
        assert_close(Distance::Euclidean.paired(x.clone(), y.clone()), [0.0, 2f32.sqrt(), 2.0]);
        assert_close(Distance::SquaredEuclidean.paired(x.clone(), y.clone()), [0.0, 2.0, 4.0]);
        assert_close(Distance::Manhattan.paired(x.clone(), y.clone()), [0.0, 2.0, 2.0]);
        assert_close(Distance::Cosine.paired(x, y), [0.0, 1.0, 2.0]);
    }

    #[test]
    fn a_zero_row_is_at_cosine_distance_one_from_everything() {
        let x = rows([[0.0, 0.0], [0.0, 0.0], [0.0, 2.0]]);
        let y = rows([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]);
        assert_close(Distance::Cosine.paired(x, y), [1.0, 1.0, 1.0]);
    }

    #[test]
    fn a_small_angle_keeps_its_cosine_distance() {
        let x = rows([[1.0, 0.0], [0.0, 3.0], [2.0, 0.0]]);
        let y = rows([[4.0, 4e-4], [3e-5, 1.0], [1.0, 1e-3]]);
        let d: Vec<f32> = Distance::Cosine.paired(x, y).try_into_vec_as().unwrap();
        for (d, tangent) in d.into_iter().zip([1e-4f64, 3e-5, 1e-3]) {
            let expected = 2.0 * (tangent.atan() / 2.0).sin().powi(2);
            assert!((f64::from(d) / expected - 1.0).abs() < 1e-6, "{d} is not {expected}");
        }
    }

    #[test]
    fn pairwise_keeps_zero_rows_at_cosine_distance_one() {
        let x = rows([[0.0, 0.0], [0.0, 2.0], [0.0, 0.0]]);
        let d: Vec<f32> = Distance::Cosine.pairwise(x.clone(), x).try_into_vec_as().unwrap();
        assert_eq!(d, [1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn a_shared_offset_does_not_cancel_small_distances_in_f64() {
        let x = [[1e6, 1e6], [1e6, 1e6 + 1e-3], [1e6 + 2e-3, 1e6]];
        let x = Tensor::<2>::from_data(x, (&Device::flex(), DType::F64));
        let d: Vec<f64> = Distance::Euclidean.pairwise(x.clone(), x).try_into_vec_as().unwrap();
        assert!((d[1] - 1e-3).abs() < 1e-9 && (d[2] - 2e-3).abs() < 1e-9, "{d:?}");
    }

    /// Two tight clusters far apart: the product in `f32` would not tell their members apart.
    fn clusters(dtype: DType) -> Tensor<2> {
        let near = [[1.0, 0.25], [1.0, 0.2504], [1.0003, 0.25]];
        let far = [[-3.0, 0.5], [-3.0002, 0.5], [-3.0, 0.5]];
        let rows = [near, far].concat().concat();
        let rows: Vec<f64> = rows.into_iter().map(|x: f32| x.into()).collect();
        Tensor::from_data(TensorData::new(rows, [6, 2]), (&Device::flex().autodiff(), dtype))
    }

    /// Distances within the clusters, and the gradient of their sum.
    fn within_clusters(squares: Squares, dtype: DType) -> (Vec<f64>, Vec<f64>) {
        let x = clusters(dtype).require_grad();
        let (squares, _) = squares.between(x.clone(), x.clone());
        let d = safe_sqrt(squares).slice([0..3, 0..3]);
        let gradient = x.grad(&d.clone().sum().backward()).expect("x is tracked");
        let numbers = |t: Tensor<2>| t.into_data().iter::<f64>().collect();
        (numbers(d), numbers(gradient))
    }

    #[test]
    fn without_f64_close_rows_keep_their_distance_and_gradient() {
        let expected = within_clusters(Squares::Product, DType::F64);
        let single = within_clusters(Squares::Difference, DType::F32);
        for (got, expected) in single.0.iter().zip(expected.0) {
            assert!((got - expected).abs() <= 1e-6 * expected, "{got} is not {expected}");
        }
        for (got, expected) in single.1.iter().zip(expected.1) {
            assert!((got - expected).abs() < 1e-5, "{got} is not {expected}");
        }
    }

    #[test]
    fn in_f64_a_far_row_does_not_cancel_small_distances() {
        let rows = [[0.0, 0.0], [0.01, 0.0], [0.022, 0.0], [1e8, 0.0]];
        let device = Device::flex().autodiff();
        let x = Tensor::<2>::from_data(rows, (&device, DType::F64)).require_grad();
        for distance in [Distance::Euclidean, Distance::SquaredEuclidean] {
            let d = distance.pairwise(x.clone(), x.clone()).slice([0..3, 0..3]);
            let by_rows = |i: usize| x.clone().slice(i..i + 1).repeat_dim(0, 3);
            let paired = (0..3).map(|i| distance.paired(by_rows(i), x.clone().slice(0..3)));
            let paired = Tensor::stack::<2>(paired.collect(), 0);
            let gradient = |d: Tensor<2>| x.grad(&d.sum().backward()).expect("x is tracked");
            let off = (gradient(d.clone()) - gradient(paired.clone())).abs().max();
            assert!(off.into_scalar::<f64>() < 1e-6, "{distance:?}");
            let off = ((d - paired.clone()).abs() / paired.clamp_min(1e-300)).max();
            assert!(off.into_scalar::<f64>() < 1e-12, "{distance:?}");
        }
    }

    #[test]
    fn pairwise_agrees_with_paired() {
        let x = rows([[1.0, 2.0], [-0.5, 0.25], [3.0, -1.0]]);
        for distance in ALL {
            let pairwise = distance.pairwise(x.clone(), x.clone());
            for shift in 0..3usize {
                let shifted = x.clone().roll_dim(-(shift as i64), 0);
                let paired: Vec<f32> =
                    distance.paired(x.clone(), shifted).try_into_vec_as().unwrap();
                let all: Vec<f32> = pairwise.clone().try_into_vec_as().unwrap();
                for i in 0..3 {
                    let got = all[i * 3 + (i + shift) % 3];
                    assert!((got - paired[i]).abs() < 1e-5, "{distance:?}: {got} {}", paired[i]);
                }
            }
        }
    }

    #[test]
    fn a_shared_offset_does_not_cancel_small_distances() {
        let x = rows([[1000.0, 1000.0], [1000.0, 1000.25], [1000.5, 1000.0]]);
        let d: Vec<f32> = Distance::Euclidean.pairwise(x.clone(), x).try_into_vec_as().unwrap();
        assert!((d[1] - 0.25).abs() < 1e-6 && (d[2] - 0.5).abs() < 1e-6, "{d:?}");
    }

    #[test]
    fn duplicates_are_exactly_zero_apart() {
        let x = rows([[0.3, 0.7], [0.3, 0.7], [-0.9, 0.1]]);
        for distance in ALL {
            let d: Vec<f32> = distance.pairwise(x.clone(), x.clone()).try_into_vec_as().unwrap();
            assert_eq!((d[0], d[1], d[4]), (0.0, 0.0, 0.0), "{distance:?}");
        }
    }

    #[test]
    fn distances_survive_squares_that_do_not_fit() {
        for size in [1e-25f32, 1e25] {
            let x = rows([[3.0 * size, 0.0], [0.0, 4.0 * size], [0.0, 0.0]]);
            let d: Vec<f32> = Distance::Euclidean.pairwise(x.clone(), x).try_into_vec_as().unwrap();
            assert!((d[1] / size - 5.0).abs() < 1e-5, "{d:?}");
        }
    }

    #[test]
    fn the_offset_keeps_equal_rows_apart() {
        let x = rows([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]);
        let d: Vec<f32> =
            Distance::Euclidean.paired_with_offset(x.clone(), x).try_into_vec_as().unwrap();
        assert!((d[0] / (1e-6 * 2f32.sqrt()) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn names_of_sentence_transformers_are_understood() {
        for (name, distance) in [
            ("euclidean", Distance::Euclidean),
            ("COSINE_DISTANCE", Distance::Cosine),
            ("manhattan", Distance::Manhattan),
        ] {
            let parsed: Distance = serde_json::from_value(name.into()).unwrap();
            assert_eq!(parsed, distance);
        }
    }
}
