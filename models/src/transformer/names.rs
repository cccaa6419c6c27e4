//! The names of parameters in the files of BERT and its like.

use super::Family;
use crate::shape::{Layers, Names};

type Parts = [(&'static str, &'static str)];

const BERT: &Parts = &[
    ("attention.query", "attention.self.query"),
    ("attention.key", "attention.self.key"),
    ("attention.value", "attention.self.value"),
    ("attention.output", "attention.output.dense"),
    ("attention_norm", "attention.output.LayerNorm"),
    ("intermediate", "intermediate.dense"),
    ("output", "output.dense"),
    ("output_norm", "output.LayerNorm"),
];

const MPNET: &Parts = &[
    ("attention.query", "attention.attn.q"),
    ("attention.key", "attention.attn.k"),
    ("attention.value", "attention.attn.v"),
    ("attention.output", "attention.attn.o"),
    ("attention_norm", "attention.LayerNorm"),
    ("intermediate", "intermediate.dense"),
    ("output", "output.dense"),
    ("output_norm", "output.LayerNorm"),
];

const OUTSIDE: &Parts = &[
    ("embeddings.words", "embeddings.word_embeddings"),
    ("embeddings.positions", "embeddings.position_embeddings"),
    ("embeddings.token_types", "embeddings.token_type_embeddings"),
    ("embeddings.norm", "embeddings.LayerNorm"),
    ("relative_bias", "encoder.relative_attention_bias"),
    ("pooler", "pooler.dense"),
];

impl Family {
    /// The names that the family uses.
    pub(super) fn names(self) -> Names {
        let (prefix, parts) = match self {
            Self::Bert => ("bert", BERT),
            Self::Roberta => ("roberta", BERT),
            Self::Mpnet => ("mpnet", MPNET),
        };
        let layers = Layers { list: ("layers", "encoder.layer"), parts };
        Names { prefix, outside: OUTSIDE, layers }
    }
}
