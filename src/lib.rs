#![doc = include_str!("../README.md")]

pub mod batch;
mod error;
pub mod losses;
pub mod objective;
pub mod pairwise;
pub mod prelude;
pub mod reduction;
pub mod sentence_transformers;

pub use error::{BatchError, ConfigError};
pub use losses::*;
pub use pairwise::{Distance, Similarity};
pub use reduction::Reduction;
