//! The transformer as a decoder, which writes a text again from its embedding: for
//! [`DenoisingAutoEncoderLoss`](burn_embedding_losses::DenoisingAutoEncoderLoss).

mod cross_attention;
mod head;
mod tied;

use burn::module::Module;
use burn::tensor::{Bool, Device, Int, Tensor};
use burn_embedding_losses::decoder::{Decoder, OutputProjection};

pub use cross_attention::{CrossAttention, Residual};
pub use head::LanguageModelHead;
pub use tied::TiedDecoder;

use crate::transformer::{Transformer, TransformerConfig};

/// The parts that a decoder has beyond an encoder: attention to the embedding of the text in each layer, and
/// a head that predicts tokens.
///
/// # Example
///
/// DenoisingAutoEncoderLoss with a decoder that shares the encoder's layers:
///
/// ```
/// use burn::tensor::{Device, Int, Tensor};
/// use burn_embedding_losses::DenoisingAutoEncoderLossConfig;
/// use burn_embedding_models::TransformerConfig;
///
/// let device = Device::flex().autodiff();
/// let config = TransformerConfig {
///     hidden_size: 4,
///     num_attention_heads: 2,
///     num_hidden_layers: 1,
///     ..TransformerConfig::bert(10)
/// };
/// let encoder = config.init(&device);
/// let loss = DenoisingAutoEncoderLossConfig::new(0).init(config.init_extension(&device));
///
/// let damaged = Tensor::<2, Int>::from_ints([[1, 7, 2]], &device);
/// let original = Tensor::<2, Int>::from_ints([[1, 5, 7, 4, 2]], &device);
/// let padding = damaged.clone().equal_elem(0);
/// let states = encoder.forward(encoder.token_vectors(damaged), padding);
/// let first = states.slice([0..1, 0..1]).squeeze_dim(1);
///
/// let tied = loss.decoder.tied_to(&encoder);
/// let gradients = loss.forward_with(&tied, (first, original)).backward();
/// assert!(encoder.word_embeddings().grad(&gradients).is_some());
/// ```
#[derive(Module, Debug)]
pub struct DecoderExtension {
    /// Attention to the embedding of the text, one for each layer.
    pub cross_attentions: Vec<CrossAttention>,
    /// From the last states to those that logits are made of.
    pub head: LanguageModelHead,
}

impl TransformerConfig {
    /// The parts that a decoder has beyond an encoder of this shape, with new parameters.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init_extension(&self, device: &Device) -> DecoderExtension {
        self.expect_valid();
        let layers = 0..self.num_hidden_layers;
        DecoderExtension {
            cross_attentions: layers.map(|_| CrossAttention::new(self, device)).collect(),
            head: LanguageModelHead::new(self, device),
        }
    }

    /// A decoder of this shape with new parameters of its own.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init_decoder(&self, device: &Device) -> TransformerDecoder {
        TransformerDecoder {
            transformer: self.init(device),
            extension: self.init_extension(device),
        }
    }
}

impl DecoderExtension {
    /// A decoder that uses the weights of an encoder as they are now. Nothing is copied, and
    /// gradients of the shared weights go to the encoder.
    ///
    /// # Panics
    ///
    /// If the two differ in hidden size, vocabulary or number of layers.
    #[track_caller]
    pub fn tied_to<'a>(&'a self, transformer: &'a Transformer) -> TiedDecoder<'a> {
        let expected = [self.head.bias.dims()[0], self.head.dense.weight.dims()[0]];
        let got = transformer.word_embeddings().dims();
        assert!(
            got == expected,
            "DecoderExtension: `transformer` must have word embeddings of shape {expected:?}, got \
             {got:?}"
        );
        let (layers, got) = (self.cross_attentions.len(), transformer.depth());
        assert!(
            got == layers,
            "DecoderExtension: `transformer` must have {layers} layers, got {got}"
        );
        TiedDecoder { transformer, extension: self }
    }
}

/// A decoder with weights of its own: Hugging Face's `BertLMHeadModel` with `is_decoder` and
/// `add_cross_attention`.
#[derive(Module, Debug)]
pub struct TransformerDecoder {
    /// The layers that an encoder has as well.
    pub transformer: Transformer,
    /// The parts that only a decoder has.
    pub extension: DecoderExtension,
}

impl Decoder for TransformerDecoder {
    #[track_caller]
    fn hidden_states(
        &self,
        tokens: Tensor<2, Int>,
        padding: Tensor<2, Bool>,
        memory: Tensor<2>,
    ) -> Tensor<3> {
        self.extension.tied_to(&self.transformer).hidden_states(tokens, padding, memory)
    }

    fn projection(&self) -> OutputProjection {
        self.extension.tied_to(&self.transformer).projection()
    }
}

#[cfg(test)]
mod tests;
