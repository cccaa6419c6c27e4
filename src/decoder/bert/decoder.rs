use burn::prelude::*;

use super::attention::BertCrossAttention;
use super::config::BertConfig;
use super::encoder::{Bert, padding_and_future_hidden};
use super::head::BertLmHead;
use crate::decoder::{Decoder, OutputProjection};
use crate::numeric::accumulate;

/// What a decoder has beyond an encoder: attention to the sentence embedding in each layer, and a
/// head that predicts tokens.
#[derive(Module, Debug)]
pub struct BertDecoderExtension {
    /// Attention to the sentence embedding, one for each layer.
    pub cross_attentions: Vec<BertCrossAttention>,
    /// From the last hidden states to those that logits are made of.
    pub head: BertLmHead,
}

impl BertDecoderExtension {
    pub(super) fn new(config: &BertConfig, device: &Device) -> Self {
        let layers = 0..config.num_hidden_layers;
        Self {
            cross_attentions: layers.map(|_| BertCrossAttention::new(config, device)).collect(),
            head: BertLmHead::new(config, device),
        }
    }

    /// A decoder that uses the weights of an encoder as they are now; nothing is copied, and its
    /// gradients are the encoder's.
    ///
    /// # Panics
    ///
    /// If the two differ in hidden size, vocabulary or number of layers.
    #[track_caller]
    pub fn tied_to<'a>(&'a self, bert: &'a Bert) -> TiedBertDecoder<'a> {
        let sizes = [self.head.bias.dims()[0], self.head.dense.weight.dims()[0]];
        let words = bert.embeddings.word_embeddings.weight.dims();
        assert!(
            words == sizes,
            "BertDecoderExtension: `bert` must have word embeddings of shape {sizes:?}, got \
             {words:?}"
        );
        let (layers, got) = (self.cross_attentions.len(), bert.layers.len());
        assert!(got == layers, "BertDecoderExtension: `bert` must have {layers} layers, got {got}");
        TiedBertDecoder { bert, extension: self }
    }
}

/// BERT as a decoder with weights of its own: Hugging Face's `BertLMHeadModel` with `is_decoder`
/// and `add_cross_attention`.
#[derive(Module, Debug)]
pub struct BertDecoder {
    /// What an encoder has as well.
    pub bert: Bert,
    /// What only a decoder has.
    pub extension: BertDecoderExtension,
}

impl Decoder for BertDecoder {
    #[track_caller]
    fn hidden_states(
        &self,
        tokens: Tensor<2, Int>,
        padding: Tensor<2, Bool>,
        memory: Tensor<2>,
    ) -> Tensor<3> {
        self.extension.tied_to(&self.bert).hidden_states(tokens, padding, memory)
    }

    fn projection(&self) -> OutputProjection {
        self.extension.tied_to(&self.bert).projection()
    }
}

/// A decoder that borrows the weights of an encoder; see [`BertDecoderExtension::tied_to`].
#[derive(Debug, Clone, Copy)]
pub struct TiedBertDecoder<'a> {
    bert: &'a Bert,
    extension: &'a BertDecoderExtension,
}

impl Decoder for TiedBertDecoder<'_> {
    /// # Panics
    ///
    /// If the three inputs do not fit together, `memory` is not as wide as the hidden states, or a
    /// sentence is longer than the model allows.
    #[track_caller]
    fn hidden_states(
        &self,
        tokens: Tensor<2, Int>,
        padding: Tensor<2, Bool>,
        memory: Tensor<2>,
    ) -> Tensor<3> {
        let expected = [tokens.dims()[0], self.extension.head.dense.weight.dims()[0]];
        let got = memory.dims();
        assert!(got == expected, "BertDecoder: `memory` must have shape {expected:?}, got {got:?}");
        let memory = accumulate(memory);
        let hidden_from = padding_and_future_hidden(&tokens, padding);
        let states = self.bert.run(tokens, hidden_from, memory.dtype(), |i, x| {
            self.extension.cross_attentions[i].forward(x, memory.clone())
        });
        self.extension.head.forward(states)
    }

    fn projection(&self) -> OutputProjection {
        OutputProjection::new(
            self.bert.embeddings.word_embeddings.weight.val(),
            Some(self.extension.head.bias.val()),
        )
    }
}
