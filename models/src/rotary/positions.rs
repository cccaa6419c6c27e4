//! What attention knows of the places of tokens: how far each is turned, and which it sees.

use burn::tensor::{Bool, Tensor, TensorData};

use super::reach::Kind;
use crate::transformer::mask_bias;

/// The positions of a batch of texts, for all layers of one kind.
#[derive(Debug, Clone)]
pub(super) struct Positions {
    /// `[1, 1, tokens, head_size / 2]`.
    cosines: Tensor<4>,
    sines: Tensor<4>,
    /// Added to the scores, `[texts, 1, tokens or 1, tokens]`.
    pub bias: Tensor<4>,
}

impl Positions {
    /// For texts with these vectors, `[texts, tokens, hidden]`, and padding, `[texts, tokens]`.
    pub fn new(
        kind: &Kind,
        head_size: usize,
        start: &Tensor<3>,
        padding: &Tensor<2, Bool>,
    ) -> Self {
        let [_, tokens, _] = start.dims();
        let (device, dtype) = (start.device(), start.dtype());
        let [cosines, sines] = kind.rope.turns(head_size, tokens).map(|values| {
            let data = TensorData::new(values, [1, 1, tokens, head_size / 2]);
            Tensor::from_data(data, (&device, dtype))
        });
        Self { cosines, sines, bias: mask_bias(kind.reach.hidden_from(padding), dtype) }
    }

    /// Turns each pair of numbers, one of the first half of a head and one of the second, by the
    /// angle of its position: `[texts, heads, tokens, head_size]` to the same.
    pub fn turned(&self, x: Tensor<4>) -> Tensor<4> {
        let [_, _, _, size] = x.dims();
        let half = |range| x.clone().slice_dim(3, range);
        let (first, second) = (half(0..size / 2), half(size / 2..size));
        let (cosines, sines) = (self.cosines.clone(), self.sines.clone());
        let turned = first.clone() * cosines.clone() - second.clone() * sines.clone();
        Tensor::cat(vec![turned, second * cosines + first * sines], 3)
    }
}
