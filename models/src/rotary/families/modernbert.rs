//! `config.json` of ModernBERT.

use super::Family;
use crate::rotary::RotaryConfig;
use crate::rotary::fields::Fields;
use crate::rotary::norm::NormKind;
use crate::rotary::reach::{Kind, Reach};
use crate::rotary::sizes::{Dropouts, Gate, Heads};
use crate::transformer::Activation;

pub(super) fn read(fields: &Fields) -> Result<RotaryConfig, String> {
    let base = RotaryConfig::base(Family::ModernBert, fields, None)?;
    let (attention_bias, bias) =
        (fields.or("attention_bias", false)?, fields.or("mlp_bias", false)?);
    let gate = Gate::new(fields.or("hidden_activation", Activation::Gelu)?);
    let norm = NormKind::Layer { bias: fields.or("norm_bias", false)? };
    let attention = fields.share("attention_dropout", 0.0)?;
    let config = RotaryConfig {
        heads: Heads {
            fused: true,
            bias: attention_bias,
            output_bias: attention_bias,
            ..base.heads
        },
        gate: Gate { fused: true, bias, output_bias: bias, ..gate },
        norm: (norm, fields.epsilon("norm_eps", 1e-5)?),
        first_norm: false,
        embeddings_norm: true,
        dropout: Dropouts {
            embeddings: fields.share("embedding_dropout", 0.0)?,
            weights: attention,
            attention,
            inner: fields.share("mlp_dropout", 0.0)?,
            feed_forward: 0.0,
        },
        ..base
    };
    let every = fields.optional_size("global_attn_every_n_layers", 1 << 8)?.unwrap_or(3);
    // The window has a token in the middle, and halves on both sides.
    let window = match fields.optional_size("sliding_window", 1 << 24)? {
        Some(half) => 2 * half,
        None => fields.optional_size("local_attention", 1 << 24)?.unwrap_or(128),
    };
    let full = fields.rope_of_type("full_attention", ("global_rope_theta", 160_000.0), true)?;
    let local = fields.rope_of_type("sliding_attention", ("local_rope_theta", 10_000.0), true)?;
    config.with_types(
        fields,
        |index| !index.is_multiple_of(every),
        Kind { reach: Reach::ALL, rope: full },
        Some(Kind { reach: Reach::around(window / 2), rope: local }),
    )
}
