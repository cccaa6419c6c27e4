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
    ("feed_forward.intermediate", "intermediate.dense"),
    ("feed_forward.output", "output.dense"),
    ("feed_forward.norm", "output.LayerNorm"),
];

const MPNET: &Parts = &[
    ("attention.query", "attention.attn.q"),
    ("attention.key", "attention.attn.k"),
    ("attention.value", "attention.attn.v"),
    ("attention.output", "attention.attn.o"),
    ("attention_norm", "attention.LayerNorm"),
    ("feed_forward.intermediate", "intermediate.dense"),
    ("feed_forward.output", "output.dense"),
    ("feed_forward.norm", "output.LayerNorm"),
];

const DISTILBERT: &Parts = &[
    ("attention.query", "attention.q_lin"),
    ("attention.key", "attention.k_lin"),
    ("attention.value", "attention.v_lin"),
    ("attention.output", "attention.out_lin"),
    ("attention_norm", "sa_layer_norm"),
    ("feed_forward.intermediate", "ffn.lin1"),
    ("feed_forward.output", "ffn.lin2"),
    ("feed_forward.norm", "output_layer_norm"),
];

const ALBERT: &Parts = &[
    ("attention.query", "attention.query"),
    ("attention.key", "attention.key"),
    ("attention.value", "attention.value"),
    ("attention.output", "attention.dense"),
    ("attention_norm", "attention.LayerNorm"),
    ("feed_forward.intermediate", "ffn"),
    ("feed_forward.output", "ffn_output"),
    ("feed_forward.norm", "full_layer_layer_norm"),
];

const OUTSIDE: &Parts = &[
    ("embeddings.words", "embeddings.word_embeddings"),
    ("embeddings.positions", "embeddings.position_embeddings"),
    ("embeddings.token_types", "embeddings.token_type_embeddings"),
    ("embeddings.norm", "embeddings.LayerNorm"),
    ("embeddings.projection", "embeddings_project"),
    ("relative_bias", "encoder.relative_attention_bias"),
    ("pooler", "pooler.dense"),
];

const OUTSIDE_ALBERT: &Parts = &[
    ("embeddings.words", "embeddings.word_embeddings"),
    ("embeddings.positions", "embeddings.position_embeddings"),
    ("embeddings.token_types", "embeddings.token_type_embeddings"),
    ("embeddings.norm", "embeddings.LayerNorm"),
    ("embeddings.projection", "encoder.embedding_hidden_mapping_in"),
];

const LAYERS: (&str, &str) = ("layers", "encoder.layer");

impl Family {
    /// The names that the family uses.
    pub(super) fn names(self) -> Names {
        let (prefix, outside, list, parts) = match self {
            Self::Bert => ("bert", OUTSIDE, LAYERS, BERT),
            Self::Roberta => ("roberta", OUTSIDE, LAYERS, BERT),
            Self::Mpnet => ("mpnet", OUTSIDE, LAYERS, MPNET),
            Self::Electra => ("electra", OUTSIDE, LAYERS, BERT),
            Self::Distilbert => {
                ("distilbert", OUTSIDE, ("layers", "transformer.layer"), DISTILBERT)
            }
            Self::Albert => {
                let groups = ("groups.#", "encoder.albert_layer_groups.#.albert_layers");
                ("albert", OUTSIDE_ALBERT, groups, ALBERT)
            }
        };
        Names { prefix, outside, layers: Layers { list, parts } }
    }
}
