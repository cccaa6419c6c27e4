//! What opening and saving a model asks of a [`T5Config`].

use super::{T5Config, Variant};
use crate::directory::TokenizerClass;
use crate::shape::{Layers, Names, Shape};

/// Names of parameters: here, in a file.
const OUTSIDE: &[(&str, &str)] = &[("words", "shared"), ("norm", "encoder.final_layer_norm")];

const PARTS: &[(&str, &str)] = &[
    ("attention.query", "layer.0.SelfAttention.q"),
    ("attention.key", "layer.0.SelfAttention.k"),
    ("attention.value", "layer.0.SelfAttention.v"),
    ("attention.output", "layer.0.SelfAttention.o"),
    ("attention.relative_bias", "layer.0.SelfAttention.relative_attention_bias"),
    ("attention_norm", "layer.0.layer_norm"),
    ("feed_forward.wide.activated", "layer.1.DenseReluDense.wi_0"),
    ("feed_forward.wide.factor", "layer.1.DenseReluDense.wi_1"),
    ("feed_forward.wide", "layer.1.DenseReluDense.wi"),
    ("feed_forward.output", "layer.1.DenseReluDense.wo"),
    ("feed_forward_norm", "layer.1.layer_norm"),
];

impl Shape for T5Config {
    fn hidden_size(&self) -> usize {
        self.d_model
    }

    fn layers(&self) -> usize {
        self.num_layers
    }

    fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    fn max_tokens(&self) -> Option<usize> {
        None
    }

    fn positions_count_padding(&self) -> bool {
        false
    }

    fn bert_normalizer(&self) -> bool {
        false
    }

    fn keeps_tokenizer(&self) -> bool {
        self.variant == Variant::Umt5
    }

    fn tokenizer_class(&self) -> Option<TokenizerClass> {
        Some(TokenizerClass::T5)
    }

    fn set_dropout(&mut self, dropout: f64) {
        self.dropout_rate = dropout;
    }

    fn lora_targets(&self) -> &'static [&'static str] {
        match self.variant {
            Variant::T5 | Variant::Mt5 => &["q", "v"],
            Variant::Umt5 => &[],
        }
    }

    fn names(&self) -> Names {
        let layers = Layers { list: ("layers", "encoder.block"), parts: PARTS };
        Names { prefix: "transformer", outside: OUTSIDE, layers }
    }

    fn other_name(&self) -> Option<(&'static str, &'static str)> {
        Some(("words.weight", "encoder.embed_tokens.weight"))
    }
}
