//! `max(0, x)`, which differs in its derivative at 0, and its smooth form. All of them take a tensor
//! of any shape, element by element.

use burn::prelude::*;
use burn::tensor::activation;

/// `max(0, x)` with derivative 0 at 0: PyTorch's `relu`.
pub fn hinge<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activation::relu(x)
}

/// `max(0, x)` with derivative 1 at 0: what setting negative values to zero gives.
pub fn closed_hinge<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clamp_min(0.0)
}

/// `ln(1 + eˣ)`, and `x` itself above 20, as PyTorch computes it.
pub fn soft_hinge<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activation::softplus_with_threshold(x, 1.0, 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slope_at_zero(f: impl Fn(Tensor<1>) -> Tensor<1>) -> f32 {
        let x = Tensor::<1>::zeros([1], &Device::flex().autodiff()).require_grad();
        x.grad(&f(x.clone()).backward()).unwrap().into_scalar()
    }

    #[test]
    fn the_soft_hinge_is_the_identity_above_twenty() {
        let x = [19.0, 20.5, 700.0];
        let x = Tensor::<1>::from_data(x, (&Device::flex(), burn::tensor::DType::F64));
        let y: Vec<f64> = soft_hinge(x).try_into_vec_as().unwrap();
        assert!(y[0] > 19.0 + 5e-9);
        assert_eq!(y[1..], [20.5, 700.0]);
    }

    #[test]
    fn the_hinges_differ_in_their_slope_at_zero() {
        assert_eq!(slope_at_zero(hinge), 0.0);
        assert_eq!(slope_at_zero(closed_hinge), 1.0);
        assert_eq!(slope_at_zero(soft_hinge), 0.5);
    }
}
