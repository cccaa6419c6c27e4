use super::*;
use crate::kernels::flex;
use crate::kernels::fused::{LayerNorm, layer_norm};

/// As models have it, which leaves constant rows far apart from others.
const EPSILON: f64 = 1e-12;

/// `x`, a residual, gamma and beta in a type, the last two as matrices with a row.
fn given(x: &Tensor<2>, dtype: DType) -> [Tensor<2>; 4] {
    let [rows, columns] = x.dims();
    let residual = random([rows, columns], 31).mul_scalar(0.1);
    let [gamma, beta] = [random([1, columns], 32), random([1, columns], 33)];
    [x, &residual, &gamma.add_scalar(1.5), &beta].map(|x| leaf(x, dtype))
}

fn layer(
    [x, residual, gamma, beta]: [Tensor<2>; 4],
    with_residual: bool,
    with_beta: bool,
) -> LayerNorm<2> {
    LayerNorm {
        x,
        residual: with_residual.then_some(residual),
        gamma: gamma.squeeze_dim(0),
        beta: with_beta.then(|| beta.squeeze_dim(0)),
        epsilon: EPSILON,
    }
}

fn run(LayerNorm { x, residual, gamma, beta, epsilon }: LayerNorm<2>) -> Tensor<2> {
    layer_norm(x, residual, gamma, beta, epsilon)
}

#[test]
fn layers_are_those_of_the_plain_form() {
    for (with_residual, with_beta) in [(true, true), (false, true), (true, false), (false, false)] {
        for Rows { name, x } in samples(2) {
            let (single, double) = (given(&x, DType::F32), given(&x, DType::F64));
            let ask = |leaves: &[Tensor<2>; 4]| {
                flex::layer_norm(layer(leaves.clone(), with_residual, with_beta)).ok()
            };
            let kernel = ask(&single).expect("a kernel for f32");
            assert!(ask(&double).is_none(), "no kernel for f64");
            let plain = run(layer(double.clone(), with_residual, with_beta));
            let inner = single.clone().map(Tensor::inner);
            let untracked = ask(&inner).expect("a kernel for f32");
            assert_eq!(numbers(untracked), numbers(kernel.clone()), "{name}");
            assert_agree(name, outcome(kernel, &single), outcome(plain, &double));
        }
    }
}

#[test]
#[should_panic(expected = "the last dimension of `x` must be 3, as `gamma` is, got 2")]
fn gamma_is_as_long_as_a_row() {
    let device = Device::flex();
    layer_norm(Tensor::<2>::ones([4, 2], &device), None, Tensor::ones([3], &device), None, 1e-5);
}
