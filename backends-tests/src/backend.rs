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
#[allow(deprecated, reason = "Burn is about to drop ndarray and libtorch; they are still promised")]
pub fn device(name: &str) -> Result<Device, String> {
    match name {
        #[cfg(feature = "flex")]
        "flex" => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        "ndarray" => Ok(Device::ndarray()),
        #[cfg(feature = "wgpu")]
        "wgpu" => Ok(Device::wgpu(DeviceKind::DefaultDevice)),
        #[cfg(feature = "tch")]
        "libtorch" => Ok(Device::libtorch()),
        #[cfg(feature = "cuda")]
        "cuda" => Ok(Device::cuda(0)),
        _ => Err(unavailable(name)),
    }
}

/// The backends that are compiled in, by name.
pub fn compiled() -> Vec<(&'static str, Device)> {
    NAMES.iter().filter_map(|(name, _)| Some((*name, device(name).ok()?))).collect()
}

fn unavailable(name: &str) -> String {
    match NAMES.iter().find(|(known, _)| *known == name) {
        Some((_, feature)) => {
            format!("backend `{name}` was not compiled in; add `--features {feature}`")
        }
        None => {
            let names = NAMES.map(|(name, _)| name).join(", ");
            format!("unknown backend `{name}`; known are {names}")
        }
    }
}
