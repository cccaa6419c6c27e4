//! What opening and saving a model asks of a [`TransformerConfig`].

use super::{Family, TransformerConfig};
use crate::directory::UnigramClass;
use crate::shape::{Names, Shape};

impl Shape for TransformerConfig {
    fn hidden_size(&self) -> usize {
        self.hidden_size
    }

    fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    fn max_tokens(&self) -> Option<usize> {
        Some(self.max_tokens())
    }

    fn positions_count_padding(&self) -> bool {
        self.family.counts_padding()
    }

    fn bert_normalizer(&self) -> bool {
        !matches!(self.family, Family::Roberta | Family::Albert)
    }

    fn unigram_class(&self) -> Option<UnigramClass> {
        match self.family {
            Family::Albert => Some(UnigramClass::Albert),
            Family::Roberta => Some(UnigramClass::XlmRoberta),
            _ => None,
        }
    }

    fn set_dropout(&mut self, dropout: f64) {
        self.hidden_dropout_prob = dropout;
        self.attention_probs_dropout_prob = dropout;
    }

    fn names(&self) -> Names {
        self.family.names()
    }
}
