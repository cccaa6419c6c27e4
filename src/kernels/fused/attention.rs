//! The weights of attention.

use burn::prelude::*;
use burn::tensor::activation;

use super::DropoutMask;
use crate::kernels::flex;

/// `dropout(softmax(scores + bias))` over the last dimension: how much each token makes of each other
/// one.
///
/// `bias` is very low where a token must not look. The dropout has a key for each row of scores.
///
/// # Shapes
///
/// - scores: `[texts, heads, tokens, others]`
/// - bias: the same, but any of the first three may be 1
/// - output: `[texts, heads, tokens, others]`
///
/// # Numerical behavior
///
/// Shifted by the largest number of the row, so nothing overflows. The kernel for Flex takes a bias without
/// gradient.
pub fn attention_weights(
    scores: Tensor<4>,
    bias: Tensor<4>,
    dropout: Option<&DropoutMask>,
) -> Tensor<4> {
    let given = Scores { scores, bias, dropout };
    flex::attention_weights(given).unwrap_or_else(Scores::plain)
}

/// The inputs of the weights.
pub(in crate::kernels) struct Scores<'a> {
    pub scores: Tensor<4>,
    pub bias: Tensor<4>,
    pub dropout: Option<&'a DropoutMask>,
}

impl Scores<'_> {
    fn plain(self) -> Tensor<4> {
        let weights = activation::softmax(self.scores + self.bias, 3);
        match self.dropout {
            Some(dropout) => dropout.apply(weights),
            None => weights,
        }
    }
}
