//! The transformer of a sentence encoder as a decoder: for DenoisingAutoEncoderLoss.

use burn::tensor::{Bool, Int, Tensor};
use burn_embedding_losses::decoder::{BertDecoderExtension, Decoder, OutputProjection};

use super::transformer::Transformer;

/// A transformer whose tokens see no later ones, and the embedding of the sentence.
#[derive(Debug, Clone, Copy)]
pub struct TiedDecoder<'a> {
    /// The layers, with their weights as they are now.
    pub transformer: &'a Transformer,
    /// What a decoder has beyond them.
    pub extension: &'a BertDecoderExtension,
}

impl Decoder for TiedDecoder<'_> {
    fn hidden_states(
        &self,
        tokens: Tensor<2, Int>,
        padding: Tensor<2, Bool>,
        memory: Tensor<2>,
    ) -> Tensor<3> {
        let [texts, count] = tokens.dims();
        let shape = [texts, 1, count, count];
        let future = Tensor::<2, Bool>::tril_mask([count, count], 0, &tokens.device());
        let future = future.reshape([1, 1, count, count]).expand(shape);
        let hidden = padding.reshape([texts, 1, 1, count]).expand(shape).bool_or(future);
        let start = self.transformer.token_vectors(tokens);
        let states = self.transformer.run(start, hidden, |layer, states| {
            self.extension.cross_attentions[layer].forward(states, memory.clone())
        });
        self.extension.head.forward(states)
    }

    fn projection(&self) -> OutputProjection {
        let words = self.transformer.word_embeddings();
        OutputProjection::new(words, Some(self.extension.head.bias.val()))
    }
}
