//! The modules after the transformer: from the vectors of the tokens to one embedding for each text.
//!
//! A file for each kind of module that `modules.json` may list.

mod pooling;

pub use pooling::{Pooling, PoolingMode};
