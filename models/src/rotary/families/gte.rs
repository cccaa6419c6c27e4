//! `config.json` of GTE's new encoder: `model_type` "gte" of transformers, or "new" of the code
//! that the first models come with.

use serde_json::json;

use super::Family;
use crate::rotary::RotaryConfig;
use crate::rotary::fields::Fields;
use crate::rotary::frequencies::{Rope, Scaling};
use crate::rotary::norm::NormKind;
use crate::rotary::reach::Reach;
use crate::rotary::sizes::{Gate, Heads, Places};
use crate::transformer::Activation;

pub(super) fn read(fields: &Fields) -> Result<RotaryConfig, String> {
    fields.only("position_embedding_type", json!("rope"))?;
    fields.only("layer_norm_type", json!("layer_norm"))?;
    fields.only("logn_attention_scale", json!(false))?;
    fields.only("pack_qkv", json!(true))?;
    let base = RotaryConfig::base(Family::Gte, fields, None)?;
    let gate = Gate::new(fields.or("hidden_act", Activation::Gelu)?);
    let hidden = fields.share("hidden_dropout_prob", 0.1)?;
    let weights = fields.share("attention_probs_dropout_prob", 0.0)?;
    let token_types = fields.or("type_vocab_size", 1)?;
    crate::transformer::check_size("type_vocab_size", token_types.max(1), 1 << 10)?;
    let config = RotaryConfig {
        token_types,
        heads: Heads { fused: true, bias: true, output_bias: true, ..base.heads },
        gate: Gate { fused: true, is_last: true, output_bias: true, ..gate },
        norm: (NormKind::Layer { bias: true }, fields.epsilon("layer_norm_eps", 1e-12)?),
        places: Places::OfSum,
        embeddings_norm: true,
        dropout: Family::Gte.dropouts(hidden, weights),
        ..base
    };
    Ok(config.with_layers_alike(Reach::ALL, rope(fields)?))
}

/// The positions, which may be scaled in a way that only the first models have.
fn rope(fields: &Fields) -> Result<Rope, String> {
    let own = fields.or("model_type", String::new())? == "new";
    let theta = if own { 10_000.0 } else { 160_000.0 };
    let mut fields = fields.clone();
    let scaling = fields.object("rope_scaling")?;
    if scaling.or("type", String::new())? != "ntk" {
        return fields.rope(theta);
    }
    fields.0.remove("rope_scaling");
    scaling.only("mixed_b", serde_json::Value::Null)?;
    let factor = scaling.positive("factor")?.ok_or("`rope_scaling` has no `factor`")?;
    let rope = fields.rope(theta)?;
    // A factor up to 1 changes nothing.
    Ok(if factor > 1.0 { Rope { scaling: Scaling::Ntk { factor }, ..rope } } else { rope })
}
