use super::*;
use crate::fused;
use crate::kernels::flex;

#[test]
fn gelu_is_that_of_the_plain_form() {
    let device = Device::flex();
    // Both ends of every range, and enough for several cores.
    let fine = Tensor::<1, Int>::arange(-60_000..60_001, &device).float().mul_scalar(2.5e-4);
    let huge = Tensor::from_floats([f32::MIN, -1e20, -0.0, 0.0, 1e-30, 1e20, f32::MAX], &device);
    for x in [fine, huge] {
        let x = x.unsqueeze_dim::<2>(1);
        let (single, double) = (leaf(&x, DType::F32), leaf(&x, DType::F64));
        let kernel = flex::gelu(single.clone()).expect("a kernel for f32");
        assert!(flex::gelu(double.clone()).is_err(), "no kernel for f64");
        let plain = fused::gelu(double.clone());
        let untracked = flex::gelu(x).expect("a kernel for f32");
        assert_eq!(numbers(untracked), numbers(kernel.clone()));
        let slope =
            |leaf: &Tensor<2>, y: Tensor<2>| numbers(leaf.grad(&y.sum().backward()).unwrap());
        assert_close_to_one(
            "slope",
            &slope(&single, kernel.clone()),
            &slope(&double, plain.clone()),
        );
        assert_close_to_one("value", &numbers(kernel), &numbers(plain));
    }
}

/// Panics unless the numbers agree to 2e-7, relative to those above 1.
fn assert_close_to_one(what: &str, kernel: &[f64], plain: &[f64]) {
    assert_eq!(kernel.len(), plain.len(), "{what}");
    for (kernel, plain) in kernel.iter().zip(plain) {
        let off = (kernel - plain).abs();
        assert!(off <= 2e-7 * plain.abs().max(1.0), "{what}: {kernel} is not {plain}");
    }
}

#[test]
fn the_gradient_is_multiplied_with_the_slope() {
    for Rows { name, x } in samples(11) {
        let (single, double) = (leaf(&x, DType::F32), leaf(&x, DType::F64));
        let kernel = flex::gelu(single.clone()).expect("a kernel for f32");
        let plain = fused::gelu(double.clone());
        assert_agree(name, outcome(kernel, &[single]), outcome(plain, &[double]));
    }
}
