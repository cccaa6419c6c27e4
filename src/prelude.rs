//! Everything a training program needs: the losses, their configurations and their batches.

pub use crate::batch::*;
pub use crate::decoder::{Bert, BertConfig, BertDecoder, BertDecoderExtension, Decoder};
pub use crate::geometry::{Distance, Similarity};
pub use crate::grad_cache::GradCache;
pub use crate::losses::*;
pub use crate::noise::{WordDeletion, WordDeletionConfig};
pub use crate::reduction::Reduction;
