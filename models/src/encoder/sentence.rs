//! Transformer, pooling and normalisation: from token ids to one embedding for each text.

use burn::module::Module;
use burn::tensor::{Bool, Int, Tensor};
use burn_embedding_losses::numeric::UnitRows;

use super::TextEncoder;
use crate::modules::Pooling;
use crate::transformer::{Transformer, TransformerConfig};

/// A transformer, and the modules that make one embedding of its vectors.
#[derive(Module, Debug)]
pub struct SentenceEncoder {
    /// The part with parameters.
    pub transformer: Transformer,
    #[module(skip)]
    pooling: Pooling,
    normalize: bool,
    #[module(skip)]
    config: TransformerConfig,
}

impl SentenceEncoder {
    /// Puts the parts together; `normalize` scales embeddings to length one.
    pub fn new(
        transformer: Transformer,
        config: TransformerConfig,
        pooling: Pooling,
        normalize: bool,
    ) -> Self {
        Self { transformer, pooling, normalize, config }
    }

    /// The size of an embedding.
    pub fn dimension(&self) -> usize {
        self.pooling.dimension(self.config.hidden_size)
    }
}

impl TextEncoder for SentenceEncoder {
    fn token_vectors(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.transformer.token_vectors(ids)
    }

    fn sentence_vectors(&self, tokens: Tensor<3>, padding: Tensor<2, Bool>) -> Tensor<2> {
        let hidden = self.transformer.forward(tokens, padding.clone());
        let pooled = self.pooling.forward(hidden, padding);
        if self.normalize { UnitRows::new(pooled).rows } else { pooled }
    }

    fn transformer(&self) -> Option<(&Transformer, &TransformerConfig)> {
        Some((&self.transformer, &self.config))
    }
}
