#![cfg_attr(docsrs, feature(doc_cfg))]
// The first definition of a link counts: in the documentation these lead to modules, on the page of
// the repository the README's own lead to files.
#![doc = "[architecture]: crate::guide::architecture\n[choosing]: crate::guide::choosing_a_loss\n[migration]: crate::guide::from_sentence_transformers\n[own]: crate::guide::your_own_loss\n"]
#![doc = include_str!("../README.md")]
//!
//! # Map
//!
//! | module | contents |
//! | :-- | :-- |
//! | [`losses`] | a Config and a Module for each loss, and [`Criterion`], the trait that they share |
//! | [`reranking`] | the losses of cross-encoders |
//! | [`multi_vector`] | the losses of models with an embedding for each token |
//! | [`batch`] | the batches that losses take |
//! | [`geometry`] | distances, similarities, pair features |
//! | [`scores`] | the scores of ranking losses; a similarity of your own |
//! | [`select`] | mining: label masks, hardest, semi-hard and closest rows |
//! | [`blocks`] | sums over all pairs of rows within a memory budget |
//! | [`objective`] | the formulas as pure functions |
//! | [`reduction`] | terms to one number |
//! | [`numeric`] | lengths, unit rows and roots that stay finite |
//! | [`GradCache`] | batches of any size through an encoder whose memory holds a few texts |
//! | [`Workers`] | a batch embedded in parts at the same time: every core of a CPU, several GPUs |
//! | [`gather`] | batches that are spread over devices |
//! | [`fused`] | operations of encoders in one pass over memory on the CPU |
//! | [`decoder`], [`noise`] | for `DenoisingAutoEncoderLoss` |
//! | [`diagnostics`] | what a loss can learn from a batch |
//! | [`catalog`] | the list of all losses: any loss by name, on batches made of columns |
//! | [`sampler`] | which rows of a data set share a batch |
//! | [`evaluation`] | how good embeddings are |
//! | [`sentence_transformers`] | losses by Python's names and options |
//! | [`prelude`] | the usual imports of a training program |
//! | [`guide`] | choosing a loss, coming from sentence-transformers, your own loss, architecture |
//!
//! # Features
//!
//! None is on by default. Items that need one are marked with it.
//!
//! | feature | brings |
//! | :-- | :-- |
//! | `flex` | Burn's pure-Rust CPU backend, and this crate's kernels for it |
//! | `ndarray`, `tch`, `wgpu`, `vulkan`, `webgpu`, `metal`, `cuda`, `rocm` | Burn's backend of that name ([what each needs](#backends)) |
//! | `dataset` | Burn's data loaders, for [`sampler`] |
//! | `train` | Burn's learner, for [`evaluation`] as its metrics; includes `dataset` |
//!
//! # Errors
//!
//! A wrong configuration and a wrong shape panic where they are given, naming type, field, rule and
//! value; `check` on a Config or a batch returns the same as an error. Values in a batch are only
//! looked at by `check` (it reads from the device), never in a forward pass of a release build.
//!
//! # Numerical behavior
//!
//! - No finite input with row lengths from 1e-20 to 1e18 gives NaN, in a loss or a gradient, nor
//!   infinity where the true value fits the type.
//! - A zero row has cosine similarity 0 with everything, and gradient 0.
//! - Half-precision embeddings are widened to `f32` on entry.
//! - Nothing depends on a default device: every tensor is made on the device of the batch.

pub mod batch;
pub mod blocks;
mod budget;
pub mod catalog;
mod config;
pub mod decoder;
pub mod diagnostics;
mod error;
pub mod evaluation;
pub mod geometry;
pub mod guide;
mod kernels;
pub mod losses;
pub mod noise;
pub mod numeric;
pub mod objective;
mod parallel;
pub mod prelude;
pub mod reduction;
pub mod sampler;
pub mod scores;
pub mod select;
pub mod sentence_transformers;

pub use diagnostics::{DeadBatch, Diagnostics};
pub use error::{BatchError, ConfigError};
pub use geometry::{Distance, Similarity, TokenSimilarity};
pub use kernels::fused;
pub use losses::*;
#[doc(
    alias = "CachedMultipleNegativesRankingLoss",
    alias = "CachedMultipleNegativesSymmetricRankingLoss"
)]
pub use parallel::GradCache;
pub use parallel::{CachedStep, CachedWorkersStep, Workers, WorkersStep, gather};
pub use reduction::Reduction;
