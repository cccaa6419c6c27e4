use core::fmt::Display;

use super::{Alias, BatchKind, LossConfig};
use crate::error::ConfigError;

/// A row of the catalog: facts about a loss that hold before it is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The name of the Python class; before it, the family of a loss for another model than a sentence
    /// encoder, since names repeat between them: `cross_encoder.MSELoss`.
    pub name: &'static str,
    /// The kind of model that the loss trains.
    pub model: ModelKind,
    /// Which batch it takes.
    pub takes: BatchKind,
    /// Whether it is one number for the whole batch, without terms per row.
    pub one_number: bool,
    /// The weights that it may own, by the name of their field; which of them it has depends on its
    /// options.
    pub weights: &'static [&'static str],
    /// The names of its options.
    pub options: &'static [&'static str],
}

impl Entry {
    /// The entry of the loss with this Python name, also that of an [`Alias`].
    ///
    /// # Errors
    ///
    /// If there is no such loss; the message lists all names.
    pub fn of(name: &str) -> Result<&'static Self, ConfigError> {
        static ENTRIES: [Entry; LossConfig::NAMES.len()] = LossConfig::ENTRIES;
        let loss = Alias::of(name).map_or(name, |alias| alias.loss);
        ENTRIES.iter().find(|entry| entry.name == loss).ok_or_else(|| {
            let aliases = LossConfig::ALIASES.map(|alias| alias.name);
            let names = [&LossConfig::NAMES[..], &aliases].concat().join(", ");
            ConfigError::new(format!("unknown loss `{name}`; known are {names}"))
        })
    }

    pub(super) fn named(name: &str) -> &'static Self {
        Self::of(name).expect("a name of the catalog")
    }

    /// The error for options that the loss called `name` cannot read.
    pub(super) fn refuse(name: &str, options: &[&str], error: &dyn Display) -> ConfigError {
        let error = error.to_string();
        // Where Python has options of its own, serde does not list ours.
        let unlisted = error.starts_with("unknown field") && !error.contains("expected");
        let options = options.join("`, `");
        let expected =
            if unlisted { format!(", expected one of `{options}`") } else { String::new() };
        ConfigError::new(format!("{name}: {error}{expected}"))
    }

    /// Whether the loss compares each row with all others, a block of rows at a time within a memory
    /// budget.
    pub fn is_in_batch(&self) -> bool {
        self.has_option("memory_budget")
    }

    /// Whether the loss is built around a decoder, so that [`LossConfig::init`] cannot build it.
    pub fn needs_decoder(&self) -> bool {
        self.weights.contains(&"decoder")
    }

    /// Whether it is a loss around another, which the option `loss` configures.
    pub fn is_wrapper(&self) -> bool {
        self.has_option("loss")
    }

    /// Whether the loss may own a linear layer on the embeddings; it then takes the option
    /// `embedding_dimension`, which Python asks the model for.
    pub fn has_linear_layer(&self) -> bool {
        ["classifier", "projection"].iter().any(|layer| self.weights.contains(layer))
    }

    /// Whether the loss has an option of this name (ours, not Python's).
    pub fn has_option(&self, name: &str) -> bool {
        self.options.contains(&name)
    }
}

/// The kind of model that a loss trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModelKind {
    /// One embedding per text.
    SentenceEncoder,
    /// A reranker: scores of two texts that it reads together.
    CrossEncoder,
    /// One embedding per text, with a dimension for each word of a vocabulary.
    SparseEncoder,
    /// One embedding per token of a text.
    MultiVectorEncoder,
}

impl ModelKind {
    /// The name of the kind in front of a loss's [name](Entry::name), with a dot; empty for sentence
    /// encoders.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::SentenceEncoder => "",
            Self::CrossEncoder => "cross_encoder.",
            Self::SparseEncoder => "sparse_encoder.",
            Self::MultiVectorEncoder => "multi_vector_encoder.",
        }
    }
}
