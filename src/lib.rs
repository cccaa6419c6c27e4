//! Losses for training embedding models with Burn.
mod error;
pub mod pairwise;
pub mod reduction;
