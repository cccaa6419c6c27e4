//! Network, pooling and normalisation: from token ids to one embedding for each text.

use burn::module::Module;
use burn::tensor::{Bool, Int, Tensor};
use burn_embedding_losses::numeric::UnitRows;

use super::TextEncoder;
use crate::modules::Pooling;
use crate::network::{Network, NetworkConfig};
use crate::transformer::{Transformer, TransformerConfig};

/// A network, and the modules that make one embedding of its vectors.
#[derive(Module, Debug)]
pub struct SentenceEncoder {
    /// The part with parameters.
    pub network: Network,
    #[module(skip)]
    pooling: Pooling,
    normalize: bool,
    #[module(skip)]
    config: NetworkConfig,
}

impl SentenceEncoder {
    /// Puts the parts together; `normalize` scales embeddings to length one.
    pub fn new(network: Network, config: NetworkConfig, pooling: Pooling, normalize: bool) -> Self {
        Self { network, pooling, normalize, config }
    }

    /// The size of an embedding.
    pub fn dimension(&self) -> usize {
        self.pooling.dimension(self.config.shape().hidden_size())
    }
}

impl TextEncoder for SentenceEncoder {
    fn token_vectors(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.network.token_vectors(ids)
    }

    fn sentence_vectors(&self, tokens: Tensor<3>, padding: Tensor<2, Bool>) -> Tensor<2> {
        let hidden = self.network.forward(tokens, padding.clone());
        let pooled = self.pooling.forward(hidden, padding);
        if self.normalize { UnitRows::new(pooled).rows } else { pooled }
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
