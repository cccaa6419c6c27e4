#![cfg_attr(docsrs, feature(doc_cfg))]
// The first definition of a link counts: in the documentation these lead to modules, on the page of
// the repository the README's own lead to files.
#![doc = "[architecture]: crate::guide::architecture\n[choosing]: crate::guide::choosing_a_loss\n[migration]: crate::guide::from_sentence_transformers\n"]
#![doc = include_str!("../README.md")]
//!
//! # Map
//!
//! ```text
//! batch  →  pairwise  →  objective  →  reduction  →  losses
//! shapes    distances,   formulas,     terms to      which of these
//!           mining       terms         one number    a loss puts together
//! ```
//!
//! | module | holds |
//! | :-- | :-- |
//! | [`losses`] | a Config and a Module for each loss, and [`Criterion`], what they have in common |
//! | [`batch`] | what losses take |
//! | [`pairwise`] | distances, similarities, safe norms, mining |
//! | [`objective`] | the formulas as pure functions |
//! | [`GradCache`] | batches of any size through an encoder whose memory holds a few texts |
//! | [`gather`] | batches spread over devices, whose losses see the candidates of all |
//! | [`decoder`] | networks that write a sentence again from its embedding, for one loss |
//! | [`noise`] | damage to sentences, for the same loss |
//! | [`reduction`] | from terms to one number |
//! | [`diagnostics`] | what a batch gives a loss to learn from |
//! | [`sampler`] | which rows of a data set share a batch |
//! | [`evaluation`] | how good embeddings are |
//! | [`sentence_transformers`] | losses by Python's names and options |
//! | [`prelude`] | all that a training program needs |
//! | [`guide`] | choosing a loss, coming from sentence-transformers, architecture |
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
pub mod decoder;
pub mod diagnostics;
mod error;
pub mod evaluation;
pub mod gather;
pub mod geometry;
mod grad_cache;
pub mod guide;
mod kernels;
pub mod losses;
pub mod noise;
pub mod numeric;
pub mod objective;
pub mod prelude;
pub mod reduction;
pub mod sampler;
pub mod select;
pub mod sentence_transformers;

pub use diagnostics::{DeadBatch, Diagnostics};
pub use error::{BatchError, ConfigError};
pub use geometry::{Distance, Similarity};
pub use grad_cache::GradCache;
pub use losses::*;
pub use reduction::Reduction;
