//! The same numbers with fewer passes over memory, on Burn's CPU backend.
//!
//! Burn's operations on Flex run one after another over whole matrices, on one core but for matrix
//! products. These kernels do what a loss does to a row in one go, rows on all cores, and sums in
//! `f64`. Each has a plain twin that runs everywhere else and that tests compare it with; they take
//! `f32` rows only.

mod autodiff;
mod classify;
mod estimate;
mod few;
mod few_sum;
mod paired;
mod parallel;
mod search;
mod softmax;
mod squared_error;
mod triplets;
mod unit;

use burn::backend::{Backend, Dispatch, Flex, backend_extension, tensor::FloatTensor};
use burn::prelude::*;
use burn::tensor::DType;

use super::PairFeatures;
pub(crate) use classify::MOST_CLASSES;
pub(crate) use paired::{Gap, NOBODY, Partners};
pub(crate) use search::{closest_other, hardest};
pub(crate) use softmax::{add_to_diagonal, softmax};
pub(crate) use triplets::TripletRows;

/// Whether the kernels are made for this tensor.
pub(crate) fn suits<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && x.device() == Device::flex()
}

/// Whole numbers, which lie in the memory of the process anyway.
pub(crate) fn integers(x: Tensor<1, Int>) -> Vec<i64> {
    x.into_data().iter::<i64>().collect()
}

/// Rows of the first matrix compared with others, `[n]`.
pub(crate) fn gap(sources: [Tensor<2>; 3], gap: Gap) -> Tensor<1> {
    let [x, y, z] = sources.map(Tensor::into_dispatch);
    Tensor::from_dispatch(<Dispatch as RowKernels>::gap(x, y, z, gap))
}

/// Rows of length 1.
pub(crate) fn unit_rows(x: Tensor<2>) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as RowKernels>::unit_rows(x.into_dispatch()))
}

/// Logits of a linear layer, `[features, classes]` with a bias `[classes]`, that sees `features` of two
/// rows.
pub(crate) fn classify(
    [left, right]: [Tensor<2>; 2],
    weight: Tensor<2>,
    bias: Tensor<1>,
    features: PairFeatures,
) -> Tensor<2> {
    let (left, right) = (left.into_dispatch(), right.into_dispatch());
    let (weight, bias) = (weight.into_dispatch(), bias.into_dispatch());
    let logits = <Dispatch as RowKernels>::classify(left, right, weight, bias, features);
    Tensor::from_dispatch(logits)
}

/// `weight · Σ (x − y)²`, `[1]`.
pub(crate) fn squared_error(x: Tensor<2>, y: Tensor<2>, weight: f64) -> Tensor<1> {
    let (x, y) = (x.into_dispatch(), y.into_dispatch());
    Tensor::from_dispatch(<Dispatch as RowKernels>::squared_error(x, y, weight))
}

/// The number 0 with a gradient, `[1]`.
pub(crate) fn carry_gradient<const D: usize>(x: Tensor<D>, gradient: Tensor<D>) -> Tensor<1> {
    let carried = <Dispatch as RowKernels>::carry(x.into_dispatch(), gradient.into_dispatch());
    Tensor::from_dispatch(carried)
}

#[backend_extension(Flex, Autodiff)]
trait RowKernels: Backend {
    fn gap(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        z: FloatTensor<Self>,
        gap: Gap,
    ) -> FloatTensor<Self>;

    fn unit_rows(x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn classify(
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
    fn gap(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        z: FloatTensor<Self>,
        gap: Gap,
    ) -> FloatTensor<Self> {
        paired::forward([&x, &y, &z], &gap).0
    }

    fn unit_rows(x: FloatTensor<Self>) -> FloatTensor<Self> {
        unit::forward(&x)
    }

    fn classify(
        left: FloatTensor<Self>,
        right: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        features: PairFeatures,
    ) -> FloatTensor<Self> {
        classify::forward([&left, &right], &weight, &bias, features)
    }

    fn squared_error(x: FloatTensor<Self>, y: FloatTensor<Self>, weight: f64) -> FloatTensor<Self> {
        squared_error::value([&x, &y], weight)
    }

    fn carry(_: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        burn::backend::flex::FlexTensor::zeros(Shape::from([1]), gradient.dtype())
    }
}
