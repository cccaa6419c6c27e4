//! A decoder that borrows the layers of an encoder.

use burn::tensor::{Bool, Int, Tensor};
use burn_embedding_losses::decoder::{Decoder, OutputProjection};

use super::DecoderExtension;
use crate::transformer::{Transformer, require_padding};

/// The layers of an encoder, with their weights as they are now, and what a decoder has beyond
/// them; see [`DecoderExtension::tied_to`].
#[derive(Debug, Clone, Copy)]
pub struct TiedDecoder<'a> {
    pub(super) transformer: &'a Transformer,
    pub(super) extension: &'a DecoderExtension,
}

impl Decoder for TiedDecoder<'_> {
    /// # Panics
    ///
    /// If the three inputs do not fit together, `memory` is not as wide as the hidden states, or a
    /// text is longer than the model allows.
    #[track_caller]
    fn hidden_states(
        &self,
        tokens: Tensor<2, Int>,
        padding: Tensor<2, Bool>,
        memory: Tensor<2>,
    ) -> Tensor<3> {
        require_padding(&padding, tokens.dims());
        let expected = [tokens.dims()[0], self.extension.head.dense.weight.dims()[0]];
        let got = memory.dims();
        assert!(got == expected, "TiedDecoder: `memory` must have shape {expected:?}, got {got:?}");
        let hidden_from = padding_and_future(padding);
        let start = self.transformer.token_vectors(tokens);
        let memory = memory.cast(start.dtype());
        let attend = |layer: usize, states| {
            self.extension.cross_attentions[layer].forward(states, memory.clone())
        };
        let states = self.transformer.run(start, hidden_from, attend, &mut |_| {});
        self.extension.head.forward(states)
    }

    fn projection(&self) -> OutputProjection {
        let words = self.transformer.word_embeddings();
        OutputProjection::new(words, Some(self.extension.head.bias.val()))
    }
}

/// The attention mask, `[texts, 1, tokens, tokens]`: true where a token must not look at another,
/// which is later or padding. Padding looks at itself, because a softmax needs one candidate.
fn padding_and_future(padding: Tensor<2, Bool>) -> Tensor<4, Bool> {
    let [texts, tokens] = padding.dims();
    let (device, shape) = (padding.device(), [texts, 1, tokens, tokens]);
    let square = |mask: Tensor<2, Bool>| mask.reshape([1, 1, tokens, tokens]).expand(shape);
    let others = square(Tensor::<2, Bool>::diag_mask([tokens, tokens], 0, &device));
    let future = square(Tensor::<2, Bool>::tril_mask([tokens, tokens], 0, &device));
    padding.reshape([texts, 1, 1, tokens]).expand(shape).bool_and(others).bool_or(future)
}
