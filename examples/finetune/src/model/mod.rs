//! Models of sentence-transformers: read from their directory, used, trained on and written again.
//!
//! ```text
//! directory   files of a directory that may come from anywhere
//!   → modules, config, settings, pooling, charsmap   what the JSON files say
//!   → transformer (embeddings, attention, relative)   the network; decoder: the same as one
//!   → weights (names)   its parameters, from and to model.safetensors
//!   → pretrained   all of it together; plain: where the directory is a transformer's alone
//!   → export (card)   the directory again
//! ```

pub mod attention;
pub mod card;
pub mod charsmap;
pub mod config;
pub mod decoder;
pub mod directory;
pub mod embeddings;
pub mod export;
pub mod modules;
pub mod names;
pub mod plain;
pub mod pooling;
pub mod pretrained;
pub mod relative;
pub mod sentence;
pub mod settings;
pub mod transformer;
pub mod weights;

pub use pretrained::{Adjustments, Package, Pretrained};
pub use sentence::SentenceEncoder;
pub use transformer::Transformer;
