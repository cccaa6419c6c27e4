//! Transformer, pooling and normalisation: from token ids to one embedding for each text.

use burn::module::Module;
use burn::tensor::Tensor;
use burn_embedding_losses::pairwise::norm::UnitRows;

use super::pooling::Pooling;
use super::transformer::Transformer;
use crate::encoder::{TextEncoder, TokenBatch};

/// A transformer and what makes one embedding of its vectors.
#[derive(Module, Debug)]
pub struct SentenceEncoder {
    /// The part with parameters.
    pub transformer: Transformer,
    #[module(skip)]
    pooling: Pooling,
    normalize: bool,
}

impl SentenceEncoder {
    /// Puts the parts together; `normalize` scales embeddings to length one.
    pub fn new(transformer: Transformer, pooling: Pooling, normalize: bool) -> Self {
        Self { transformer, pooling, normalize }
    }
}

impl TextEncoder for SentenceEncoder {
    fn forward(&self, batch: TokenBatch) -> Tensor<2> {
        let padding = batch.padding.clone();
        let hidden = self.transformer.forward(batch.ids, batch.padding);
        let pooled = self.pooling.forward(hidden, padding);
        if self.normalize { UnitRows::new(pooled).rows } else { pooled }
    }
}
