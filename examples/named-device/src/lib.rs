//! Devices by the names that command lines take: `flex`, `cuda:1`.

use std::panic::{self, AssertUnwindSafe};

#[cfg(any(feature = "wgpu", feature = "vulkan", feature = "metal", feature = "webgpu"))]
use burn::tensor::DeviceKind;
use burn::tensor::{Device, Tensor};

/// Every backend by its name, with the cargo feature that compiles it in.
pub const BACKENDS: [(&str, &str); 9] = [
    ("flex", "flex"),
    ("ndarray", "ndarray"),
    ("libtorch", "tch"),
    ("wgpu", "wgpu"),
    ("vulkan", "vulkan"),
    ("metal", "metal"),
    ("webgpu", "webgpu"),
    ("cuda", "cuda"),
    ("rocm", "rocm"),
];

/// Why a name is no device here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownDevice {
    /// Another spelling of nothing.
    #[error("`{0}` is no device: use {known}", known = known())]
    NoDevice(String),
    /// A backend without numbered devices.
    #[error("`{0}` is the CPU: it takes no index")]
    NoIndex(String),
    /// A backend that this program was built without.
    #[error("`{backend}` was not compiled in: add `--features {feature}` to the cargo command")]
    NotCompiledIn {
        /// Its name.
        backend: &'static str,
        /// The cargo feature that it needs.
        feature: &'static str,
    },
    /// A device that Burn cannot start: no driver, no such card.
    #[error("`{name}` does not start: no such device here, or no driver for it ({reason})")]
    DoesNotStart {
        /// The name as given.
        name: String,
        /// What Burn says.
        reason: String,
    },
}

/// The device that `name` [stands for](parse), started.
///
/// # Errors
///
/// As [`parse`], and if there is no such card or no driver for it.
pub fn open(name: &str) -> Result<Device, UnknownDevice> {
    let device = parse(name)?;
    match start(&device) {
        Ok(()) => Ok(device),
        Err(reason) => Err(UnknownDevice::DoesNotStart { name: name.into(), reason }),
    }
}

/// Burn panics where a device cannot be had; a command line wants one message.
fn start(device: &Device) -> Result<(), String> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let one = || Tensor::<1>::ones([1], device).try_into_scalar::<f32>();
    let outcome = panic::catch_unwind(AssertUnwindSafe(one));
    panic::set_hook(hook);
    match outcome {
        Ok(Ok(1.0)) => Ok(()),
        Ok(other) => Err(format!("1 is read back as {other:?}")),
        Err(cause) => Err(first_line(cause.as_ref())),
    }
}

fn first_line(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
    // A message within a message has its line ends spelt out.
    text.split("\\n").flat_map(str::lines).next().unwrap_or_default().into()
}

/// The device that `name` stands for, such as `flex` or `cuda:1`.
///
/// `wgpu:1` (or `vulkan:1`, …) is the second discrete GPU, `libtorch:1` the second CUDA device of
/// libtorch; without an index they are the best GPU and the CPU.
///
/// # Errors
///
/// If there is no such device, or its backend was not compiled in; the message says what to do.
#[allow(deprecated, reason = "Burn is about to drop ndarray and libtorch; they are still offered")]
pub fn parse(name: &str) -> Result<Device, UnknownDevice> {
    let (backend, index) = split(name)?;
    match (backend, index) {
        #[cfg(feature = "flex")]
        ("flex", None) => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        ("ndarray", None) => Ok(Device::ndarray()),
        #[cfg(feature = "tch")]
        ("libtorch", None) => Ok(Device::libtorch()),
        #[cfg(feature = "tch")]
        ("libtorch", Some(index)) => Ok(Device::libtorch_cuda(index)),
        #[cfg(feature = "wgpu")]
        ("wgpu", index) => Ok(Device::wgpu(gpu(index))),
        #[cfg(feature = "vulkan")]
        ("vulkan", index) => Ok(Device::vulkan(gpu(index))),
        #[cfg(feature = "metal")]
        ("metal", index) => Ok(Device::metal(gpu(index))),
        #[cfg(feature = "webgpu")]
        ("webgpu", index) => Ok(Device::webgpu(gpu(index))),
        #[cfg(feature = "cuda")]
        ("cuda", index) => Ok(Device::cuda(index.unwrap_or(0))),
        #[cfg(feature = "rocm")]
        ("rocm", index) => Ok(Device::rocm(index.unwrap_or(0))),
        ("flex" | "ndarray", Some(_)) => Err(UnknownDevice::NoIndex(backend.into())),
        _ => Err(unavailable(name, backend)),
    }
}

/// The first device of every backend that is compiled in, by name.
pub fn compiled_in() -> Vec<(&'static str, Device)> {
    BACKENDS.iter().filter_map(|(name, _)| Some((*name, parse(name).ok()?))).collect()
}

fn split(name: &str) -> Result<(&str, Option<usize>), UnknownDevice> {
    let Some((backend, index)) = name.split_once(':') else {
        return Ok((name, None));
    };
    let index = index.parse().map_err(|_| UnknownDevice::NoDevice(name.into()))?;
    Ok((backend, Some(index)))
}

#[cfg(any(feature = "wgpu", feature = "vulkan", feature = "metal", feature = "webgpu"))]
fn gpu(index: Option<usize>) -> DeviceKind {
    index.map_or(DeviceKind::DefaultDevice, DeviceKind::DiscreteGpu)
}

fn unavailable(name: &str, backend: &str) -> UnknownDevice {
    match BACKENDS.iter().find(|(known, _)| *known == backend) {
        Some(&(backend, feature)) => UnknownDevice::NotCompiledIn { backend, feature },
        None => UnknownDevice::NoDevice(name.into()),
    }
}

fn known() -> String {
    let name = |(name, _): &(&str, &str)| match *name {
        "flex" | "ndarray" => (*name).to_string(),
        numbered => format!("{numbered}[:index]"),
    };
    BACKENDS.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_is_compiled_in_or_names_the_feature_to_add() {
        for (name, feature) in BACKENDS {
            match parse(name) {
                Ok(device) => assert!(compiled_in().contains(&(name, device))),
                Err(error) => {
                    assert!(error.to_string().contains(&format!("--features {feature}`")))
                }
            }
        }
    }

    #[test]
    fn names_that_are_none_are_refused() {
        for name in ["tpu", "cuda:x", "tpu:1", ""] {
            assert_eq!(parse(name), Err(UnknownDevice::NoDevice(name.into())));
        }
        let message = parse("tpu").unwrap_err().to_string();
        assert!(message.contains("flex, ndarray, libtorch[:index]"), "{message}");
    }

    #[test]
    fn a_device_that_is_compiled_in_starts_or_says_why_not() {
        for (name, device) in compiled_in() {
            match open(name) {
                Ok(started) => assert_eq!(started, device),
                Err(UnknownDevice::DoesNotStart { reason, .. }) => assert!(!reason.is_empty()),
                Err(other) => panic!("{name}: {other}"),
            }
        }
    }

    #[test]
    #[cfg(feature = "flex")]
    fn the_cpu_has_no_number() {
        assert_eq!(parse("flex"), Ok(Device::flex()));
        assert_eq!(parse("flex:1"), Err(UnknownDevice::NoIndex("flex".into())));
    }
}
