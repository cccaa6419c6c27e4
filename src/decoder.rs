//! The interface of the network with which DenoisingAutoEncoderLoss reconstructs a text from its embedding.
//!
//! The networks themselves are elsewhere: a [`Decoder`] is any of the caller's, for instance the
//! layers of a BERT of the crate `burn-embedding-models`.

use burn::prelude::*;

pub use crate::objective::linear_cross_entropy::OutputProjection;

/// A causal language model that also sees the embedding of the text.
///
/// It gives hidden states and, separately, the layer that turns them into logits, so that a loss can
/// take the logits, one for every word of the vocabulary, of a few positions at a time.
///
/// # Example
///
/// The smallest decoder there is: it predicts a word from the one before and the embedding.
///
/// ```
/// use burn::nn::{Embedding, EmbeddingConfig};
/// use burn::prelude::*;
/// use burn_embedding_losses::DenoisingAutoEncoderLossConfig;
/// use burn_embedding_losses::decoder::{Decoder, OutputProjection};
///
/// #[derive(Module, Debug)]
/// struct LastWord {
///     words: Embedding,
/// }
///
/// impl Decoder for LastWord {
///     fn hidden_states(
///         &self,
///         tokens: Tensor<2, Int>,
///         _padding: Tensor<2, Bool>,
///         memory: Tensor<2>,
///     ) -> Tensor<3> {
///         self.words.forward(tokens) + memory.unsqueeze_dim(1)
///     }
///
///     fn projection(&self) -> OutputProjection {
///         OutputProjection::new(self.words.weight.val(), None)
///     }
/// }
///
/// let device = Device::flex().autodiff();
/// let decoder = LastWord { words: EmbeddingConfig::new(10, 4).init(&device) };
/// let loss = DenoisingAutoEncoderLossConfig::new(0).init(decoder);
/// let embeddings = Tensor::<2>::ones([1, 4], &device).require_grad();
/// let tokens = Tensor::<2, Int>::from_ints([[1, 5, 7, 4, 2]], &device);
/// let gradients = loss.forward((embeddings.clone(), tokens)).backward();
/// assert!(embeddings.grad(&gradients).is_some());
/// ```
pub trait Decoder {
    /// The hidden state at every position, `[n, len, hidden]`, ready for the
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
