//! The angle between rows of complex numbers.

use core::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

use burn::prelude::*;

use super::Similarity;
use crate::numeric::accumulate;

/// The angle similarity of row i of `x` with row i of `y`: `|Re z + Im z|` for the mean `z` of `x ȳ`, where a
/// row is read as complex numbers, real parts in its first half, and scaled to length 1.
///
/// It is in `[0, √2]`: 1 between a row and itself, and also between a row and its opposite; 0 to and from a
/// zero row. It is not symmetric. A row of odd length gets a zero at its end.
///
/// # Shapes
///
/// `[n, dim]`, `[n, dim] → [n]`
///
/// # Numerical behavior
///
/// `Re z + Im z` is `√2` times the cosine of `x` and `y` turned by 45° in each complex plane, and is computed
/// so. A zero row has a zero gradient.
pub fn angle(x: Tensor<2>, y: Tensor<2>) -> Tensor<1> {
    let [x, y] = [x, y].map(|rows| even(accumulate(rows)));
    Similarity::Cosine.paired(x, turned(y)).mul_scalar(SQRT_2).abs()
}

/// Rows of even length.
fn even(rows: Tensor<2>) -> Tensor<2> {
    match rows.dims() {
        [_, dim] if dim % 2 == 0 => rows,
        [n, _] => {
            let zeros = Tensor::zeros([n, 1], (&rows.device(), rows.dtype()));
            Tensor::cat(vec![rows, zeros], 1)
        }
    }
}

/// Complex rows turned by 45°; their lengths stay.
fn turned(rows: Tensor<2>) -> Tensor<2> {
    let rows = rows.mul_scalar(FRAC_1_SQRT_2);
    let half = rows.dims()[1] / 2;
    let (real, imaginary) = (rows.clone().narrow(1, 0, half), rows.narrow(1, half, half));
    Tensor::cat(vec![real.clone() - imaginary.clone(), real + imaginary], 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn angles(x: [[f32; 2]; 3], y: [[f32; 2]; 3]) -> Vec<f32> {
        let rows = |rows| Tensor::<2>::from_floats(rows, &Device::flex());
        angle(rows(x), rows(y)).try_into_vec_as().unwrap()
    }

    fn assert_close(got: &[f32], expected: [f32; 3]) {
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-6, "{got} is not {expected}");
        }
    }

    #[test]
    fn opposite_rows_are_as_similar_as_equal_ones() {
        let row = [3.0, 4.0];
        let got = angles([row; 3], [row, [-3.0, -4.0], [0.0, 0.0]]);
        assert_close(&got, [1.0, 1.0, 0.0]);
    }

    #[test]
    fn the_order_of_two_rows_matters() {
        let [diagonal, axis] = [[1.0, 1.0], [1.0, 0.0]];
        let got = angles([diagonal, axis, axis], [axis, diagonal, [0.0, 2.0]]);
        assert_close(&got, [2f32.sqrt(), 0.0, 1.0]);
    }

    #[test]
    fn a_row_of_odd_length_gets_a_zero() {
        let rows = |row: [f32; 3]| Tensor::<2>::from_floats([row], &Device::flex());
        let (x, y) = (rows([1.0, 2.0, 2.0]), rows([2.0, -1.0, 2.0]));
        // x = (1 + 2i, 2), y = (2 + 2i, −1): x ȳ = 6 + 2i − 2 over 9
        let got = angle(x, y).into_scalar::<f32>();
        assert!((got - 6.0 / 9.0).abs() < 1e-6, "{got}");
    }
}
