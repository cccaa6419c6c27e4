use super::*;
use crate::kernels::{carry_gradient, flex, squared_error_sum};

#[test]
fn sums_of_squared_errors_are_those_of_the_plain_form() {
    for (Rows { name, x }, Rows { x: y, .. }) in samples(1).into_iter().zip(samples(7)) {
        let in_type = |dtype| [leaf(&x, dtype), leaf(&y, dtype)];
        let (single, double) = (in_type(DType::F32), in_type(DType::F64));
        let kernel = flex::squared_error_sum([&single[0], &single[1]], 0.5);
        let kernel = kernel.expect("a kernel for f32");
        assert!(flex::squared_error_sum([&double[0], &double[1]], 0.5).is_none());
        let plain = squared_error_sum(double[0].clone(), double[1].clone(), 0.5);
        assert_agree(name, outcome(kernel, &single), outcome(plain, &double));
    }
}

#[test]
fn a_carried_gradient_arrives_and_changes_no_value() {
    for Rows { name, x } in samples(3) {
        let gradient = x.clone().mul_scalar(3.0);
        let (single, double) = (leaf(&x, DType::F32), leaf(&x, DType::F64));
        let kernel = flex::carry_gradient(&single, &Tensor::from_inner(gradient.clone()));
        let wide = Tensor::from_inner(gradient.clone().cast(DType::F64));
        assert!(flex::carry_gradient(&double, &wide).is_none(), "no kernel for f64");
        let plain = carry_gradient(double.clone(), wide);
        for carried in [outcome(kernel.expect("for f32"), &[single]), outcome(plain, &[double])] {
            assert_eq!(carried.0, [0.0], "{name}");
            assert_close(name, &carried.1[0], &numbers(gradient.clone()));
        }
    }
}
