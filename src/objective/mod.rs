//! The formulas: from scores and selections to the terms of a loss.
//!
//! Pure functions on tensors. Nothing here holds a configuration or reduces anything.

pub mod classification;
pub mod contrastive;
pub mod divergence;
pub mod guide;
pub mod hinge;
pub mod lambda;
pub mod linear_cross_entropy;
pub mod list;
mod log_sum_exp;
pub mod mega_batch;
pub mod pairwise_logistic;
pub mod plackett_luce;
pub mod ranking;
pub mod regression;
pub mod regularizer;
pub mod supervised_contrastive;
pub mod triplet;
