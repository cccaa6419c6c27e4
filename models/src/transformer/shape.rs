//! What opening and saving a model asks of a [`TransformerConfig`].

use super::{Family, TransformerConfig};
use crate::directory::TokenizerClass;
use crate::shape::{Names, Shape};

impl Shape for TransformerConfig {
    fn hidden_size(&self) -> usize {
        self.hidden_size
    }

    fn layers(&self) -> usize {
        let shared = self.family == Family::Albert;
        self.num_hidden_layers * if shared { self.inner_group_num } else { 1 }
    }

    fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    fn token_types(&self) -> usize {
        if self.family.has_token_types() { self.type_vocab_size } else { 0 }
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

    fn tokenizer_gives_types(&self) -> bool {
        matches!(self.family, Family::Bert | Family::Electra)
    }

    fn tokenizer_class(&self) -> Option<TokenizerClass> {
        match self.family {
            Family::Albert => Some(TokenizerClass::Albert),
            Family::Roberta => Some(TokenizerClass::Roberta),
            _ => None,
        }
    }

    fn set_dropout(&mut self, dropout: f64) {
        self.hidden_dropout_prob = dropout;
        self.attention_probs_dropout_prob = dropout;
    }

    fn lora_targets(&self) -> &'static [&'static str] {
        match self.family {
            Family::Bert | Family::Roberta | Family::Electra => &["query", "value"],
            Family::Mpnet | Family::Distilbert | Family::Albert => &[],
        }
    }

    fn names(&self) -> Names {
        self.family.names()
    }
}
