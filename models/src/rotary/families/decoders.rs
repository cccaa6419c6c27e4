//! `config.json` of Qwen, Llama and Mistral.

use super::Family;
use crate::rotary::RotaryConfig;
use crate::rotary::fields::Fields;
use crate::rotary::norm::NormKind;
use crate::rotary::reach::{Kind, Reach};
use crate::rotary::sizes::{Gate, Heads};
use crate::transformer::Activation;

/// What the decoders here have in common. `shared` is the number of keys and values if the file does
/// not say.
pub(super) fn decoder(
    family: Family,
    fields: &Fields,
    shared: Option<usize>,
    head_size: Option<usize>,
) -> Result<RotaryConfig, String> {
    let base = RotaryConfig::base(family, fields, head_size)?;
    let key_value = fields.optional_size("num_key_value_heads", 1 << 10)?;
    // With `null`, there are as many as heads.
    let said = fields.0.contains_key("num_key_value_heads");
    let key_value = key_value.or(if said { None } else { shared }).unwrap_or(base.heads.query);
    let weights = fields.share("attention_dropout", 0.0)?;
    Ok(RotaryConfig {
        heads: Heads { key_value, ..base.heads },
        norm: (NormKind::Root, fields.epsilon("rms_norm_eps", 1e-6)?),
        dropout: family.dropouts(0.0, weights),
        ..base
    })
}

/// The tokens that a token sees, `window` of them if there is one.
pub(super) fn reach(fields: &Fields, window: Option<usize>) -> Result<Reach, String> {
    let causal = fields.or("is_causal", true)?;
    Ok(match window {
        _ if causal => Reach::causal(window),
        Some(window) => Reach::around(window),
        None => Reach::ALL,
    })
}

pub(super) fn window(fields: &Fields, default: usize) -> Result<Option<usize>, String> {
    let window = fields.optional_size("sliding_window", 1 << 24)?;
    let said = fields.0.contains_key("sliding_window");
    Ok(window.or(if said { None } else { Some(default) }))
}

fn qwen(config: RotaryConfig, fields: &Fields) -> Result<RotaryConfig, String> {
    let slides = fields.or("use_sliding_window", false)?;
    let window = if slides { window(fields, 4096)? } else { None };
    let first = fields.or("max_window_layers", 28)?;
    let rope = fields.rope(10_000.0)?;
    let gate = Gate::new(fields.or("hidden_act", Activation::Silu)?);
    let kind = |window| reach(fields, window).map(|reach| Kind { reach, rope });
    let sliding = window.map(|window| kind(Some(window))).transpose()?;
    let has_sliding = sliding.is_some();
    let config = RotaryConfig { gate, ..config };
    config.with_types(fields, |index| has_sliding && index >= first, kind(None)?, sliding)
}

pub(super) fn qwen2(fields: &Fields) -> Result<RotaryConfig, String> {
    let config = decoder(Family::Qwen2, fields, Some(32), None)?;
    qwen(RotaryConfig { heads: Heads { bias: true, ..config.heads }, ..config }, fields)
}

pub(super) fn qwen3(fields: &Fields) -> Result<RotaryConfig, String> {
    let config = decoder(Family::Qwen3, fields, Some(32), Some(128))?;
    let bias = fields.or("attention_bias", false)?;
    let heads = Heads { bias, output_bias: bias, norms: true, ..config.heads };
    qwen(RotaryConfig { heads, ..config }, fields)
}

pub(super) fn llama(fields: &Fields) -> Result<RotaryConfig, String> {
    let config = decoder(Family::Llama, fields, None, None)?;
    let (attention_bias, bias) =
        (fields.or("attention_bias", false)?, fields.or("mlp_bias", false)?);
    let gate = Gate::new(fields.or("hidden_act", Activation::Silu)?);
    let config = RotaryConfig {
        heads: Heads { bias: attention_bias, output_bias: attention_bias, ..config.heads },
        gate: Gate { bias, output_bias: bias, ..gate },
        ..config
    };
    Ok(config.with_layers_alike(reach(fields, None)?, fields.rope(10_000.0)?))
}

pub(super) fn mistral(fields: &Fields) -> Result<RotaryConfig, String> {
    let config = decoder(Family::Mistral, fields, Some(8), None)?;
    let gate = Gate::new(fields.or("hidden_act", Activation::Silu)?);
    let (config, rope) = (RotaryConfig { gate, ..config }, fields.rope(10_000.0)?);
    let window = window(fields, 4096)?;
    if !fields.0.contains_key("layer_types") {
        return Ok(config.with_layers_alike(reach(fields, window)?, rope));
    }
    // Python takes such a model for a Ministral, whose layers differ.
    let kind = |window| reach(fields, window).map(|reach| Kind { reach, rope });
    let sliding = window.map(|window| kind(Some(window))).transpose()?;
    config.with_types(fields, |_| true, kind(None)?, sliding)
}
