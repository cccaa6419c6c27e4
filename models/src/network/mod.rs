//! The networks that can be read: one for each kind of architecture, chosen by `model_type`.
//!
//! A new kind of network is a module beside `transformer`, with a [`Shape`](crate::shape::Shape) and a
//! network; a variant of [`NetworkConfig`] and of [`Network`]; and a row for each `model_type` in
//! `config.rs`.

mod config;

use burn::module::Module;
use burn::tensor::{Bool, Int, Tensor};

pub use config::NetworkConfig;

use crate::deberta::Deberta;
use crate::rotary::Rotary;
use crate::static_embedding::StaticEmbedding;
use crate::t5::T5;
use crate::transformer::{AfterLayer, Transformer};

/// Token ids to one vector for each token, in the light of the others.
#[derive(Module, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "a program has a few networks, each with large parameters"
)]
pub enum Network {
    /// BERT and its like.
    Bert(Transformer),
    /// DeBERTa, versions 2 and 3.
    Deberta(Deberta),
    /// The encoder of T5 and its like.
    T5(T5),
    /// ModernBERT, NomicBERT, GTE and decoders: networks with rotary positions.
    Rotary(Rotary),
    /// A table with a vector for each token, and nothing else.
    Static(StaticEmbedding),
}

impl Network {
    /// `[texts, tokens]` ids to a vector for each as it is alone, `[texts, tokens, hidden]`.
    ///
    /// # Panics
    ///
    /// If a text has more tokens than there are positions.
    #[track_caller]
    pub fn token_vectors(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        match self {
            Self::Bert(network) => network.token_vectors(ids),
            Self::Deberta(network) => network.token_vectors(ids),
            Self::T5(network) => network.token_vectors(ids),
            Self::Rotary(network) => network.token_vectors(ids),
            Self::Static(table) => table.token_vectors(ids),
        }
    }

    /// [`token_vectors`](Self::token_vectors) of text pairs: `second`, `[texts, tokens]`, is 1 for the
    /// tokens of the second text and 0 for others.
    #[track_caller]
    pub(crate) fn pair_vectors(&self, ids: Tensor<2, Int>, second: Tensor<2, Int>) -> Tensor<3> {
        match self {
            Self::Bert(network) => network.typed_vectors(ids, second),
            Self::Deberta(network) => network.typed_vectors(ids, second),
            // They have no types of tokens.
            Self::T5(_) | Self::Rotary(_) | Self::Static(_) => self.token_vectors(ids),
        }
    }

    /// Such vectors, and which of them are padding, to vectors in the light of each other.
    ///
    /// # Panics
    ///
    /// If `padding` is not `[texts, tokens]`.
    #[track_caller]
    pub fn forward(&self, start: Tensor<3>, padding: Tensor<2, Bool>) -> Tensor<3> {
        self.forward_with(start, padding, &mut |_| {})
    }

    /// The vectors before the first layer and after each layer, as `hidden_states` of transformers:
    /// the last are those of [`forward`](Self::forward).
    ///
    /// # Panics
    ///
    /// If `padding` is not `[texts, tokens]`.
    #[track_caller]
    pub fn all_layers(&self, start: Tensor<3>, padding: Tensor<2, Bool>) -> Vec<Tensor<3>> {
        let shape = start.dims();
        let mut layers = vec![start.clone()];
        let mut keep = |states: &Tensor<2>| layers.push(states.clone().reshape(shape));
        let end = self.forward_with(start, padding, &mut keep);
        // What follows the last layer, such as a normalisation, belongs to it.
        layers.truncate(layers.len().saturating_sub(1).max(1));
        layers.push(end);
        layers
    }

    fn forward_with(
        &self,
        start: Tensor<3>,
        padding: Tensor<2, Bool>,
        after_layer: AfterLayer,
    ) -> Tensor<3> {
        match self {
            Self::Bert(network) => network.forward_with(start, padding, after_layer),
            Self::Deberta(network) => network.forward_with(start, padding, after_layer),
            Self::T5(network) => network.forward_with(start, padding, after_layer),
            Self::Rotary(network) => network.forward_with(start, padding, after_layer),
            Self::Static(_) => start,
        }
    }
}
