//! The variants of BERT that can be read.

/// BERT, or an architecture that differs from it in embeddings, names or bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// BERT, and the MiniLM models made from it.
    Bert,
    /// RoBERTa and XLM-RoBERTa: positions are counted from the padding token's id.
    Roberta,
    /// MPNet: a learned bias for the distance of two tokens, and no token types.
    Mpnet,
}
