use burn::prelude::*;

use super::{Criterion, config};
use crate::batch::{DenoisingBatch, IGNORED_LABEL, check_token_ids};
use crate::decoder::{Decoder, OutputProjection};
use crate::error::{ConfigError, expect_valid};
use crate::objective::linear_cross_entropy::{
    LabeledStates, linear_cross_entropy, linear_cross_entropy_terms,
};
use crate::reduction::Reduction;

config! {
    /// Configuration of [`DenoisingAutoEncoderLoss`].
    pub struct DenoisingAutoEncoderLossConfig(
        /// The token id that pads sentences; 0 for BERT. It is neither predicted nor attended to.
        pub pad_token_id: u32,
    ) {
        /// Number of tokens whose logits (one number per word of the vocabulary) are in memory at a
        /// time; at least 1. Affects speed and memory only, never the result.
        pub chunk_size: usize = 512, set by with_chunk_size;
        /// How the terms become one number.
        pub reduction: Reduction = Reduction::Mean, set by with_reduction;
    }
}

impl DenoisingAutoEncoderLossConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `chunk_size` is 0.
    pub fn check(&self) -> Result<(), ConfigError> {
        let (name, size) = ("DenoisingAutoEncoderLoss", self.chunk_size);
        ConfigError::unless(size > 0, name, "chunk_size", "must be at least 1", size)
    }

    /// Builds the loss around a decoder, or around what a decoder has beyond an encoder.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init<D: Module>(&self, decoder: D) -> DenoisingAutoEncoderLoss<D> {
        expect_valid(self.check());
        DenoisingAutoEncoderLoss { decoder, config: self.clone() }
    }
}

/// TSDAE: the embedding of a damaged sentence must be enough to write the original again.
///
/// ```text
/// hᵢ = decoder(x₁ … xᵢ, e)     zᵢ = W hᵢ + b     ℓᵢ = ln Σ_c exp(zᵢ_c) − zᵢ_{xᵢ₊₁}     L = 1/k Σ ℓᵢ
/// ```
///
/// `e` is the embedding of the damaged sentence and `x` are the tokens of the original one, of
/// which k are to be predicted: all but the first, without padding. All sentences of the batch are
/// averaged together, token by token. [`WordDeletion`](crate::noise::WordDeletion) does the damage.
///
/// The decoder belongs to the loss: its parameters must be given to the optimizer together with the
/// encoder's. It is any [`Decoder`]; the crate `burn-embedding-models` has BERT and RoBERTa as decoders.
///
/// # Tying
///
/// A decoder may share its weights with the encoder (the default in sentence-transformers): less
/// memory, and better embeddings according to the paper. The loss then owns only the parameters
/// that the encoder does not have, and [`forward_with`](Self::forward_with) gets a decoder that
/// borrows the rest at each step. Here the two share the word embeddings:
///
/// ```
/// use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
/// use burn::prelude::*;
/// use burn_embedding_losses::DenoisingAutoEncoderLossConfig;
/// use burn_embedding_losses::decoder::{Decoder, OutputProjection};
///
/// struct Tied<'a> {
///     words: &'a Embedding,
///     extension: &'a Linear,
/// }
///
/// impl Decoder for Tied<'_> {
///     fn hidden_states(
///         &self,
///         tokens: Tensor<2, Int>,
///         _padding: Tensor<2, Bool>,
///         memory: Tensor<2>,
///     ) -> Tensor<3> {
///         self.words.forward(tokens) + self.extension.forward(memory).unsqueeze_dim(1)
///     }
///
///     fn projection(&self) -> OutputProjection {
///         OutputProjection::new(self.words.weight.val(), None)
///     }
/// }
///
/// let device = Device::flex().autodiff();
/// let encoder: Embedding = EmbeddingConfig::new(10, 4).init(&device);
/// let extension = LinearConfig::new(4, 4).init(&device);
/// let loss = DenoisingAutoEncoderLossConfig::new(0).init(extension);
///
/// let damaged = Tensor::<2, Int>::from_ints([[1, 7, 2]], &device);
/// let original = Tensor::<2, Int>::from_ints([[1, 5, 7, 4, 2]], &device);
/// let embedding = encoder.forward(damaged).mean_dim(1).squeeze_dim(1);
///
/// let tied = Tied { words: &encoder, extension: &loss.decoder };
/// let gradients = loss.forward_with(&tied, (embedding, original)).backward();
/// assert!(encoder.weight.val().grad(&gradients).is_some());
/// ```
///
/// # Terms
///
/// One per token that is to be predicted, `[n · (len − 1)]`, sentence by sentence; padding is 0 and
/// does not count.
///
/// # Differences
///
/// From sentence-transformers:
///
/// - A batch that has nothing but padding to predict has loss 0 (there: NaN).
/// - Tying uses the encoder's weights as they are. There, it replaces them by those of the
///   checkpoint the encoder once came from, and what it had learnt since is lost.
/// - Padding is not looked at. There, the decoder looks at padding before a sentence; padding after
///   it makes no difference. The embedding is always looked at; there, it is left out where a
///   damaged sentence starts with padding.
/// - Tokens are those of the decoder's tokenizer; nothing is tokenized again.
/// - Logits are never in memory all at once.
///
/// [`LossConfig`](crate::catalog::LossConfig) knows its name and options, but cannot build it: it
/// needs a decoder.
///
/// # Example
///
/// [`Decoder`] has the smallest decoder there is, with this loss.
///
/// # References
///
/// - K. Wang, N. Reimers, I. Gurevych: TSDAE: Using Transformer-based Sequential Denoising
///   Auto-Encoder for Unsupervised Sentence Embedding Learning, 2021,
///   <https://arxiv.org/abs/2104.06979>
#[derive(Module, Debug)]
pub struct DenoisingAutoEncoderLoss<D> {
    /// The decoder, or what it has beyond the encoder.
    pub decoder: D,
    /// The configuration of the loss.
    #[module(skip)]
    pub config: DenoisingAutoEncoderLossConfig,
}

impl<D> DenoisingAutoEncoderLoss<D> {
    /// The loss of the batch, `[1]`, with a decoder of the caller's: one that is tied to an encoder.
    ///
    /// # Panics
    ///
    /// If the parts of the batch do not fit together or not to the decoder; see the batch's `new`.
    #[track_caller]
    pub fn forward_with(
        &self,
        decoder: &impl Decoder,
        batch: impl Into<DenoisingBatch>,
    ) -> Tensor<1> {
        let (rows, projection) = self.decode(decoder, batch.into());
        let DenoisingAutoEncoderLossConfig { chunk_size, reduction, .. } = self.config;
        linear_cross_entropy(rows, projection, chunk_size, reduction).into_value()
    }

    /// The loss of every token, `[n · (len − 1)]`, with a decoder of the caller's.
    ///
    /// With gradients, the graph keeps the logits of all tokens; only
    /// [`forward_with`](Self::forward_with) does without.
    ///
    /// # Panics
    ///
    /// As [`forward_with`](Self::forward_with).
    #[track_caller]
    pub fn forward_no_reduction_with(
        &self,
        decoder: &impl Decoder,
        batch: impl Into<DenoisingBatch>,
    ) -> Tensor<1> {
        let (rows, projection) = self.decode(decoder, batch.into());
        linear_cross_entropy_terms(rows, projection, self.config.chunk_size).into_values()
    }

    /// The hidden state before every token but the first, with the token as its label.
    #[track_caller]
    fn decode(
        &self,
        decoder: &impl Decoder,
        DenoisingBatch { embeddings, tokens }: DenoisingBatch,
    ) -> (LabeledStates, OutputProjection) {
        let projection = decoder.projection();
        self.require_tokens(&tokens, projection.classes());
        let ([n, len], pad) = (tokens.dims(), i64::from(self.config.pad_token_id));
        // x₁ … xᵢ, and xᵢ₊₁
        let given = tokens.clone().slice([0..n, 0..len - 1]);
        let next = tokens.slice([0..n, 1..len]).reshape([n * (len - 1)]);
        let padding = given.clone().equal_elem(pad);
        let states = decoder.hidden_states(given, padding, embeddings);
        let [_, _, hidden] = states.dims();
        let ignored = next.clone().equal_elem(pad);
        let labels = next.mask_fill(ignored, IGNORED_LABEL);
        (LabeledStates::new(states.reshape([n * (len - 1), hidden]), labels), projection)
    }

    #[track_caller]
    fn require_tokens(&self, tokens: &Tensor<2, Int>, vocabulary: usize) {
        let pad = self.config.pad_token_id;
        assert!(
            (pad as usize) < vocabulary,
            "DenoisingAutoEncoderLoss: `pad_token_id` must be below the vocabulary's {vocabulary}, \
             got {pad}"
        );
        // Reads from the device, so only where a debug build asks for it.
        if cfg!(debug_assertions)
            && let Err(error) = check_token_ids(tokens, vocabulary)
        {
            panic!("{error}");
        }
    }
}

impl<D: Decoder> DenoisingAutoEncoderLoss<D> {
    /// The loss of the batch, `[1]`.
    ///
    /// # Panics
    ///
    /// As [`forward_with`](Self::forward_with).
    #[track_caller]
    pub fn forward(&self, batch: impl Into<DenoisingBatch>) -> Tensor<1> {
        self.forward_with(&self.decoder, batch)
    }

    /// The loss of every token, `[n · (len − 1)]`.
    ///
    /// With gradients, the graph keeps the logits of all tokens; only [`forward`](Self::forward)
    /// does without.
    ///
    /// # Panics
    ///
    /// As [`forward_with`](Self::forward_with).
    #[track_caller]
    pub fn forward_no_reduction(&self, batch: impl Into<DenoisingBatch>) -> Tensor<1> {
        self.forward_no_reduction_with(&self.decoder, batch)
    }
}

impl<D: Decoder, B: Into<DenoisingBatch>> Criterion<B> for DenoisingAutoEncoderLoss<D> {
    #[track_caller]
    fn loss(&self, batch: B) -> Tensor<1> {
        self.forward(batch)
    }

    #[track_caller]
    fn unreduced(&self, batch: B) -> Option<Tensor<1>> {
        Some(self.forward_no_reduction(batch))
    }
}

#[cfg(test)]
mod fixed_weights;
#[cfg(test)]
mod tests;
