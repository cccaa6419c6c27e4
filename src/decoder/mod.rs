//! Networks that write a sentence again from its embedding: what DenoisingAutoEncoderLoss is given.

mod bert;

use burn::prelude::*;

pub use crate::objective::linear_cross_entropy::OutputProjection;
#[cfg(test)]
pub(crate) use bert::fixed_weights::with_fixed_weights;
pub use bert::{
    Bert, BertAttention, BertConfig, BertCrossAttention, BertDecoder, BertDecoderExtension,
    BertEmbeddings, BertLayer, BertLayerNorm, BertLmHead, BertResidual, TiedBertDecoder, gelu,
};

/// A causal language model that also sees the embedding of the sentence.
///
/// It is asked for hidden states and, apart from them, for the layer that makes logits of them: so
/// a loss can take the logits, a number for every word of the vocabulary, of a few positions at a
/// time.
pub trait Decoder {
    /// What is known at every position, `[n, len, hidden]`, ready for the
    /// [projection](Self::projection). Position i sees tokens up to i, no others.
    ///
    /// # Shapes
    ///
    /// - `tokens`: token ids, `[n, len]`
    /// - `padding`: true where a token is padding, `[n, len]`
    /// - `memory`: the embedding of every sentence, `[n, dim]`
    fn hidden_states(
        &self,
        tokens: Tensor<2, Int>,
        padding: Tensor<2, Bool>,
        memory: Tensor<2>,
    ) -> Tensor<3>;

    /// The layer from hidden states to logits, with its weights as they are now.
    fn projection(&self) -> OutputProjection;
}
