//! The formulas: from scores and selections to the terms of a loss, or to one number if it has no terms.
//!
//! Pure functions on tensors. Nothing here holds the configuration of a loss.
//!
//! # Example
//!
//! The formula of `CoSentLoss`, for two scores that should be in the order of their labels:
//!
//! ```
//! use burn::prelude::*;
//! use burn_embedding_losses::objective::pairwise_logistic::pairwise_logistic;
//!
//! let device = Device::flex();
//! let scores = Tensor::<1>::from_floats([2.0, 1.0], &device);
//! let labels = Tensor::<1>::from_floats([0.2, 0.9], &device);
//!
//! // The first label is the lower one, but its score is higher by 1: ln(1 + e¹)
//! let value = pairwise_logistic(scores, labels, 1.0).into_value().into_scalar::<f32>();
//! assert!((value - (1.0 + 1f32.exp()).ln()).abs() < 1e-6);
//! ```

pub mod circle;
pub mod classification;
pub mod contrastive;
pub mod divergence;
pub mod guide;
pub mod hinge;
pub mod labeled_pairs;
pub mod lambda;
pub mod linear_cross_entropy;
pub mod list;
mod log_sum_exp;
pub mod mega_batch;
pub mod multi_similarity;
pub mod pairwise_logistic;
pub mod plackett_luce;
pub mod ranking;
pub mod regression;
pub mod regularizer;
pub mod supervised_contrastive;
pub mod triplet;
