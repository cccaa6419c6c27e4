//! A network and the modules after it: from token ids to one embedding for each text.

use burn::module::Module;
use burn::tensor::{Bool, Device, Int, Tensor};

use super::TextEncoder;
use crate::lora::LoraConfig;
use crate::modules::{Features, Part, Pooling, PoolingMode, Sizes, Vectors};
use crate::network::{Network, NetworkConfig};
use crate::transformer::{Transformer, TransformerConfig};

/// A network, and the modules that make one embedding of its vectors.
#[derive(Module, Debug)]
pub struct SentenceEncoder {
    /// From token ids to vectors.
    pub network: Network,
    /// The modules after it.
    pub parts: Vec<Part>,
    dimension: usize,
    shows_layers: bool,
    #[module(skip)]
    pub(super) config: NetworkConfig,
    #[module(skip)]
    pub(super) lora: Option<LoraConfig>,
}

impl SentenceEncoder {
    /// Puts the parts together; `shows_layers` lets modules see every layer of the network, as
    /// `output_hidden_states` of transformers does.
    ///
    /// # Panics
    ///
    /// If they do not fit together, or give no embedding of a text.
    #[track_caller]
    pub fn new(
        network: Network,
        config: NetworkConfig,
        parts: Vec<Part>,
        shows_layers: bool,
    ) -> Self {
        let before = Self::sizes_before(&config, shows_layers);
        let sizes = parts.iter().try_fold(before, |sizes, part| part.sizes(sizes));
        let dimension = match sizes {
            Ok(Sizes { texts: Some(size), .. }) => size,
            Ok(_) => panic!("SentenceEncoder: `parts` must hold a pooling, got none"),
            Err(reason) => panic!("SentenceEncoder: `parts` must fit together: {reason}"),
        };
        Self { network, parts, dimension, shows_layers, config, lora: None }
    }

    /// The sizes of what such a network gives to the modules after it.
    pub fn sizes_before(config: &NetworkConfig, shows_layers: bool) -> Sizes {
        let size = config.shape().hidden_size();
        match config {
            NetworkConfig::Static(_) => Sizes { tokens: None, layers: 0, texts: Some(size) },
            _ => {
                let layers = if shows_layers { config.shape().layers() + 1 } else { 0 };
                Sizes { tokens: Some(size), layers, texts: None }
            }
        }
    }

    /// The size of an embedding.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Whether a pooling leaves out the tokens of a prompt.
    pub fn leaves_out_prompts(&self) -> bool {
        let leaves_out = |part: &Part| matches!(part, Part::Pooling(it) if !it.include_prompt);
        self.parts.iter().any(leaves_out)
    }

    /// The same encoder for texts whose first `tokens` tokens are a prompt.
    pub(crate) fn after_prompt(&self, tokens: usize) -> Self {
        let part = |part: &Part| match part {
            Part::Pooling(pooling) => Part::Pooling(pooling.after_prompt(tokens)),
            other => other.clone(),
        };
        Self { parts: self.parts.iter().map(part).collect(), ..self.clone() }
    }

    fn texts(&self, features: Features) -> Tensor<2> {
        let features = self.parts.iter().fold(features, |features, part| part.forward(features));
        features.texts.expect("the sizes say that the modules give a vector for each text")
    }

    fn needs_layers(&self) -> bool {
        let pools = |part: &Part| matches!(part, Part::WeightedLayerPooling(_));
        self.shows_layers && self.parts.iter().any(pools)
    }

    /// The encoder without its last parts, and these.
    ///
    /// # Errors
    ///
    /// If what is left gives no embedding of a text.
    pub(super) fn without_last(mut self, parts: usize) -> Result<(Self, Vec<Part>), String> {
        let last = self.parts.split_off(self.parts.len() - parts);
        let before = Self::sizes_before(&self.config, self.shows_layers);
        let sizes = self.parts.iter().try_fold(before, |sizes, part| part.sizes(sizes))?;
        self.dimension = sizes.of(Vectors::Texts)?;
        Ok((self, last))
    }
}

impl TextEncoder for SentenceEncoder {
    fn token_vectors(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.network.token_vectors(ids)
    }

    fn sentence_vectors(&self, tokens: Tensor<3>, padding: Tensor<2, Bool>) -> Tensor<2> {
        let features = match &self.network {
            Network::Static(_) => {
                let mean = Pooling::of(PoolingMode::Mean);
                let texts = Some(mean.forward(tokens.clone(), padding.clone()));
                Features { tokens, padding, layers: Vec::new(), texts }
            }
            network if self.needs_layers() => {
                let layers = network.all_layers(tokens, padding.clone());
                let tokens = layers.last().cloned().expect("a network shows its end");
                Features { tokens, padding, layers, texts: None }
            }
            network => {
                let tokens = network.forward(tokens, padding.clone());
                Features { tokens, padding, layers: Vec::new(), texts: None }
            }
        };
        self.texts(features)
    }

    fn layers(&self) -> usize {
        match self.network {
            // Static vectors pass no layer, and a pooling of layers needs all of them.
            Network::Static(_) => 1,
            _ if self.needs_layers() => 1,
            _ => self.config.shape().layers() + 1,
        }
    }

    fn layer_vectors(&self, tokens: Tensor<3>, padding: Tensor<2, Bool>) -> Option<Vec<Tensor<2>>> {
        if self.layers() == 1 {
            return None;
        }
        let layers = self.network.all_layers(tokens, padding.clone()).into_iter();
        let texts = |tokens| {
            let padding = padding.clone();
            self.texts(Features { tokens, padding, layers: Vec::new(), texts: None })
        };
        Some(layers.map(texts).collect())
    }

    fn embed(&self, rows: &[&[u32]], device: &Device) -> Tensor<2> {
        match &self.network {
            Network::Static(table) => self.texts(Features::of_texts(table.means(rows))),
            _ => super::embed_all(self, rows, device),
        }
    }

    fn transformer(&self) -> Option<(&Transformer, &TransformerConfig)> {
        match (&self.network, &self.config) {
            (Network::Bert(transformer), NetworkConfig::Bert(config)) => {
                Some((transformer, config))
            }
            _ => None,
        }
    }
}
