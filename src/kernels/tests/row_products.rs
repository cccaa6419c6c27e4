use super::*;
use crate::geometry::Similarity;
use crate::kernels::{flex, row_products_sum};

/// `(x·y − x·z − target)²`, and its derivatives.
fn squared_margin(target: &[f32], products: &mut [f64]) -> f64 {
    let error = products[0] - products[1] - f64::from(target[0]);
    products.copy_from_slice(&[2.0 * error, -2.0 * error]);
    error * error
}

#[test]
fn functions_of_products_are_those_of_the_plain_form() {
    let others = samples(5).into_iter().zip(samples(6));
    for (Rows { name, x }, (Rows { x: y, .. }, Rows { x: z, .. })) in
        samples(1).into_iter().zip(others)
    {
        let in_type = |dtype| [leaf(&x, dtype), leaf(&y, dtype), leaf(&z, dtype)];
        let targets = |dtype| x.clone().narrow(1, 0, 1).cast(dtype);
        let (single, double) = (in_type(DType::F32), in_type(DType::F64));
        let of = |leaves: &[Tensor<2>; 3], dtype| {
            let targets = Tensor::from_inner(targets(dtype));
            flex::row_products_sum([&leaves[0], &targets], &leaves[1..], 0.5, &squared_margin)
        };
        let kernel = of(&single, DType::F32).expect("a kernel for f32");
        assert!(of(&double, DType::F64).is_none());
        let targets = Tensor::<2>::from_inner(targets(DType::F64));
        let plain =
            row_products_sum([&double[0], &targets], &double[1..], 0.5, &squared_margin, || {
                let [x, y, z] = double.clone();
                let margin = Similarity::Dot.paired(x.clone(), y) - Similarity::Dot.paired(x, z);
                (margin - targets.clone().squeeze_dim(1)).square().mul_scalar(0.5).sum()
            });
        assert_agree(name, outcome(kernel, &single), outcome(plain, &double));
    }
}

#[test]
fn products_that_fit_no_f32_have_gradients_that_do() {
    let row =
        |numbers: [f32; 2]| leaf(&Tensor::from_floats([numbers], &Device::flex()), DType::F32);
    // Both products are 2e38 · 2, and their difference is 0; the derivatives are 2 (0 − 3).
    let leaves = [row([2.0, 0.0]), row([2e38, 1.0]), row([2e38, 0.0])];
    let target = Tensor::<2>::from_floats([[3.0]], &leaves[0].device());
    let sum = flex::row_products_sum([&leaves[0], &target], &leaves[1..], 1.0, &squared_margin);
    let (value, gradients) = outcome(sum.expect("a kernel for f32"), &leaves);
    assert_eq!(value, [9.0]);
    assert_eq!(gradients[0], [0.0, -6.0]);
    assert_eq!(gradients[1..], [[-12.0, 0.0], [12.0, 0.0]]);
}
