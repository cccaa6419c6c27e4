//! Backends by name.

use burn::prelude::*;

/// The names that `--backend` takes, each with the cargo feature that compiles it in.
pub const NAMES: [(&str, &str); 5] = [
    ("flex", "flex"),
    ("ndarray", "ndarray"),
    ("wgpu", "wgpu"),
    ("libtorch", "tch"),
    ("cuda", "cuda"),
];

/// The device of a backend.
///
/// # Errors
///
/// If there is no such backend, or it was not compiled in; the message says what to do.
pub fn device(name: &str) -> Result<Device, String> {
    if name == "flex" {
        return Ok(Device::flex());
    }
    let names = || NAMES.map(|(name, _)| name).join(", ");
    match NAMES.iter().find(|(known, _)| *known == name) {
        Some((_, feature)) => {
            Err(format!("backend `{name}` was not compiled in; add `--features {feature}`"))
        }
        None => Err(format!("unknown backend `{name}`; known are {}", names())),
    }
}
