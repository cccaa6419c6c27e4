//! A batch in parts: mini-batches one after another, workers at the same time, or shards on several
//! machines.

pub mod gather;
mod grad_cache;
mod leaves;
mod rows;
mod workers;

pub use grad_cache::{CachedStep, GradCache};
pub use workers::{CachedWorkersStep, Workers, WorkersStep};
