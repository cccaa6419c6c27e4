//! The variants of BERT that can be read.

use std::fmt;

/// BERT, or an architecture that differs from it in embeddings, names, bias or sharing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// BERT, and the MiniLM models made from it.
    Bert,
    /// RoBERTa, XLM-RoBERTa and CamemBERT: positions are counted from the padding token's id.
    Roberta,
    /// MPNet: a learned bias for the distance of two tokens, and no token types.
    Mpnet,
    /// DistilBERT: no token types.
    Distilbert,
    /// ELECTRA: embeddings that may be smaller than the hidden states.
    Electra,
    /// ALBERT: small embeddings, and layers that share their parameters.
    Albert,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bert => "BERT",
            Self::Roberta => "RoBERTa",
            Self::Mpnet => "MPNet",
            Self::Distilbert => "DistilBERT",
            Self::Electra => "ELECTRA",
            Self::Albert => "ALBERT",
        })
    }
}

impl Family {
    pub(super) fn has_token_types(self) -> bool {
        !matches!(self, Self::Mpnet | Self::Distilbert)
    }

    /// Whether word embeddings may have another size than hidden states.
    pub(super) fn has_embedding_size(self) -> bool {
        matches!(self, Self::Electra | Self::Albert)
    }

    /// Whether the output of attention is dropped out while training.
    pub(super) fn drops_attention(self) -> bool {
        self != Self::Distilbert
    }

    /// Whether the output of the feed-forward part is dropped out while training.
    pub(super) fn drops_feed_forward(self) -> bool {
        self != Self::Albert
    }

    /// Whether the first position is counted from zero, padding or not.
    pub(super) fn counts_padding(self) -> bool {
        !matches!(self, Self::Roberta | Self::Mpnet)
    }
}
