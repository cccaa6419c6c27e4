//! What differs from one family to another: fields of `config.json`, and names of parameters.

mod decoders;
mod gemma;
mod gte;
mod modernbert;
mod names;
mod nomic;

use super::RotaryConfig;
use super::fields::Fields;
use super::sizes::Dropouts;
use crate::directory::TokenizerClass;

/// The families of models with rotary positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// ModernBERT: an encoder with layers that see all of a text, and others that see a window.
    ModernBert,
    /// NomicBERT: BERT with rotary positions and a gate.
    NomicBert,
    /// GTE's new encoder: BERT with rotary positions and a gate.
    Gte,
    /// Qwen 2.
    Qwen2,
    /// Qwen 3: queries and keys are normalised.
    Qwen3,
    /// Llama.
    Llama,
    /// Mistral.
    Mistral,
    /// Gemma.
    Gemma,
    /// Gemma 2: normalisations after each half of a layer too, and bounded scores.
    Gemma2,
    /// Gemma 3 and EmbeddingGemma, for texts alone.
    Gemma3,
}

impl Family {
    pub(super) fn read(self, fields: &Fields) -> Result<RotaryConfig, String> {
        match self {
            Self::ModernBert => modernbert::read(fields),
            Self::NomicBert => nomic::read(fields),
            Self::Gte => gte::read(fields),
            Self::Qwen2 => decoders::qwen2(fields),
            Self::Qwen3 => decoders::qwen3(fields),
            Self::Llama => decoders::llama(fields),
            Self::Mistral => decoders::mistral(fields),
            Self::Gemma => gemma::gemma(fields),
            Self::Gemma2 => gemma::gemma2(fields),
            Self::Gemma3 => gemma::gemma3(fields),
        }
    }

    /// The places where the family drops numbers out.
    pub(super) fn dropouts(self, hidden: f64, weights: f64) -> Dropouts {
        let none = Dropouts { weights, ..Dropouts::default() };
        let hidden_states = Dropouts {
            embeddings: hidden,
            weights,
            attention: hidden,
            inner: 0.0,
            feed_forward: hidden,
        };
        match self {
            Self::NomicBert => hidden_states,
            Self::Gte => Dropouts { inner: hidden, ..hidden_states },
            Self::ModernBert => Dropouts { inner: hidden, feed_forward: 0.0, ..hidden_states },
            _ => none,
        }
    }

    /// Whether transformers' tokenizer for this family builds the normalizer of BERT.
    pub(super) fn bert_normalizer(self) -> bool {
        self == Self::NomicBert
    }

    /// Whether transformers takes tokenizer.json as it is, whatever class is named.
    pub(super) fn keeps_tokenizer(self) -> bool {
        matches!(self, Self::ModernBert | Self::Mistral)
    }

    /// The class of transformers' tokenizer for this family, if it builds what is around the vocabulary
    /// itself.
    pub(super) fn tokenizer_class(self) -> Option<TokenizerClass> {
        match self {
            Self::Gte => Some(TokenizerClass::XlmRoberta),
            Self::Qwen2 | Self::Qwen3 => Some(TokenizerClass::Qwen2),
            Self::Gemma | Self::Gemma2 | Self::Gemma3 => Some(TokenizerClass::Gemma),
            _ => None,
        }
    }
}
