//! The shape of a table of vectors.

use crate::shape::{Layers, Names, Shape};

/// The shape of a [`StaticEmbedding`](super::StaticEmbedding).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaticConfig {
    /// The number of token ids.
    pub tokens: usize,
    /// The size of a token's vector.
    pub dimension: usize,
}

impl Shape for StaticConfig {
    fn hidden_size(&self) -> usize {
        self.dimension
    }

    fn layers(&self) -> usize {
        0
    }

    fn vocab_size(&self) -> usize {
        self.tokens
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
        true
    }

    /// There is none.
    fn set_dropout(&mut self, _dropout: f64) {}

    fn names(&self) -> Names {
        Names { prefix: "model", outside: &[], layers: Layers { list: ("", ""), parts: &[] } }
    }
}
