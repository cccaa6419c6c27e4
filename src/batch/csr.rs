use super::columns::{Batch, ColumnMapper, Columns, trained};
use super::reconstruction::ReconstructionBatch;
use crate::error::BatchError;

const NAME: &str = "CsrBatch";

/// The latents of a sparse auto-encoder as the batch of any loss, with what it decoded from them: the batch of CSRLoss.
///
/// # Example
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::{CsrBatch, Reconstruction, RetrievalBatch};
///
/// let device = Device::flex();
/// let rows = |dim| Tensor::<2>::ones([3, dim], &device);
/// // Queries and documents: 16 latents each, of dense embeddings with 4 dimensions.
/// let column = || Reconstruction {
///     sentence_embedding_backbone: rows(4),
///     decoded_embedding_k: rows(4),
///     decoded_embedding_4k: rows(4),
///     decoded_embedding_aux: None,
///     decoded_embedding_k_pre_bias: rows(4),
/// };
/// let batch = CsrBatch::new(RetrievalBatch::from((rows(16), rows(16))), vec![column(), column()]);
/// assert_eq!(batch.reconstructions().columns().len(), 2);
/// ```
#[derive(Debug, Clone)]
pub struct CsrBatch<B> {
    // A batch of any kind may be one of these, so it has no size of its own.
    latents: Box<B>,
    reconstructions: ReconstructionBatch,
}

impl<B: Batch> CsrBatch<B> {
    /// A batch of latents, and the reconstruction of each of its columns.
    ///
    /// # Panics
    ///
    /// If the reconstructions do not fit together (see [`ReconstructionBatch::new`]), or have another number of rows or
    /// another type than the latents.
    #[track_caller]
    pub fn new(latents: B, reconstructions: impl Into<ReconstructionBatch>) -> Self {
        match Self::checked(NAME, latents, reconstructions.into()) {
            Ok(batch) => batch,
            Err(error) => panic!("{error}"),
        }
    }

    /// The batch; errors name the `owner`.
    pub(crate) fn checked(
        owner: &str,
        latents: B,
        reconstructions: ReconstructionBatch,
    ) -> Result<Self, BatchError> {
        let refuse = |message| Err(BatchError::new(format!("{owner}: {message}")));
        let columns = trained(&latents);
        let Some(column) = columns.first() else {
            return refuse("`latents` must hold embeddings, got none".to_string());
        };
        let (rows, got) = (column.dims()[0], reconstructions.rows());
        if rows != got {
            return refuse(format!("`reconstructions` must have {rows} rows, got {got}"));
        }
        let (dtype, got) = (column.dtype(), reconstructions.dtype());
        if dtype != got {
            return refuse(format!(
                "`reconstructions` must have the type {dtype:?} of `latents`, got {got:?}"
            ));
        }
        Ok(Self { latents: Box::new(latents), reconstructions })
    }

    /// The latents, as the batch of the loss inside.
    pub fn latents(&self) -> &B {
        &self.latents
    }

    /// The reconstructions.
    pub fn reconstructions(&self) -> &ReconstructionBatch {
        &self.reconstructions
    }

    /// The latents and the reconstructions.
    pub fn into_parts(self) -> (B, ReconstructionBatch) {
        (*self.latents, self.reconstructions)
    }

    /// Checks the latents with `check`, such as `RetrievalBatch::check`, and the reconstructions.
    ///
    /// # Errors
    ///
    /// The first error.
    pub fn check(&self, check: impl Fn(&B) -> Result<(), BatchError>) -> Result<(), BatchError> {
        check(&self.latents)?;
        self.reconstructions.check()
    }
}

impl<B: Batch> Columns for CsrBatch<B> {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        let (latents, reconstructions) = self.into_parts();
        let latents = latents.map_columns(mapper);
        Self::new(latents, reconstructions.map_columns(mapper))
    }
}

impl<B: Batch> Batch for CsrBatch<B> {}
