//! Losses of sparse encoders, whose embeddings have a dimension for each word of a vocabulary, most of them 0.
//!
//! The losses of sentence encoders take such embeddings as they are; Python's names for them (`Sparse…`) and
//! their other defaults are in the [catalog](crate::catalog). This module adds the
//! regulariser that keeps embeddings sparse, alone and around any loss, and the losses of sparse auto-encoders.

mod csr;
mod csr_reconstruction;
mod flops;
mod splade;

use super::Criterion;
use crate::batch::Batch;
use crate::reduction::{Parts, Reduced};

#[doc(alias = "CSRLoss")]
pub use csr::CsrLoss;
pub use csr::CsrLossConfig;
#[doc(alias = "CSRReconstructionLoss")]
pub use csr_reconstruction::CsrReconstructionLoss;
pub use csr_reconstruction::CsrReconstructionLossConfig;
pub use flops::{FlopsLoss, FlopsLossConfig};
pub use splade::{SpladeLoss, SpladeLossConfig};

/// The parts of a loss inside of another, or the loss itself by the name `base_loss`.
#[track_caller]
fn base_parts<B: Batch, L: Criterion<B>>(loss: &L, batch: B) -> Parts {
    match loss.parts(batch.clone()) {
        Some(parts) => parts,
        None => Parts::default().with("base_loss", Reduced::new(loss.loss(batch))),
    }
}
