//! `max(0, x)`, which differs in its derivative at 0, and its smooth form. All of them take a tensor
//! of any shape, element by element.

use burn::prelude::*;
use burn::tensor::activation;

use crate::numeric::tangent;

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

/// `ln(1 + eˣ)`, also above 20.
pub fn log_one_plus_exp<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let fixed = x.clone().inner();
    let value = fixed.clone().clamp_min(0.0) + fixed.clone().abs().neg().exp().log1p();
    match x.is_tracked() {
        true => tangent(x, value, logistic(fixed)),
        false => value,
    }
}

/// `1 / (1 + e⁻ˣ)`.
///
/// # Numerical behavior
///
/// In the precision of `x`: Burn 0.22.1's own computes in `f32` on ndarray.
pub fn sigmoid<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let fixed = x.clone().inner();
    let value = logistic(fixed.clone());
    match x.is_tracked() {
        true => tangent(x, value.clone(), value * logistic(fixed.neg())),
        false => value,
    }
}

/// [`sigmoid`] of a constant.
fn logistic<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.neg().exp().add_scalar(1.0).recip()
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
    fn the_logarithm_keeps_its_digits_on_both_sides() {
        let x = Tensor::<1>::from_data(
            [-700.0, -30.0, 30.0, 700.0],
            (&Device::flex().autodiff(), burn::tensor::DType::F64),
        )
        .require_grad();
        let y = log_one_plus_exp(x.clone());
        let slope: Vec<f64> =
            x.grad(&y.clone().sum().backward()).unwrap().try_into_vec_as().unwrap();
        let y: Vec<f64> = y.try_into_vec_as().unwrap();
        assert!((y[1] / (-30f64).exp() - 1.0).abs() < 1e-12);
        assert!((y[2] - 30.0 - (-30f64).exp()).abs() < 1e-14 && y[3] == 700.0);
        assert!((slope[1] / (-30f64).exp() - 1.0).abs() < 1e-12 && slope[3] == 1.0);
        assert!(y[0] > 0.0 && slope[0] > 0.0);
    }

    #[test]
    fn the_sigmoid_is_exact_and_finite_in_double_precision() {
        let device = Device::flex().autodiff();
        let place = (&device, burn::tensor::DType::F64);
        let x = Tensor::<1>::from_data([0.3, -1000.0, 1000.0], place).require_grad();
        let y = sigmoid(x.clone());
        let slope: Vec<f64> =
            x.grad(&y.clone().sum().backward()).unwrap().try_into_vec_as().unwrap();
        let y: Vec<f64> = y.try_into_vec_as().unwrap();
        let expected = 1.0 / (1.0 + (-0.3f64).exp());
        assert!((y[0] - expected).abs() < 1e-15 && y[1..] == [0.0, 1.0]);
        assert!((slope[0] - expected * (1.0 - expected)).abs() < 1e-15);
        assert_eq!(slope[1..], [0.0, 0.0]);
    }

    #[test]
    fn the_hinges_differ_in_their_slope_at_zero() {
        assert_eq!(slope_at_zero(hinge), 0.0);
        assert_eq!(slope_at_zero(closed_hinge), 1.0);
        assert_eq!(slope_at_zero(soft_hinge), 0.5);
    }
}
