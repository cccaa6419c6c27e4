//! Stands in for the kernels of Flex in a build without the feature: the same names, no kernel.

#![allow(
    clippy::result_large_err,
    reason = "hands its argument back; a tensor is large by some features"
)]

use burn::prelude::*;

use super::fused::{AdamStep, Bags, DropoutMask, Given, LayerNorm, Moved, Scores};
use super::row_products::OfProducts;
use super::triplet_sum::TripletRule;
use super::{Chosen, PairFeatures, Partner, ProductDistance, RowMetric};
use crate::budget::Blocks;

type Softmax = (Vec<Tensor<2>>, Tensor<2>);

pub fn compare_rows(
    _: &[Tensor<2>],
    _: RowMetric,
    _: &Partner,
    _: Option<&Partner>,
) -> Option<Tensor<1>> {
    None
}

pub fn row_products_sum(
    _: [&Tensor<2>; 2],
    _: &[Tensor<2>],
    _: f64,
    _: OfProducts,
) -> Option<Tensor<1>> {
    None
}

pub fn answers(z: Tensor<2>, _: usize, _: f64) -> Result<(Tensor<2>, Tensor<2>), Tensor<2>> {
    Err(z)
}

pub fn unit_rows(_: &Tensor<2>) -> Option<Tensor<2>> {
    None
}

pub fn adam_step<const D: usize>(
    _: &AdamStep,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: [Tensor<D>; 2],
) -> Result<Moved<D>, Given<D>> {
    Err((parameter, gradient, moments))
}

pub fn sum_of_squares<const D: usize>(_: &Tensor<D>) -> Option<Tensor<1>> {
    None
}

pub fn gelu<const D: usize>(x: Tensor<D>) -> Result<Tensor<D>, Tensor<D>> {
    Err(x)
}

pub fn layer_norm<const D: usize>(given: LayerNorm<D>) -> Result<Tensor<D>, LayerNorm<D>> {
    Err(given)
}

pub fn attention_weights(given: Scores) -> Result<Tensor<4>, Scores> {
    Err(given)
}

pub fn mean_rows(table: Tensor<2>, _: &Bags) -> Result<Tensor<2>, Tensor<2>> {
    Err(table)
}

pub fn dropout<const D: usize>(x: Tensor<D>, _: &DropoutMask) -> Result<Tensor<D>, Tensor<D>> {
    Err(x)
}

pub fn carry_gradient<const D: usize>(_: &Tensor<D>, _: &Tensor<D>) -> Option<Tensor<1>> {
    None
}

pub fn squared_error_sum(_: [&Tensor<2>; 2], _: f64) -> Option<Tensor<1>> {
    None
}

pub fn project_pairs(
    _: [&Tensor<2>; 2],
    _: &Tensor<2>,
    _: &Tensor<1>,
    _: PairFeatures,
) -> Option<Tensor<2>> {
    None
}

pub fn works_in_place(_: &Tensor<2>) -> bool {
    false
}

pub fn softmax(blocks: Vec<Tensor<2>>, _: f64) -> Result<Softmax, Vec<Tensor<2>>> {
    Err(blocks)
}

pub fn add_to_diagonal(x: Tensor<2>, _: usize, _: f64) -> Result<Tensor<2>, Tensor<2>> {
    Err(x)
}

pub fn hardest(
    _: ProductDistance,
    _: &Tensor<2>,
    _: &Tensor<1, Int>,
    _: Blocks,
) -> Option<(Chosen, Chosen)> {
    None
}

pub fn closest_other(
    _: ProductDistance,
    _: [&Tensor<2>; 2],
    _: Option<&Tensor<1, Int>>,
    _: Blocks,
) -> Option<Chosen> {
    None
}

pub fn triplet_sum(
    _: &Tensor<2>,
    _: &Tensor<1, Int>,
    _: TripletRule,
    _: Blocks,
    _: &dyn Fn(usize) -> f64,
) -> Option<Tensor<1>> {
    None
}

/// There is none.
#[derive(Debug, Clone)]
pub enum Pool {}

impl Pool {
    pub fn run<R>(&self, _: impl FnOnce() -> R) -> R {
        match *self {}
    }
}

pub fn cores(_: &Device) -> usize {
    1
}

pub fn pool(_: &Device, _: usize, _: usize) -> Option<Pool> {
    None
}
