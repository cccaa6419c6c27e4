use super::*;
use crate::fused::AdamStep;
use crate::kernels::flex;

const STEP: AdamStep = AdamStep {
    learning_rate: 0.125,
    beta_1: 0.75,
    beta_2: 0.875,
    epsilon: 1e-6,
    weight_decay: 0.5,
    gradient_scale: 0.25,
    time: 3,
};

/// A parameter, its gradient and its moments after some steps.
fn given(x: &Tensor<2>, dtype: DType) -> (Tensor<2>, Tensor<2>, [Tensor<2>; 2]) {
    let [rows, columns] = x.dims();
    let other = |seed| random([columns, rows], seed).transpose().cast(dtype);
    let moments = [other(21), other(22).abs()];
    (x.clone().cast(dtype), other(20), moments)
}

fn list((parameter, [first, second]): (Tensor<2>, [Tensor<2>; 2])) -> [Vec<f64>; 3] {
    [parameter, first, second].map(numbers)
}

#[test]
fn a_step_is_that_of_the_plain_form() {
    for Rows { name, x } in samples(9) {
        let (parameter, gradient, moments) = given(&x, DType::F32);
        let kernel = flex::adam_step(&STEP, parameter, gradient, moments);
        let kernel = kernel.unwrap_or_else(|_| panic!("a kernel for f32"));
        let (parameter, gradient, moments) = given(&x, DType::F64);
        let refused =
            flex::adam_step(&STEP, parameter.clone(), gradient.clone(), moments.clone()).is_err();
        assert!(refused, "no kernel for f64");
        let plain = STEP.apply(parameter, gradient, Some(moments));
        for (kernel, plain) in list(kernel).iter().zip(list(plain)) {
            assert_close(name, kernel, &plain);
        }
    }
}

#[test]
fn the_first_step_is_the_sign_of_the_gradient() {
    let x = Tensor::<1>::from_floats([1.0, 1.0, 1.0], &Device::flex());
    let gradient = Tensor::from_floats([1e-3, 0.0, -4.0], &Device::flex());
    let step = AdamStep { weight_decay: 0.0, epsilon: 1e-12, time: 1, ..STEP };
    let (moved, _) = step.apply(x, gradient, None);
    assert_close("moved", &numbers(moved), &[0.875, 1.0, 1.125]);
}

#[test]
fn a_step_changes_nothing_that_others_hold() {
    let (parameter, gradient, moments) = given(&random([3, 5], 1), DType::F32);
    let before = numbers(parameter.clone());
    let (moved, _) = STEP.apply(parameter.clone(), gradient, Some(moments));
    assert_eq!(numbers(parameter), before);
    assert_ne!(numbers(moved), before);
}
