//! The network of models with rotary positions: ModernBERT, NomicBERT, GTE, and the decoders Qwen,
//! Llama, Mistral and Gemma as encoders.
//!
//! There is one network. [`RotaryConfig`] says where the normalisations are, which tokens see each
//! other and what the matrices are; a file in `families` says it for each `model_type`. Another
//! family is a file there and a variant of [`Family`].

mod attention;
mod config;
mod families;
mod feed_forward;
mod fields;
mod frequencies;
mod layer;
mod norm;
mod positions;
mod reach;
mod shape;
mod sizes;

use burn::module::Module;
use burn::nn::Embedding;
use burn::tensor::{Bool, Device, Int, Tensor};

pub use attention::Attention;
pub use config::RotaryConfig;
pub use families::Family;
pub use feed_forward::FeedForward;
pub use layer::{Layer, Norms};
pub use norm::Norm;

use crate::dropout::Dropout;
use crate::transformer::{AfterLayer, embedding, require_padding};
use positions::Positions;
use reach::Kind;

/// Token ids to one vector for each token, in the light of the others.
///
/// It computes in the type of its parameters.
#[derive(Module, Debug)]
pub struct Rotary {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    norm: Option<Norm>,
    #[module(skip)]
    kinds: Vec<Kind>,
    /// For each layer, the index of its kind.
    kind_of: Vec<usize>,
    head_size: usize,
}

/// The vector of each token before the tokens see each other.
#[derive(Module, Debug)]
pub struct Embeddings {
    words: Embedding,
    token_types: Option<Embedding>,
    norm: Option<Norm>,
    dropout: Dropout,
    scale: f64,
}

impl Rotary {
    /// A network with new parameters, which are only drawn if they are used before others are
    /// loaded.
    pub(crate) fn new(config: &RotaryConfig, device: &Device) -> Self {
        let layers = config.kind_of.iter().enumerate();
        Self {
            embeddings: Embeddings::new(config, device),
            layers: layers.map(|(index, _)| Layer::new(config, index, device)).collect(),
            norm: config.places.at_the_end().then(|| config.norm(config.hidden_size, device)),
            kinds: config.kinds.clone(),
            kind_of: config.kind_of.clone(),
            head_size: config.heads.size,
        }
    }

    /// `[texts, tokens]` ids to a vector for each as it is alone, `[texts, tokens, hidden]`.
    pub fn token_vectors(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.embeddings.forward(ids)
    }

    /// Such vectors, and which of them are padding, to vectors in the light of each other;
    /// `after_layer` sees what each layer gives.
    ///
    /// # Panics
    ///
    /// If `padding` is not `[texts, tokens]`.
    #[track_caller]
    pub fn forward_with(
        &self,
        start: Tensor<3>,
        padding: Tensor<2, Bool>,
        after_layer: AfterLayer,
    ) -> Tensor<3> {
        let shape @ [texts, tokens, size] = start.dims();
        require_padding(&padding, [texts, tokens]);
        let positions = |kind: &Kind| Positions::new(kind, self.head_size, &start, &padding);
        let positions: Vec<_> = self.kinds.iter().map(positions).collect();
        // All tokens in one matrix: a product for each text would be a small one.
        let mut states = start.reshape([texts * tokens, size]);
        for (layer, &kind) in self.layers.iter().zip(&self.kind_of) {
            states = layer.forward(states, &positions[kind]);
            after_layer(&states);
        }
        let states = match &self.norm {
            Some(norm) => norm.forward(states),
            None => states,
        };
        states.reshape(shape)
    }
}

impl Embeddings {
    fn new(config: &RotaryConfig, device: &Device) -> Self {
        let table = |rows| embedding(rows, config.hidden_size, config.initializer_range, device);
        Self {
            words: table(config.vocab_size),
            token_types: (config.token_types > 0).then(|| table(config.token_types)),
            norm: config.embeddings_norm.then(|| config.norm(config.hidden_size, device)),
            dropout: Dropout::new(config.dropout.embeddings),
            scale: config.embeddings_scale,
        }
    }

    fn forward(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let mut vectors = self.words.forward(ids);
        if self.scale != 1.0 {
            vectors = vectors * self.scale;
        }
        if let Some(types) = &self.token_types {
            vectors = vectors + types.weight.val().slice(0..1).unsqueeze::<3>();
        }
        if let Some(norm) = &self.norm {
            vectors = norm.forward(vectors);
        }
        self.dropout.forward(vectors)
    }
}
