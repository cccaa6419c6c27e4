//! What the rest of this crate asks of a network's configuration.

mod names;

use crate::directory::TokenizerClass;

pub use names::{Layers, Names};

/// The configuration of a network, as far as opening and saving a model needs it.
pub trait Shape {
    /// The size of a token's vector.
    fn hidden_size(&self) -> usize;

    /// The number of layers that a text goes through.
    fn layers(&self) -> usize;

    /// The number of token ids.
    fn vocab_size(&self) -> usize;

    /// The number of types that tokens may be of, such as those of the first and of the second text of a
    /// pair; 0 if the network knows no types.
    fn token_types(&self) -> usize {
        0
    }

    /// The longest text that the network takes, in tokens; `None` if any length will do.
    fn max_tokens(&self) -> Option<usize>;

    /// Whether padding before a text would change its embedding, because positions are absolute.
    fn positions_count_padding(&self) -> bool;

    /// Whether transformers' tokenizer for this `model_type` builds the normalizer of BERT.
    fn bert_normalizer(&self) -> bool;

    /// Whether transformers takes tokenizer.json as it is for this `model_type`, whatever class
    /// tokenizer_config.json names.
    fn keeps_tokenizer(&self) -> bool {
        false
    }

    /// The class of transformers' tokenizer for this `model_type`, if it takes only the vocabulary of
    /// tokenizer.json.
    fn tokenizer_class(&self) -> Option<TokenizerClass> {
        None
    }

    /// Whether transformers takes that class whatever class tokenizer_config.json names.
    fn insists_on_class(&self) -> bool {
        false
    }

    /// Whether transformers' tokenizer for this `model_type` gives the types of tokens.
    fn tokenizer_gives_types(&self) -> bool {
        false
    }

    /// Sets the dropout of hidden states and attention weights while training.
    fn set_dropout(&mut self, dropout: f64);

    /// The names of the parameters in a file.
    fn names(&self) -> Names;

    /// The linear layers that `peft` adapts in such a network if none are named, by the ends of their
    /// names in a file; none if `peft` has no rule for it.
    fn lora_targets(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether `transformers` has the linear layers that the file has, under the same names, so that an
    /// adapter fits both.
    fn layers_as_in_file(&self) -> bool {
        true
    }

    /// The longest text where no other file names a limit, in tokens.
    fn usual_tokens(&self) -> Option<usize> {
        self.max_tokens()
    }

    /// A parameter, by its name in this crate, and another name that some files have it under, which
    /// goes before its own.
    fn other_name(&self) -> Option<(&'static str, &'static str)> {
        None
    }
}
