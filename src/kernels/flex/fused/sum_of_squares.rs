//! The squared length of a tensor.

use burn::backend::Flex;
use burn::prelude::*;

use crate::kernels::flex::parallel::{PIECE, for_rows_with, numbers, sum, tensor};
use crate::kernels::flex::suits;

/// `Σ x²` over all elements, `[1]`.
pub(in crate::kernels) fn sum_of_squares<const D: usize>(x: &Tensor<D>) -> Option<Tensor<1>> {
    if !suits(x) {
        return None;
    }
    let x = x.clone().try_into_primitive::<Flex>().expect("a tensor of Flex without a graph");
    let x = x.to_contiguous();
    let mut pieces: Vec<_> = numbers(&x).chunks(PIECE).collect();
    let mut sums = vec![0f64; pieces.len()];
    let work = PIECE * pieces.len();
    for_rows_with(&mut sums, 1, &mut pieces, work, |_, out, piece| {
        out[0] = sum(piece, piece, |x, y| x * y);
    });
    let total = sums.iter().sum::<f64>() as f32;
    Some(Tensor::from_primitive::<Flex>(tensor(vec![total], [1])))
}
