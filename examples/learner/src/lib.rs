//! Losses of this crate in Burn's learner: copy it and change what you need.
//!
//! | module | holds |
//! | :-- | :-- |
//! | [`texts`] | the data |
//! | [`batch`] | from rows to tensors |
//! | [`loaders`] | which rows share a batch |
//! | [`model`] | the encoder, a loss for each data set, and the training step |
//! | [`metric`] | metrics of one of several data sets |
//! | [`train`] | the learner: schedule, metrics, checkpoints, early stopping |

pub mod batch;
pub mod loaders;
pub mod metric;
pub mod model;
pub mod texts;
pub mod train;
