//! Kernels for Flex, Burn's CPU backend: fewer passes over memory, all cores, sums in `f64`.
//!
//! Burn's operations on Flex run one after another over whole matrices, on one core except for matrix
//! products. A kernel does the work of a loss on a row in one pass. Kernels take `f32` rows only.

mod autodiff;
mod estimate;
mod exponential;
mod fused;
mod pair_features;
mod parallel;
mod pool;
mod row_comparison;
mod row_products;
mod rows;
mod search;
mod small_classes;
mod small_classes_sum;
mod softmax;
mod softplus;
mod squared_error;
mod triplet_sum;
mod unit_rows;

use burn::backend::{Backend, Dispatch, Flex, backend_extension, tensor::FloatTensor};
use burn::prelude::*;
use burn::tensor::DType;

use super::{Chosen, PairFeatures, Partner, ProductDistance, RowMetric, TripletRule};
use row_comparison::RowComparison;

pub(super) use fused::{
    adam_step, attention_weights, dropout, gelu, layer_norm, mean_rows, sum_of_squares,
};
pub(super) use pool::{Pool, cores, pool};
pub(super) use row_products::row_products_sum;
pub(super) use search::{closest_other, hardest};
pub(super) use softmax::{add_to_diagonal, softmax, works_in_place};
pub(super) use softplus::answers;
pub(super) use triplet_sum::triplet_sum;

/// Whether there are kernels for this tensor.
fn suits<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && x.device() == Device::flex()
}

/// Whole numbers, which lie in the memory of the process anyway.
fn integers(x: &Tensor<1, Int>) -> Vec<i64> {
    x.clone().into_data().iter::<i64>().collect()
}

/// Rows of the first matrix compared with others, `[n]`.
pub(super) fn compare_rows(
    sources: &[Tensor<2>],
    metric: RowMetric,
    first: &Partner,
    second: Option<&Partner>,
) -> Option<Tensor<1>> {
    if !sources.iter().all(suits) {
        return None;
    }
    let comparison = RowComparison::new(metric, first, second);
    let [x, y, z] = three(sources).map(Tensor::into_dispatch);
    Some(Tensor::from_dispatch(<Dispatch as RowKernels>::compare_rows(x, y, z, comparison)))
}

/// Three matrices; those that are missing are not used and get no gradient.
fn three(sources: &[Tensor<2>]) -> [Tensor<2>; 3] {
    let missing = || sources[0].clone().inner();
    core::array::from_fn(|place| sources.get(place).cloned().unwrap_or_else(missing))
}

/// Rows of length 1.
pub(super) fn unit_rows(x: &Tensor<2>) -> Option<Tensor<2>> {
    let unit = || <Dispatch as RowKernels>::unit_rows(x.clone().into_dispatch());
    suits(x).then(|| Tensor::from_dispatch(unit()))
}

/// More classes than this are left to a matrix product.
const MOST_CLASSES: usize = 16;

/// Logits of a linear layer, `[features, classes]` with a bias `[classes]`, that gets `features` of two
/// rows.
pub(super) fn project_pairs(
    [left, right]: [&Tensor<2>; 2],
    weight: &Tensor<2>,
    bias: &Tensor<1>,
    features: PairFeatures,
) -> Option<Tensor<2>> {
    let suits = [left, right, weight].into_iter().all(suits) && suits(bias);
    if !suits || weight.dims()[1] > MOST_CLASSES {
        return None;
    }
    let [left, right, weight] = [left, right, weight].map(|x| x.clone().into_dispatch());
    let bias = bias.clone().into_dispatch();
    let logits = <Dispatch as RowKernels>::project_pairs(left, right, weight, bias, features);
    Some(Tensor::from_dispatch(logits))
}

/// `weight · Σ (x − y)²`, `[1]`.
pub(super) fn squared_error_sum(rows: [&Tensor<2>; 2], weight: f64) -> Option<Tensor<1>> {
    if !rows.into_iter().all(suits) {
        return None;
    }
    let [x, y] = rows.map(|rows| rows.clone().into_dispatch());
    Some(Tensor::from_dispatch(<Dispatch as RowKernels>::squared_error(x, y, weight)))
}

/// The number 0 with a gradient, `[1]`.
pub(super) fn carry_gradient<const D: usize>(
    x: &Tensor<D>,
    gradient: &Tensor<D>,
) -> Option<Tensor<1>> {
    if !suits(x) || gradient.dtype() != x.dtype() {
        return None;
    }
    let (x, gradient) = (x.clone().into_dispatch(), gradient.clone().into_dispatch());
    Some(Tensor::from_dispatch(<Dispatch as RowKernels>::carry(x, gradient)))
}

#[backend_extension(Flex, Autodiff)]
trait RowKernels: Backend {
    fn compare_rows(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        z: FloatTensor<Self>,
        comparison: RowComparison,
    ) -> FloatTensor<Self>;

    fn unit_rows(x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn project_pairs(
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        features: PairFeatures,
    ) -> FloatTensor<Self>;

    fn squared_error(x: FloatTensor<Self>, y: FloatTensor<Self>, weight: f64) -> FloatTensor<Self>;

    fn carry(x: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl RowKernels for Flex {
    fn compare_rows(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        z: FloatTensor<Self>,
        comparison: RowComparison,
    ) -> FloatTensor<Self> {
        row_comparison::forward([&x, &y, &z], &comparison).0
    }

    fn unit_rows(x: FloatTensor<Self>) -> FloatTensor<Self> {
        unit_rows::forward(&x)
    }

    fn project_pairs(
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        features: PairFeatures,
    ) -> FloatTensor<Self> {
        pair_features::forward([&left, &right], &weight, &bias, features)
    }

    fn squared_error(x: FloatTensor<Self>, y: FloatTensor<Self>, weight: f64) -> FloatTensor<Self> {
        squared_error::value([&x, &y], weight)
    }

    fn carry(_: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        burn::backend::flex::FlexTensor::zeros(Shape::from([1]), gradient.dtype())
    }
}
