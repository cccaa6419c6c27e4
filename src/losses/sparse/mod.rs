//! Losses of sparse encoders, whose embeddings have a dimension for each word of a vocabulary, most of them 0.
//!
//! The losses of sentence encoders take such embeddings as they are; Python's names for them (`Sparse…`) and
//! their other defaults are in the [catalog](crate::catalog). This module adds the
//! regulariser that keeps embeddings sparse, alone and around any loss.

mod flops;
mod splade;

pub use flops::{FlopsLoss, FlopsLossConfig};
pub use splade::{SpladeLoss, SpladeLossConfig};
