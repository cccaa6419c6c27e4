//! The beginning of a run.

use super::routes::Routes;

/// The encoder and its tokenizer that a run starts from.
#[derive(Debug)]
pub struct Start<E> {
    /// The encoder, on a device that tracks gradients.
    pub encoder: E,
    /// Texts to its token ids.
    pub routes: Routes,
    /// The size of its embeddings.
    pub dimension: usize,
}
