//! The losses of `burn-embedding-losses` in Burn's learner: copy it and change what you need.
//!
//! | module | holds |
//! | :-- | :-- |
//! | [`texts`] | the data |
//! | [`batch`] | from rows to tensors |
//! | [`loaders`] | which rows share a batch |
//! | [`model`] | the encoder, a loss for each data set, and the training step |
//! | [`train`] | the learner: schedule, metrics, checkpoints, early stopping |

pub mod batch;
pub mod loaders;
pub mod model;
pub mod texts;
pub mod train;
