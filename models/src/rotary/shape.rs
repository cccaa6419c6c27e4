//! What opening and saving a model asks of a [`RotaryConfig`].

use super::{Family, RotaryConfig};
use crate::directory::TokenizerClass;
use crate::shape::{Names, Shape};

impl Shape for RotaryConfig {
    fn hidden_size(&self) -> usize {
        self.hidden_size
    }

    fn layers(&self) -> usize {
        self.kind_of.len()
    }

    fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    fn max_tokens(&self) -> Option<usize> {
        None
    }

    fn usual_tokens(&self) -> Option<usize> {
        Some(self.max_positions)
    }

    fn positions_count_padding(&self) -> bool {
        false
    }

    fn bert_normalizer(&self) -> bool {
        self.family.bert_normalizer()
    }

    fn keeps_tokenizer(&self) -> bool {
        self.family.keeps_tokenizer()
    }

    fn tokenizer_class(&self) -> Option<TokenizerClass> {
        self.family.tokenizer_class()
    }

    fn insists_on_class(&self) -> bool {
        self.family == Family::Qwen2
    }

    fn set_dropout(&mut self, dropout: f64) {
        self.dropout = self.family.dropouts(dropout, dropout);
    }

    fn lora_targets(&self) -> &'static [&'static str] {
        match self.family {
            Family::ModernBert | Family::NomicBert | Family::Gte => &[],
            _ => &["q_proj", "v_proj"],
        }
    }

    /// transformers takes the fused layers of these files apart.
    fn layers_as_in_file(&self) -> bool {
        !matches!(self.family, Family::NomicBert | Family::Gte)
    }

    fn names(&self) -> Names {
        self.family.names()
    }
}
