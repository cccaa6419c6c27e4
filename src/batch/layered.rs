use super::columns::{Batch, ColumnMapper, Columns, trained};
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

impl<B: Batch> LayeredBatch<B> {
    /// The batch of each layer, the first layer first and the final one last.
    ///
    /// # Panics
    ///
    /// If there is no layer, or the embeddings of a layer have another shape or type than those of the final one.
    #[track_caller]
    pub fn new(layers: Vec<B>) -> Self {
        match Self::checked(NAME, layers) {
            Ok(batch) => batch,
            Err(error) => panic!("{error}"),
        }
    }

    /// The batch; errors name the `owner`.
    pub(crate) fn checked(owner: &str, layers: Vec<B>) -> Result<Self, BatchError> {
        let Some(last) = layers.last().map(described) else {
            let message = format!("{owner}: `layers` must hold at least one layer, got none");
            return Err(BatchError::new(message));
        };
        let all = layers.iter().map(described).enumerate();
        match all.into_iter().find(|(_, layer)| *layer != last) {
            None => Ok(Self { layers }),
            Some((index, got)) => Err(BatchError::new(format!(
                "{owner}: `layers[{index}]` must hold {last} as the final layer does, got {got}"
            ))),
        }
    }
}

/// The shapes and types of the embeddings of a batch.
fn described<B: Batch>(batch: &B) -> String {
    let columns = trained(batch).into_iter();
    let columns = columns.map(|column| format!("{:?} {:?}", column.dtype(), column.dims()));
    columns.collect::<Vec<_>>().join(", ")
}

impl<B> LayeredBatch<B> {
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
