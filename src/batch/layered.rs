use super::columns::{Batch, ColumnMapper, Columns};
use crate::error::BatchError;

const NAME: &str = "LayeredBatch";

/// A batch as it is after each layer of the encoder: the batch of AdaptiveLayerLoss.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::{LayeredBatch, PairBatch};
///
/// let device = Device::flex();
/// let scores = Tensor::<1>::from_floats([0.9, 0.1], &device);
/// // Embeddings of two columns of texts after each of three layers, pooled as those of the last are.
/// let layer = |_| Tensor::<2>::ones([2, 4], &device);
/// let batches = [0, 1, 2].map(layer).map(|rows| PairBatch::new(rows.clone(), rows, scores.clone()));
/// assert_eq!(LayeredBatch::new(batches.to_vec()).layers().len(), 3);
/// ```
#[derive(Debug, Clone)]
pub struct LayeredBatch<B> {
    pub(crate) layers: Vec<B>,
}

impl<B> LayeredBatch<B> {
    /// The batch of each layer, the first layer first and the final one last.
    ///
    /// # Panics
    ///
    /// If there is no layer.
    #[track_caller]
    pub fn new(layers: Vec<B>) -> Self {
        assert!(!layers.is_empty(), "{NAME}: `layers` must hold at least one layer, got none");
        Self { layers }
    }

    /// The batch of each layer, the final one last.
    pub fn layers(&self) -> &[B] {
        &self.layers
    }

    /// The batch of each layer, the final one last.
    pub fn into_layers(self) -> Vec<B> {
        self.layers
    }

    /// Checks each layer with `check`, such as `PairBatch::check`.
    ///
    /// # Errors
    ///
    /// The first error, with the number of its layer.
    pub fn check(&self, check: impl Fn(&B) -> Result<(), BatchError>) -> Result<(), BatchError> {
        self.layers.iter().enumerate().try_for_each(|(index, layer)| {
            check(layer).map_err(|error| BatchError::new(format!("{NAME}: layer {index}: {error}")))
        })
    }
}

impl<B: Batch> Columns for LayeredBatch<B> {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        Self::new(self.layers.into_iter().map(|layer| layer.map_columns(mapper)).collect())
    }
}

impl<B: Batch> Batch for LayeredBatch<B> {}
