//! `config.json` of NomicBERT, as transformers writes it or as the first models have it.

use serde_json::{Value, json};

use super::Family;
use crate::rotary::RotaryConfig;
use crate::rotary::fields::Fields;
use crate::rotary::norm::NormKind;
use crate::rotary::reach::Reach;
use crate::rotary::sizes::{Gate, Heads, Places};
use crate::transformer::Activation;

/// What the first models call fields: transformers' names, theirs.
const OLD_NAMES: [(&str, &str); 8] = [
    ("hidden_size", "n_embd"),
    ("num_hidden_layers", "n_layer"),
    ("num_attention_heads", "n_head"),
    ("intermediate_size", "n_inner"),
    ("layer_norm_eps", "layer_norm_epsilon"),
    ("hidden_dropout_prob", "resid_pdrop"),
    ("attention_probs_dropout_prob", "attn_pdrop"),
    ("rope_theta", "rotary_emb_base"),
];

pub(super) fn read(fields: &Fields) -> Result<RotaryConfig, String> {
    let fields = &renamed(fields);
    refuse_unused(fields)?;
    let base = RotaryConfig::base(Family::NomicBert, fields, None)?;
    let hidden = fields.share("hidden_dropout_prob", 0.0)?;
    let weights = fields.share("attention_probs_dropout_prob", 0.0)?;
    let config = RotaryConfig {
        token_types: fields.optional_size("type_vocab_size", 1 << 10)?.unwrap_or(2),
        heads: Heads { fused: true, ..base.heads },
        gate: Gate::new(activation(fields)?),
        norm: (NormKind::Layer { bias: true }, fields.epsilon("layer_norm_eps", 1e-12)?),
        places: Places::OfSum,
        embeddings_norm: true,
        dropout: Family::NomicBert.dropouts(hidden, weights),
        ..base
    };
    Ok(config.with_layers_alike(Reach::ALL, fields.rope(1000.0)?))
}

/// The fields under transformers' names.
fn renamed(fields: &Fields) -> Fields {
    let mut fields = fields.clone();
    for (name, old) in OLD_NAMES {
        if let Some(value) = fields.0.remove(old) {
            fields.0.entry(name).or_insert(value);
        }
    }
    fields.0.entry("max_position_embeddings").or_insert(json!(2048));
    fields
}

/// The code of the first models has options that transformers' has not.
fn refuse_unused(fields: &Fields) -> Result<(), String> {
    fields.only("moe_every_n_layers", json!(0))?;
    for name in [
        "prenorm",
        "parallel_block",
        "causal",
        "use_rms_norm",
        "qkv_proj_bias",
        "mlp_fc1_bias",
        "mlp_fc2_bias",
        "rotary_emb_interleaved",
    ] {
        fields.only(name, json!(false))?;
    }
    fields.only("rotary_emb_fraction", json!(1))?;
    fields.only("rotary_emb_scale_base", Value::Null)?;
    fields.only("rotary_scaling_factor", Value::Null)
}

fn activation(fields: &Fields) -> Result<Activation, String> {
    if let Some(activation) = fields.optional("hidden_act")? {
        return Ok(activation);
    }
    let name: Option<String> = fields.optional("activation_function")?;
    match name.as_deref() {
        None | Some("swiglu") => Ok(Activation::Silu),
        Some("geglu") => Ok(Activation::Gelu),
        Some("glu") => Ok(Activation::Sigmoid),
        Some(other) => Err(format!(
            "`activation_function` {other:?} is not supported; supported are swiglu, geglu, glu"
        )),
    }
}
