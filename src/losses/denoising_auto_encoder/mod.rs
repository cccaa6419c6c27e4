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
/// encoder's. It is any [`Decoder`]; [`BertDecoder`](crate::decoder::BertDecoder) comes with the
/// crate.
///
/// # Tying
///
/// A decoder may share its weights with the encoder (the default in sentence-transformers): less
/// memory, and better embeddings according to the paper. The loss then only owns what the encoder
/// has not, a [`BertDecoderExtension`](crate::decoder::BertDecoderExtension), and
/// [`forward_with`](Self::forward_with) is given the rest at each step:
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::DenoisingAutoEncoderLossConfig;
/// use burn_embedding_losses::decoder::BertConfig;
///
/// let device = Device::flex().autodiff();
/// let bert = BertConfig::new(10).with_hidden_size(4).with_num_attention_heads(2);
/// let encoder = bert.init(&device);
/// let loss = DenoisingAutoEncoderLossConfig::new(0).init(bert.init_extension(&device));
///
/// let damaged = Tensor::<2, Int>::from_ints([[1, 7, 2]], &device);
/// let original = Tensor::<2, Int>::from_ints([[1, 5, 7, 4, 2]], &device);
/// let padding = damaged.clone().equal_elem(0);
/// let first = encoder.forward(damaged, padding).slice([0..1, 0..1]).squeeze_dim(1);
///
/// let tied = loss.decoder.tied_to(&encoder);
/// let gradients = loss.forward_with(&tied, (first, original)).backward();
/// let words = encoder.embeddings.word_embeddings.weight.val();
/// assert!(words.grad(&gradients).is_some());
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
/// - Cross-attention has no query and no key: over a single vector they change nothing.
/// - Tokens are those of the decoder's tokenizer; nothing is tokenized again.
/// - Logits are never in memory all at once.
///
/// [`LossConfig`](crate::catalog::LossConfig) knows its name and options, but cannot build it: it
/// needs a decoder.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::DenoisingAutoEncoderLossConfig;
/// use burn_embedding_losses::decoder::BertConfig;
///
/// let device = Device::flex();
/// let bert = BertConfig::new(10).with_hidden_size(4).with_num_attention_heads(2);
/// let loss = DenoisingAutoEncoderLossConfig::new(0).init(bert.init_decoder(&device));
/// let embeddings = Tensor::<2>::from_floats([[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.5, 0.0]], &device);
/// let tokens = Tensor::<2, Int>::from_ints([[1, 5, 7, 4, 2], [1, 6, 2, 0, 0]], &device);
///
/// // The decoder has learnt nothing: each of 10 tokens is about as likely as the others.
/// let value = loss.forward((embeddings, tokens)).into_scalar::<f32>();
/// assert!((value - 10f32.ln()).abs() < 0.2);
/// ```
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
mod tests;
