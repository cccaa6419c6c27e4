//! The names of parameters in the files of each family.

use super::Family;
use crate::shape::{Layers, Names};

type Parts = &'static [(&'static str, &'static str)];

const DECODER: Parts = &[
    ("attention_norms.before", "input_layernorm"),
    ("attention.inputs.0", "self_attn.q_proj"),
    ("attention.inputs.1", "self_attn.k_proj"),
    ("attention.inputs.2", "self_attn.v_proj"),
    ("attention.query_norm", "self_attn.q_norm"),
    ("attention.key_norm", "self_attn.k_norm"),
    ("attention.output", "self_attn.o_proj"),
    ("feed_forward_norms.before", "post_attention_layernorm"),
    ("feed_forward.inputs.0", "mlp.gate_proj"),
    ("feed_forward.inputs.1", "mlp.up_proj"),
    ("feed_forward.output", "mlp.down_proj"),
];

/// Four normalisations in a layer.
const GEMMA: Parts = &[
    ("attention_norms.before", "input_layernorm"),
    ("attention.inputs.0", "self_attn.q_proj"),
    ("attention.inputs.1", "self_attn.k_proj"),
    ("attention.inputs.2", "self_attn.v_proj"),
    ("attention.query_norm", "self_attn.q_norm"),
    ("attention.key_norm", "self_attn.k_norm"),
    ("attention.output", "self_attn.o_proj"),
    ("attention_norms.of_result", "post_attention_layernorm"),
    ("feed_forward_norms.before", "pre_feedforward_layernorm"),
    ("feed_forward.inputs.0", "mlp.gate_proj"),
    ("feed_forward.inputs.1", "mlp.up_proj"),
    ("feed_forward.output", "mlp.down_proj"),
    ("feed_forward_norms.of_result", "post_feedforward_layernorm"),
];

const MODERN_BERT: Parts = &[
    ("attention_norms.before", "attn_norm"),
    ("attention.inputs.0", "attn.Wqkv"),
    ("attention.output", "attn.Wo"),
    ("feed_forward_norms.before", "mlp_norm"),
    ("feed_forward.inputs.0", "mlp.Wi"),
    ("feed_forward.output", "mlp.Wo"),
];

const NOMIC_BERT: Parts = &[
    ("attention.inputs.0", "attn.Wqkv"),
    ("attention.output", "attn.out_proj"),
    ("attention_norms.after_sum", "norm1"),
    ("feed_forward.inputs.0", "mlp.fc12"),
    ("feed_forward.inputs.1", "mlp.fc11"),
    ("feed_forward.output", "mlp.fc2"),
    ("feed_forward_norms.after_sum", "norm2"),
];

const GTE: Parts = &[
    ("attention.inputs.0", "attention.qkv_proj"),
    ("attention.output", "attention.o_proj"),
    ("attention_norms.after_sum", "attn_ln"),
    ("feed_forward.inputs.0", "mlp.up_gate_proj"),
    ("feed_forward.output", "mlp.down_proj"),
    ("feed_forward_norms.after_sum", "mlp_ln"),
];

impl Family {
    /// The names that the family uses.
    pub(in crate::rotary) fn names(self) -> Names {
        let (prefix, list, parts, outside): (_, _, _, Parts) = match self {
            Self::ModernBert => (
                "model",
                "layers",
                MODERN_BERT,
                &[
                    ("embeddings.words", "embeddings.tok_embeddings"),
                    ("embeddings.norm", "embeddings.norm"),
                    ("norm", "final_norm"),
                ],
            ),
            Self::NomicBert => (
                "(?:bert|nomic_bert)",
                "encoder.layers",
                NOMIC_BERT,
                &[
                    ("embeddings.words", "embeddings.word_embeddings"),
                    ("embeddings.token_types", "embeddings.token_type_embeddings"),
                    ("embeddings.norm", "emb_ln"),
                ],
            ),
            Self::Gte => (
                "(?:new|gte)",
                "encoder.layer",
                GTE,
                &[
                    ("embeddings.words", "embeddings.word_embeddings"),
                    ("embeddings.token_types", "embeddings.token_type_embeddings"),
                    ("embeddings.norm", "embeddings.LayerNorm"),
                ],
            ),
            Self::Gemma2 | Self::Gemma3 => ("model", "layers", GEMMA, DECODER_OUTSIDE),
            _ => ("model", "layers", DECODER, DECODER_OUTSIDE),
        };
        Names { prefix, outside, layers: Layers { list: ("layers", list), parts } }
    }
}

const DECODER_OUTSIDE: Parts = &[("embeddings.words", "embed_tokens"), ("norm", "norm")];
