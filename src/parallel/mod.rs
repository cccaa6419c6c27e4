//! A batch in parts: mini-batches one after another, or shards on several devices.

pub mod gather;
mod grad_cache;
mod rows;

pub use grad_cache::{CachedStep, GradCache};
