//! Properties that all embeddings of a batch should have together.

use core::ops::Range;

use burn::prelude::*;

use crate::blocks::Blocks;
use crate::kernels::carry_gradient;
use crate::select::own_row;

/// [`pair_moments`] of rows of like lengths, such as unit rows.
///
/// # Numerical behavior
///
/// The first by a sum over rows, `‖Σ xᵢ‖² − Σ ‖xᵢ‖²`. The second by the smaller of two matrices, so that none is larger
/// than `[dim, dim]`: `XXᵀ`, without the products of a row with itself, or `XᵀX`, from which they are subtracted; with
/// more rows than dimensions they are the smaller part. The gradients are known in closed form. One row far longer
/// than the others would leave nothing of the differences.
pub fn unit_pair_moments(rows: Tensor<2>) -> [Tensor<1>; 2] {
    let ([n, dim], x) = (rows.dims(), rows.clone().inner());
    let others = x.clone().sum_dim(0) - x.clone();
    let turned = x.clone().transpose();
    let pulled = match n <= dim {
        true => {
            let own = own_row(0..n, n, &x.device());
            x.clone().matmul(turned).mask_fill(own, 0.0).matmul(x)
        }
        false => {
            let squared_lengths = x.clone().square().sum_dim(1);
            x.clone().matmul(turned.matmul(x.clone())) - x * squared_lengths
        }
    };
    moments(rows, others, pulled)
}

/// The sum of `xᵢ·xⱼ` and the sum of `(xᵢ·xⱼ)²` over all pairs of different rows in both orders, `[1]` each.
///
/// # Numerical behavior
///
/// The products of a block of rows with all others at a time, without those of a row with itself, so rows may
/// differ in length by any factor. The gradients are known in closed form.
pub fn pair_moments(rows: Tensor<2>, blocks: Blocks) -> [Tensor<1>; 2] {
    let (x, n) = (rows.clone().inner(), rows.dims()[0]);
    let part = |range: Range<usize>| {
        let own = own_row(range.clone(), n, &x.device());
        let products = x.clone().slice([range]).matmul(x.clone().transpose());
        let products = products.mask_fill(own.clone(), 0.0);
        let others = products.ones_like().mask_fill(own, 0.0);
        (others.matmul(x.clone()), products.matmul(x.clone()))
    };
    let (others, pulled): (Vec<_>, Vec<_>) = blocks.ranges().map(part).unzip();
    moments(rows, Tensor::cat(others, 0), Tensor::cat(pulled, 0))
}

/// The two sums, from `Σⱼ xⱼ` and `Σⱼ (xᵢ·xⱼ) xⱼ` over all other rows.
fn moments(rows: Tensor<2>, others: Tensor<2>, pulled: Tensor<2>) -> [Tensor<1>; 2] {
    let x = rows.clone().inner();
    let sum = (x.clone() * others.clone()).sum();
    let squares = (x * pulled.clone()).sum();
    [
        sum + carry_gradient(rows.clone(), others.mul_scalar(2.0)),
        squares + carry_gradient(rows, pulled.mul_scalar(4.0)),
    ]
}

/// `(1/n Σᵢ xᵢᵥ)²` for every dimension, `[dim]`, of the `n` rows of all columns together, `[rows, dim]` each, at
/// least one column; rows with at most `threshold` dimensions that are not 0 count as 0, and still in `n`.
pub fn flops(columns: Vec<Tensor<2>>, threshold: Option<f64>) -> Tensor<1> {
    let n: usize = columns.iter().map(|rows| rows.dims()[0]).sum();
    // By column: activations of a vocabulary are too many to be copied below each other.
    let shares = columns.into_iter().map(|rows| {
        let share = rows.dims()[0] as f64 / n as f64;
        active_rows(rows, threshold).mean_dim(0).mul_scalar(share)
    });
    let mean = shares.reduce(|mean, share| mean + share).expect("there is a column");
    mean.square().squeeze_dim(0)
}

/// The rows, with 0 for those that have at most `threshold` dimensions that are not 0.
fn active_rows(rows: Tensor<2>, threshold: Option<f64>) -> Tensor<2> {
    let Some(threshold) = threshold else {
        return rows;
    };
    let active = rows.clone().inner().not_equal_elem(0.0).float().sum_dim(1);
    let few = active.lower_equal_elem(threshold).expand(rows.dims());
    rows.mask_fill(few, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{DType, Distribution};

    #[test]
    fn moments_are_sums_over_all_pairs_of_different_rows() {
        let device = Device::flex();
        for shape in [[1, 3], [5, 2], [4, 9]] {
            device.seed(3);
            let place = (&device, DType::F64);
            let x = Tensor::<2>::random(shape, Distribution::Uniform(-1.0, 1.0), place);
            let scores: Vec<f64> =
                x.clone().matmul(x.clone().transpose()).try_into_vec_as().unwrap();
            let pairs = scores.iter().enumerate().filter(|(k, _)| k / shape[0] != k % shape[0]);
            let expected = pairs.fold([0.0; 2], |[sum, squares], (_, score)| {
                [sum + score, squares + score * score]
            });
            let two_rows = Blocks::within("test", Some(2), &device, shape, 1);
            for moments in [unit_pair_moments(x.clone()), pair_moments(x, two_rows)] {
                let got = moments.map(|moment| moment.into_scalar::<f64>());
                for (got, expected) in got.iter().zip(expected) {
                    assert!((got - expected).abs() < 1e-12, "{shape:?}: {got} is not {expected}");
                }
            }
        }
    }

    #[test]
    fn a_far_row_leaves_the_others_their_digits() {
        let device = Device::flex().autodiff();
        let rows: [[f64; 2]; 4] = [[1e18, 3e17], [0.5, -1.0], [0.25, 2.0], [-1.0, 0.75]];
        let dot = |i: usize, j: usize| rows[i][0] * rows[j][0] + rows[i][1] * rows[j][1];
        let pairs = (0..4).flat_map(|i| (0..4).map(move |j| (i, j))).filter(|(i, j)| i != j);
        let pairs: Vec<(usize, usize)> = pairs.collect();
        let expected = [1, 2].map(|power| pairs.iter().map(|&(i, j)| dot(i, j).powi(power)).sum());
        let x = Tensor::<2>::from_data(rows, (&device, DType::F64)).require_grad();
        let [sum, squares] =
            pair_moments(x.clone(), Blocks::within("test", None, &device, [4, 2], 1));
        let slope: Vec<f64> = x.grad(&squares.backward()).unwrap().try_into_vec_as().unwrap();
        let got = [sum, squares].map(|moment| moment.into_scalar::<f64>());
        for (got, expected) in got.iter().zip::<[f64; 2]>(expected) {
            assert!((got / expected - 1.0).abs() < 1e-12, "{got} is not {expected}");
        }
        // 4 Σⱼ (x₀·xⱼ) xⱼ
        let of_first: f64 = (1..4).map(|j| 4.0 * dot(0, j) * rows[j][0]).sum();
        assert!((slope[0] / of_first - 1.0).abs() < 1e-12, "{} is not {of_first}", slope[0]);
    }
}
