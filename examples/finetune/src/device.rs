//! Which device a name on the command line stands for.

use burn::tensor::Device;
#[cfg(feature = "wgpu")]
use burn::tensor::DeviceKind;

use crate::error::Error;

/// The backends that Burn has, by the names the command line takes, with the cargo feature that
/// each needs.
const BACKENDS: [(&str, &str); 5] = [
    ("flex", "flex"),
    ("ndarray", "ndarray"),
    ("wgpu", "wgpu"),
    ("libtorch", "tch"),
    ("cuda", "cuda"),
];

/// The device that `name` stands for, such as `flex` or `cuda:1`.
///
/// `wgpu:1` is the second discrete GPU, `libtorch:1` the second CUDA device of libtorch; without an
/// index they are the best GPU and the CPU.
#[allow(deprecated, reason = "Burn is about to drop ndarray and libtorch; they are still offered")]
pub fn parse(name: &str) -> Result<Device, Error> {
    let (backend, index) = match name.split_once(':') {
        None => (name, None),
        Some((backend, index)) => {
            (backend, Some(index.parse::<usize>().map_err(|_| no_device(name))?))
        }
    };
    match (backend, index) {
        #[cfg(feature = "flex")]
        ("flex", None) => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        ("ndarray", None) => Ok(Device::ndarray()),
        #[cfg(feature = "wgpu")]
        ("wgpu", None) => Ok(Device::wgpu(DeviceKind::DefaultDevice)),
        #[cfg(feature = "wgpu")]
        ("wgpu", Some(index)) => Ok(Device::wgpu(DeviceKind::DiscreteGpu(index))),
        #[cfg(feature = "tch")]
        ("libtorch", None) => Ok(Device::libtorch()),
        #[cfg(feature = "tch")]
        ("libtorch", Some(index)) => Ok(Device::libtorch_cuda(index)),
        #[cfg(feature = "cuda")]
        ("cuda", index) => Ok(Device::cuda(index.unwrap_or(0))),
        ("flex" | "ndarray", Some(_)) => {
            Err(Error::option("--device", format!("`{backend}` is the CPU: it takes no index")))
        }
        _ => Err(not_compiled_in(name, backend)),
    }
}

fn not_compiled_in(name: &str, backend: &str) -> Error {
    let Some((_, feature)) = BACKENDS.iter().find(|(known, _)| *known == backend) else {
        return no_device(name);
    };
    let reason = format!(
        "`{backend}` is not compiled in: run with \
         `cargo run --release -p finetune --features {feature} --`"
    );
    Error::option("--device", reason)
}

fn no_device(name: &str) -> Error {
    let known = "flex, ndarray, wgpu[:index], libtorch[:index] or cuda[:index]";
    Error::option("--device", format!("`{name}` is no device: use {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "flex")]
    fn flex_is_compiled_in() {
        assert_eq!(parse("flex").unwrap(), Device::flex());
    }

    #[test]
    #[cfg(not(any(feature = "cuda", feature = "tch", feature = "wgpu")))]
    fn other_backends_name_the_feature_to_add() {
        for (name, feature) in [("libtorch", " tch "), ("cuda:1", " cuda "), ("wgpu", " wgpu ")] {
            let message = parse(name).unwrap_err().to_string();
            assert!(message.contains(feature), "{message}");
        }
    }

    #[test]
    fn names_that_are_none_are_refused() {
        for name in ["tpu", "cuda:x", "flex:1", ""] {
            assert!(parse(name).is_err(), "{name}");
        }
    }
}
