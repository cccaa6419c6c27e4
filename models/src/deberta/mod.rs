//! DeBERTa, versions 2 and 3: attention also compares what tokens say with how far apart they are.

mod attention;
mod config;
mod convolution;
mod distances;
mod embeddings;
mod layer;
mod shape;

use burn::module::Module;
use burn::nn::Embedding;
use burn::tensor::{Bool, Device, Int, Tensor};

pub use attention::DisentangledAttention;
pub use config::DebertaConfig;
pub use convolution::Convolution;
pub use embeddings::Embeddings;
pub use layer::Layer;

use crate::transformer::{AfterLayer, LayerNorm, mask_bias, require_padding};
use attention::Relative;
use distances::Distances;

/// Token ids to one vector for each token, in the light of the others.
#[derive(Module, Debug)]
pub struct Deberta {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    /// A vector for each distance of two tokens.
    relative: Option<Embedding>,
    relative_norm: Option<LayerNorm>,
    convolution: Option<Convolution>,
    #[module(skip)]
    distances: Distances,
}

impl Deberta {
    /// A network with new parameters, which are only drawn if they are used before others are
    /// loaded.
    pub(crate) fn new(config: &DebertaConfig, device: &Device) -> Self {
        let (bert, distances) = (&config.bert, config.distances());
        let table = || bert.embedding(2 * distances.span, bert.hidden_size, device);
        Self {
            embeddings: Embeddings::new(config, device),
            layers: (0..bert.num_hidden_layers).map(|_| Layer::new(config, device)).collect(),
            relative: config.relative_attention.then(table),
            relative_norm: config.normalizes_distances().then(|| bert.layer_norm(device)),
            convolution: (config.conv_kernel_size > 0).then(|| Convolution::new(config, device)),
            distances,
        }
    }

    /// `[texts, tokens]` ids to a vector for each as it is alone, `[texts, tokens, hidden]`.
    ///
    /// # Panics
    ///
    /// If a text has more tokens than there are positions, and positions have vectors.
    #[track_caller]
    pub fn token_vectors(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.embeddings.forward(ids, None)
    }

    /// The same for tokens of these types, `[texts, tokens]`.
    #[track_caller]
    pub(crate) fn typed_vectors(&self, ids: Tensor<2, Int>, types: Tensor<2, Int>) -> Tensor<3> {
        self.embeddings.forward(ids, Some(types))
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
        let [texts, tokens, size] = start.dims();
        require_padding(&padding, [texts, tokens]);
        let mask = mask_bias(padding.clone().reshape([texts, 1, 1, tokens]), start.dtype());
        let relative = self.relative(tokens, &start.device());
        let mut states = start.clone().reshape([texts * tokens, size]);
        for (index, layer) in self.layers.iter().enumerate() {
            states = layer.forward(states, mask.clone(), relative.as_ref());
            if let (0, Some(convolution)) = (index, &self.convolution) {
                states = convolution.forward(start.clone(), states, padding.clone());
            }
            after_layer(&states);
        }
        states.reshape([texts, tokens, size])
    }

    /// The vectors of the distances in a text with so many tokens.
    fn relative(&self, tokens: usize, device: &Device) -> Option<Relative> {
        let table = self.relative.as_ref()?.weight.val();
        let (rows, places) = self.distances.of_text(tokens, device);
        let first = rows.start;
        let vectors = table.slice(rows);
        let vectors = match &self.relative_norm {
            Some(norm) => norm.forward(vectors),
            None => vectors,
        };
        Some(Relative { vectors, first, places })
    }
}
