//! The softmax of attention with its mask and its dropout in one pass.

use burn::backend::flex::FlexTensor;

use super::dropout::apply_to_row;
use crate::kernels::flex::parallel::{for_rows, for_rows_with, numbers, owned, sum, tensor};
use crate::kernels::flex::softmax::Total;
use crate::kernels::fused::DropoutMask;

/// Kept from the forward pass for the gradient.
#[derive(Debug, Clone)]
pub(super) struct Softmax {
    weights: FlexTensor,
    dropout: Option<DropoutMask>,
}

/// The weights with some left out, and what the gradient needs, in the memory of the scores where nothing else
/// uses it.
pub(super) fn weights(
    scores: FlexTensor,
    bias: &FlexTensor,
    dropout: Option<DropoutMask>,
) -> (FlexTensor, Softmax) {
    let mut weights = owned(scores);
    let shape = weights.layout().shape().clone();
    let width = shape[3];
    let bias = Bias::new(bias, [shape[0], shape[1], shape[2]]);
    let numbers = weights.storage_mut::<f32>();
    let work = numbers.len();
    let Some(mask) = &dropout else {
        for_rows(numbers, width, work, |i, row| softmax(row, bias.row(i)));
        return (weights.clone(), Softmax { weights, dropout });
    };
    let mut left = vec![0f32; work];
    let mut rows: Vec<_> = left.chunks_mut(width).collect();
    for_rows_with(numbers, width, &mut rows, work, |i, row, left| {
        softmax(row, bias.row(i));
        left.copy_from_slice(row);
        apply_to_row(left, mask, i);
    });
    (tensor(left, shape), Softmax { weights, dropout })
}

/// The softmax of the sum of two rows, in the place of the first.
#[inline(always)]
fn softmax(row: &mut [f32], bias: &[f32]) {
    for (score, bias) in row.iter_mut().zip(bias) {
        *score += bias;
    }
    Total::softmax(row);
}

/// The gradient with respect to the scores, given the gradient `slope` of the weights.
pub(super) fn gradient(slope: FlexTensor, softmax: &Softmax) -> FlexTensor {
    let Softmax { weights, dropout } = softmax;
    let mut slope = owned(slope);
    let width = weights.layout().shape()[3];
    let weights = numbers(weights);
    for_rows(slope.storage_mut::<f32>(), width, weights.len(), |i, slope| {
        if let Some(mask) = dropout {
            apply_to_row(slope, mask, i);
        }
        let weights = &weights[i * width..][..width];
        // The weights add up to 1 but for rounding, which the mean must not have.
        let all = sum(weights, weights, |weight, _| weight);
        let mean = sum(weights, slope, |weight, slope| weight * slope) / all;
        for (slope, &weight) in slope.iter_mut().zip(weights) {
            *slope = (f64::from(weight) * (f64::from(*slope) - mean)) as f32;
        }
    });
    slope
}

/// A bias whose rows are used for several rows of scores.
struct Bias<'a> {
    numbers: &'a [f32],
    width: usize,
    /// The sizes of the scores, of which a row has one number each.
    sizes: [usize; 3],
    /// How many rows of the bias lie between neighbours in each of these dimensions; 0 where all share one.
    strides: [usize; 3],
}

impl<'a> Bias<'a> {
    /// For scores of these sizes; `bias` is contiguous.
    fn new(bias: &'a FlexTensor, sizes: [usize; 3]) -> Self {
        let shape = bias.layout().shape();
        let (own, width) = ([shape[0], shape[1], shape[2]], shape[3]);
        let stride = |dimension: usize, after: usize| if own[dimension] == 1 { 0 } else { after };
        let strides = [stride(0, own[1] * own[2]), stride(1, own[2]), stride(2, 1)];
        Self { numbers: numbers(bias), width, sizes, strides }
    }

    /// The bias of row `i` of the scores.
    #[inline(always)]
    fn row(&self, i: usize) -> &[f32] {
        let [_, heads, tokens] = self.sizes;
        let place = [i / tokens / heads, i / tokens % heads, i % tokens];
        let row: usize = place.iter().zip(self.strides).map(|(place, stride)| place * stride).sum();
        &self.numbers[row * self.width..][..self.width]
    }
}
