//! The rules that fields of any `config.json` follow.

use serde_json::{Map, Value};

/// A size that is not 0, and not beyond any model, so that no memory is asked for in vain.
pub(crate) fn check_size(name: &str, size: usize, limit: usize) -> Result<(), String> {
    match size {
        size if (1..=limit).contains(&size) => Ok(()),
        size => Err(format!("`{name}` is {size}, expected 1 to {limit}")),
    }
}

/// A share of numbers that are dropped out.
pub(crate) fn check_share(name: &str, share: f64) -> Result<(), String> {
    match (0.0..1.0).contains(&share) {
        true => Ok(()),
        false => Err(format!("`{name}` is {share}, expected 0 to below 1")),
    }
}

/// A number that is added to a variance.
pub(crate) fn check_epsilon(name: &str, epsilon: f64) -> Result<(), String> {
    match (0.0..=0.1).contains(&epsilon) {
        true => Ok(()),
        false => Err(format!("`{name}` is {epsilon}, expected 0 to 0.1")),
    }
}

/// A standard deviation of new weights.
pub(crate) fn check_deviation(name: &str, deviation: f64) -> Result<(), String> {
    match (0.0..f64::INFINITY).contains(&deviation) {
        true => Ok(()),
        false => Err(format!("`{name}` is {deviation}, expected 0 or more")),
    }
}

/// Refuses a decoder, whose tokens see only those before them.
pub(crate) fn require_encoder(fields: &Map<String, Value>) -> Result<(), String> {
    match fields.get("is_decoder").and_then(Value::as_bool) {
        Some(true) => Err("`is_decoder` is true, but only encoders are supported".to_string()),
        _ => Ok(()),
    }
}
