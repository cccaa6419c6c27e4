//! Properties that all embeddings of a batch should have together.

use burn::prelude::*;

use crate::kernels::carry_gradient;

/// The sum of `xᵢ·xⱼ` and the sum of `(xᵢ·xⱼ)²` over all pairs of different rows in both orders, `[1]` each.
///
/// # Numerical behavior
///
/// Both by sums over rows: of the rows themselves, `‖Σ xᵢ‖² − Σ ‖xᵢ‖²`, and of `(XᵀX) xᵢ`, which is the same as
/// `Xᵀ(X xᵢ)`. The smaller of `XᵀX` and `XXᵀ` is computed, so no matrix is larger than `[dim, dim]`. The
/// gradients are known in closed form.
pub fn pair_moments(rows: Tensor<2>) -> [Tensor<1>; 2] {
    let x = rows.clone().inner();
    // Σⱼ xⱼ and Σⱼ (xᵢ·xⱼ) xⱼ over all other rows
    let others = x.clone().sum_dim(0) - x.clone();
    let squared_lengths = x.clone().square().sum_dim(1);
    let pulled = by_smaller_gram(x.clone()) - x.clone() * squared_lengths;

    let sum = (x.clone() * others.clone()).sum();
    let squares = (x * pulled.clone()).sum();
    [
        sum + carry_gradient(rows.clone(), others.mul_scalar(2.0)),
        squares + carry_gradient(rows, pulled.mul_scalar(4.0)),
    ]
}

/// `X (XᵀX)` for rows `[n, dim]`.
fn by_smaller_gram(x: Tensor<2>) -> Tensor<2> {
    let [n, dim] = x.dims();
    let turned = x.clone().transpose();
    match n <= dim {
        true => x.clone().matmul(turned).matmul(x),
        false => x.clone().matmul(turned.matmul(x)),
    }
}

/// `(1/n Σᵢ xᵢᵥ)²` for every dimension, `[dim]`, of rows `[n, dim]`; rows with at most `threshold` dimensions
/// that are not 0 count as 0, and still in `n`.
pub fn flops(rows: Tensor<2>, threshold: Option<f64>) -> Tensor<1> {
    let counted = match threshold {
        None => rows,
        Some(threshold) => {
            let active = rows.clone().inner().not_equal_elem(0.0).float().sum_dim(1);
            let few = active.lower_equal_elem(threshold).expand(rows.dims());
            rows.mask_fill(few, 0.0)
        }
    };
    counted.mean_dim(0).square().squeeze_dim(0)
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
            let got = pair_moments(x).map(|moment| moment.into_scalar::<f64>());
            for (got, expected) in got.iter().zip(expected) {
                assert!((got - expected).abs() < 1e-12, "{shape:?}: {got} is not {expected}");
            }
        }
    }
}
