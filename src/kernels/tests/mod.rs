//! Every kernel against the plain form of its operation, on random and on degenerate rows. Each test
//! also says which of the two ran: a kernel takes `f32` rows and returns `None` for all others.

mod adam;
mod attention;
mod dropout;
mod gelu;
mod layer_norm;
mod linear;
mod mean_rows;
mod row_comparison;
mod row_products;
mod softmax;
mod softplus;
mod squared_error;
mod sum_of_squares;
mod triplets;
mod unit_rows;

use burn::prelude::*;
use burn::tensor::DType;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Rows with a name, for messages.
struct Rows {
    name: &'static str,
    x: Tensor<2>,
}

/// A batch large enough to be shared between cores, and one of every kind of odd rows.
fn samples(seed: u64) -> Vec<Rows> {
    let (large, small) = (random([210, 201], seed), random([9, 5], seed + 1));
    let zero_row = small.clone().slice_fill(0..1, 0.0);
    let duplicates = Tensor::cat(vec![small.clone(), small.clone()], 0);
    let tiny_row = small.clone().slice(1..2).mul_scalar(1e-14);
    let short = small.clone().slice_assign([0..1, 0..5], tiny_row);
    vec![
        Rows { name: "random", x: large },
        Rows { name: "one row", x: random([1, 3], seed + 2) },
        Rows { name: "a zero row", x: zero_row },
        Rows { name: "duplicates", x: duplicates },
        Rows { name: "a short row", x: short },
        Rows { name: "close rows", x: small.mul_scalar(1e-4).add_scalar(1.0) },
    ]
}

/// The same numbers for the same seed. Those of the device are one sequence for all tests that run at the
/// same time.
fn random(shape: [usize; 2], seed: u64) -> Tensor<2> {
    let mut rng = StdRng::seed_from_u64(seed);
    let numbers = (0..shape[0] * shape[1]).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_data(TensorData::new::<f32, _>(numbers, shape), &Device::flex())
}

/// The same rows as a leaf of a graph, in a type.
fn leaf<const D: usize>(x: &Tensor<D>, dtype: DType) -> Tensor<D> {
    Tensor::from_inner(x.clone().cast(dtype)).require_grad()
}

/// Value, and gradients with respect to leaves.
type Outcome = (Vec<f64>, Vec<Vec<f64>>);

/// The outcome of an operation, whose results are weighted unequally so that gradients differ by row.
fn outcome<const D: usize>(y: Tensor<D>, leaves: &[Tensor<2>]) -> Outcome {
    let numbers = y.shape().num_elements() as i64;
    let weights = Tensor::<1, Int>::arange(1..numbers + 1, &y.device()).float().cast(y.dtype());
    let weighted = y.clone().reshape([-1]) * weights.mul_scalar(1.0 / numbers as f64);
    let found = weighted.sum().backward();
    let gradient = |leaf: &Tensor<2>| {
        self::numbers(leaf.grad(&found).unwrap_or_else(|| leaf.clone().inner().zeros_like()))
    };
    (self::numbers(y), leaves.iter().map(gradient).collect())
}

fn numbers<const D: usize>(x: Tensor<D>) -> Vec<f64> {
    x.into_data().iter::<f64>().collect()
}

/// Panics unless kernel and plain form agree: values and gradients relative to their largest number.
fn assert_agree(name: &str, (value, gradients): Outcome, (plain, of_plain): Outcome) {
    assert_close(&format!("{name}: value"), &value, &plain);
    for (place, (kernel, plain)) in gradients.iter().zip(&of_plain).enumerate() {
        assert_close(&format!("{name}: gradient {place}"), kernel, plain);
    }
}

fn assert_close(what: &str, kernel: &[f64], plain: &[f64]) {
    assert_eq!(kernel.len(), plain.len(), "{what}");
    let largest = plain.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    for (kernel, plain) in kernel.iter().zip(plain) {
        assert!((kernel - plain).abs() <= 1e-5 * largest, "{what}: {kernel} is not {plain}");
    }
}
