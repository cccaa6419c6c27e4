//! Metrics for Burn's learner.
//!
//! | metric | value | shown |
//! | :-- | :-- | :-- |
//! | [`SpearmanMetric`] | rank correlation of similarities and scores | at the end of an epoch |
//! | [`TripletAccuracyMetric`] | share of triplets whose positive is closer | at the end of an epoch |
//! | [`NdcgMetric`] | nDCG of a search in all documents of the epoch | at the end of an epoch |
//! | [`LossPartMetric`] | mean of one named part of a loss | after each batch |
//!
//! A rank correlation is not a mean over batches, and a query searches all documents, not only those of
//! its batch. [`EpochMetric`]s therefore keep on the device what they need of each batch, detached from
//! the graph, and compute one value from the whole epoch. Until then the learner shows `N/A`.
//!
//! The output of a training or validation step implements [`Adaptor`](burn::train::metric::Adaptor) for
//! the input of each metric:
//!
//! ```
//! use burn::prelude::*;
//! use burn::train::metric::Adaptor;
//! use burn_embedding_losses::Similarity;
//! use burn_embedding_losses::evaluation::metric::{SpearmanInput, SpearmanMetric};
//!
//! struct Validated {
//!     left: Tensor<2>,
//!     right: Tensor<2>,
//!     scores: Tensor<1>,
//! }
//!
//! impl Adaptor<SpearmanInput> for Validated {
//!     fn adapt(&self) -> SpearmanInput {
//!         SpearmanInput::new(self.left.clone(), self.right.clone(), self.scores.clone())
//!     }
//! }
//!
//! // For `SupervisedTraining::metric_valid_numeric`:
//! let metric = SpearmanMetric::new(Similarity::Cosine);
//! ```

mod epoch;
mod measures;
mod part;
mod written;

pub use epoch::{EpochMetric, OverEpoch};
pub use measures::{
    Ndcg, NdcgMetric, RetrievalInput, Spearman, SpearmanInput, SpearmanMetric, TripletAccuracy,
    TripletAccuracyMetric, TripletInput,
};
pub use part::{LossPartMetric, LossParts};
pub use written::WaitForMetrics;

#[cfg(test)]
mod tests;
