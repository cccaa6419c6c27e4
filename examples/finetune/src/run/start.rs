//! The beginning of a run.

use burn_embedding_models::Tokenizer;

/// The encoder and tokenizer that a run starts from.
#[derive(Debug)]
pub struct Start<E> {
    /// The encoder, on a device that tracks gradients.
    pub encoder: E,
    /// Texts to its token ids.
    pub tokenizer: Tokenizer,
    /// The size of its embeddings.
    pub dimension: usize,
}
