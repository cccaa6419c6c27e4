use super::*;
use crate::fused::{DropoutMask, attention_weights};
use crate::kernels::flex;
use crate::kernels::fused::Scores;

const SHAPE: [usize; 4] = [3, 4, 6, 37];

fn scores() -> Tensor<2> {
    let scores = random([SHAPE[0] * SHAPE[1] * SHAPE[2], SHAPE[3]], 41).mul_scalar(20.0);
    // A row that only one number counts in, and one of equal numbers.
    scores.slice_fill([0..1, 5..6], 3e4).slice_fill(1..2, -7.0)
}

/// A bias with some numbers so low that nothing is left of their weights, of a shape.
fn bias(shape: [usize; 4]) -> Tensor<4> {
    let [a, b, c, d] = shape;
    let bias = random([a * b * c, d], 42);
    let hidden = bias.clone().greater_elem(0.5);
    bias.mask_fill(hidden, -1e30).reshape(shape)
}

#[test]
fn weights_are_those_of_the_plain_form() {
    let rows = SHAPE[0] * SHAPE[1] * SHAPE[2];
    let dropout = DropoutMask::new((0..rows as u64).map(|i| i << 33 | i).collect(), 0.25);
    let [texts, heads, tokens, others] = SHAPE;
    let shapes = [SHAPE, [texts, 1, 1, others], [1, heads, tokens, others], [1, 1, 1, others]];
    for shape in shapes {
        for dropout in [None, Some(&dropout)] {
            let given = |leaf: &Tensor<2>| {
                let bias = bias(shape).cast(leaf.dtype());
                Scores {
                    scores: leaf.clone().reshape(SHAPE),
                    bias: Tensor::from_inner(bias),
                    dropout,
                }
            };
            let (single, double) = (leaf(&scores(), DType::F32), leaf(&scores(), DType::F64));
            let kernel = flex::attention_weights(given(&single));
            let kernel = kernel.unwrap_or_else(|_| panic!("a kernel for f32"));
            assert!(flex::attention_weights(given(&double)).is_err(), "no kernel for f64");
            let Scores { scores, bias, dropout } = given(&double);
            let plain = attention_weights(scores, bias, dropout);
            let name = format!("{shape:?} {}", dropout.is_some());
            assert_agree(&name, outcome(kernel, &[single]), outcome(plain, &[double]));
        }
    }
}

#[test]
fn a_bias_that_learns_is_left_to_the_plain_form() {
    let bias = bias(SHAPE);
    let learns = Tensor::from_inner(bias.clone()).require_grad();
    let given = |bias| Scores { scores: scores().reshape(SHAPE), bias, dropout: None };
    assert!(flex::attention_weights(given(learns.clone())).is_err());
    let weights = attention_weights(scores().autodiff().reshape(SHAPE), learns.clone(), None);
    let first = weights.slice([0..1, 0..1, 2..3, 0..1]).sum();
    assert!(learns.grad(&first.backward()).is_some());
    assert!(flex::attention_weights(given(bias)).is_ok());
}
