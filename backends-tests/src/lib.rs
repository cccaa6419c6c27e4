//! Parity of `burn-embedding-losses` with sentence-transformers, case by case, on any backend.
//!
//! A case file holds inputs, the configuration of a loss and the answer of the Python library. It
//! is [read](case), the loss is [built and run](subject) on a [device](named_device), and the
//! answers are [compared](verdict). What a device cannot compute is [found out](fault).

pub mod case;
pub mod fault;
pub mod memory;
pub mod nested;
pub mod options;
pub mod random;
pub mod soak;
pub mod subject;
pub mod targets;
pub mod verdict;
pub mod weights;
