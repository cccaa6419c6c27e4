//! `config.json` of Gemma, of all versions.

use serde_json::json;

use super::Family;
use super::decoders::{decoder, reach, window};
use crate::rotary::RotaryConfig;
use crate::rotary::fields::Fields;
use crate::rotary::norm::NormKind;
use crate::rotary::reach::{Kind, Reach};
use crate::rotary::sizes::{Gate, Heads, Places};
use crate::transformer::Activation;

/// What all versions have in common.
fn version(
    family: Family,
    fields: &Fields,
    shared: usize,
    activation: Activation,
) -> Result<RotaryConfig, String> {
    let config = decoder(family, fields, Some(shared), Some(256))?;
    let bias = fields.or("attention_bias", false)?;
    Ok(RotaryConfig {
        heads: Heads { bias, output_bias: bias, ..config.heads },
        gate: Gate::new(activation),
        norm: (NormKind::RootFromOne, config.norm.1),
        embeddings_scale: (config.hidden_size as f64).sqrt(),
        ..config
    })
}

pub(super) fn gemma(fields: &Fields) -> Result<RotaryConfig, String> {
    only_causal(fields)?;
    let activation = match fields.or("hidden_act", Activation::GeluTanh)? {
        // What the first files call it.
        Activation::Gelu => Activation::GeluTanh,
        other => other,
    };
    let config = version(Family::Gemma, fields, 16, activation)?;
    Ok(config.with_layers_alike(reach(fields, None)?, fields.rope(10_000.0)?))
}

pub(super) fn gemma2(fields: &Fields) -> Result<RotaryConfig, String> {
    only_causal(fields)?;
    let config = with_four_norms(Family::Gemma2, fields)?;
    let cap = fields.positive("attn_logit_softcapping")?;
    let said = fields.0.contains_key("attn_logit_softcapping");
    let soft_cap = cap.or(if said { None } else { Some(50.0) });
    let rope = fields.rope(10_000.0)?;
    let kind = |window| reach(fields, window).map(|reach| Kind { reach, rope });
    let sliding = window(fields, 4096)?.map(|window| kind(Some(window))).transpose()?;
    let config = RotaryConfig { heads: Heads { soft_cap, ..config.heads }, ..config };
    config.with_types(fields, |index| index.is_multiple_of(2), kind(None)?, sliding)
}

pub(super) fn gemma3(fields: &Fields) -> Result<RotaryConfig, String> {
    let config = with_four_norms(Family::Gemma3, fields)?;
    let config = RotaryConfig { heads: Heads { norms: true, ..config.heads }, ..config };
    let every = fields.optional_size("sliding_window_pattern", 1 << 8)?.unwrap_or(6);
    let full = fields.rope_of_type("full_attention", ("rope_theta", 1_000_000.0), true)?;
    let local = ("rope_local_base_freq", 10_000.0);
    let local = fields.rope_of_type("sliding_attention", local, false)?;
    let (all, near) = gemma3_reaches(fields)?;
    let sliding = near.map(|reach| Kind { reach, rope: local });
    let full = Kind { reach: all, rope: full };
    config.with_types(fields, |index| !(index + 1).is_multiple_of(every), full, sliding)
}

/// How far tokens see in layers that see all, and in those with a window.
fn gemma3_reaches(fields: &Fields) -> Result<(Reach, Option<Reach>), String> {
    let window = window(fields, 4096)?;
    if !fields.or("use_bidirectional_attention", false)? {
        let near = window.map(|window| reach(fields, Some(window))).transpose()?;
        return Ok((reach(fields, None)?, near));
    }
    // The window is halved, and then a limit that is not reached.
    let half = window.map(|window| window / 2);
    let more = usize::from(!fields.or("is_causal", true)?);
    Ok((Reach::ALL, half.map(|half| Reach::around(half + more))))
}

/// As version 2 and 3 have it.
fn with_four_norms(family: Family, fields: &Fields) -> Result<RotaryConfig, String> {
    let activation = fields.or("hidden_activation", Activation::GeluTanh)?;
    let config = version(family, fields, 4, activation)?;
    let scalar = fields.positive("query_pre_attn_scalar")?.unwrap_or(256.0);
    let heads = Heads { scale: scalar.powf(-0.5), ..config.heads };
    Ok(RotaryConfig { heads, places: Places::BeforeAndAfter, ..config })
}

/// In Python it depends on the other texts of the batch whether this option has an effect.
fn only_causal(fields: &Fields) -> Result<(), String> {
    fields.only("use_bidirectional_attention", json!(false))
}
