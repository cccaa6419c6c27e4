//! What opening and saving a model asks of a [`DebertaConfig`].

use super::DebertaConfig;
use crate::directory::TokenizerClass;
use crate::shape::{Layers, Names, Shape};

/// Names of parameters: here, in a file.
const OUTSIDE: &[(&str, &str)] = &[
    ("embeddings.words", "embeddings.word_embeddings"),
    ("embeddings.positions", "embeddings.position_embeddings"),
    ("embeddings.token_types", "embeddings.token_type_embeddings"),
    ("embeddings.projection", "embeddings.embed_proj"),
    ("embeddings.norm", "embeddings.LayerNorm"),
    ("relative", "encoder.rel_embeddings"),
    ("relative_norm", "encoder.LayerNorm"),
    ("convolution.convolution", "encoder.conv.conv"),
    ("convolution.norm", "encoder.conv.LayerNorm"),
];

const PARTS: &[(&str, &str)] = &[
    ("attention.query", "attention.self.query_proj"),
    ("attention.key", "attention.self.key_proj"),
    ("attention.value", "attention.self.value_proj"),
    ("attention.position_key", "attention.self.pos_key_proj"),
    ("attention.position_query", "attention.self.pos_query_proj"),
    ("attention.output", "attention.output.dense"),
    ("attention_norm", "attention.output.LayerNorm"),
    ("feed_forward.intermediate", "intermediate.dense"),
    ("feed_forward.output", "output.dense"),
    ("feed_forward.norm", "output.LayerNorm"),
];

impl Shape for DebertaConfig {
    fn hidden_size(&self) -> usize {
        self.bert.hidden_size
    }

    fn layers(&self) -> usize {
        self.bert.num_hidden_layers
    }

    fn vocab_size(&self) -> usize {
        self.bert.vocab_size
    }

    fn token_types(&self) -> usize {
        self.token_types
    }

    fn max_tokens(&self) -> Option<usize> {
        self.position_biased_input.then_some(self.bert.max_position_embeddings)
    }

    fn usual_tokens(&self) -> Option<usize> {
        Some(self.bert.max_position_embeddings)
    }

    fn positions_count_padding(&self) -> bool {
        self.position_biased_input
    }

    fn bert_normalizer(&self) -> bool {
        false
    }

    fn tokenizer_gives_types(&self) -> bool {
        true
    }

    fn tokenizer_class(&self) -> Option<TokenizerClass> {
        Some(TokenizerClass::Deberta)
    }

    fn set_dropout(&mut self, dropout: f64) {
        self.bert.set_dropout(dropout);
    }

    fn lora_targets(&self) -> &'static [&'static str] {
        &["query_proj", "value_proj"]
    }

    fn names(&self) -> Names {
        let layers = Layers { list: ("layers", "encoder.layer"), parts: PARTS };
        Names { prefix: "deberta", outside: OUTSIDE, layers }
    }
}
