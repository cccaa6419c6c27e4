//! Which device a name on the command line stands for.

use burn::tensor::Device;

use crate::error::Error;

/// The backends that Burn has, by the names the command line takes, with the cargo feature of
/// `burn` that each needs.
const BACKENDS: [(&str, &str); 5] = [
    ("flex", "flex"),
    ("ndarray", "ndarray"),
    ("wgpu", "wgpu"),
    ("libtorch", "tch"),
    ("cuda", "cuda"),
];

/// The device that `name` stands for, such as `flex` or `cuda:1`.
pub fn parse(name: &str) -> Result<Device, Error> {
    let (backend, index) = name.split_once(':').unwrap_or((name, "0"));
    let known = BACKENDS.iter().find(|(known, _)| *known == backend);
    let (Some((backend, feature)), Ok(_)) = (known, index.parse::<usize>()) else {
        let reason =
            format!("`{name}` is no device: use flex, ndarray, wgpu, libtorch or cuda[:index]");
        return Err(Error::option("--device", reason));
    };
    match *backend {
        "flex" if !name.contains(':') => Ok(Device::flex()),
        "flex" => Err(Error::option("--device", "`flex` is the CPU: it takes no index")),
        backend => {
            let reason = format!(
                "`{backend}` is not compiled in: add the cargo feature `{feature}` to the \
                 features of `burn` in examples/finetune/Cargo.toml and build again"
            );
            Err(Error::option("--device", reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flex_is_compiled_in() {
        assert_eq!(parse("flex").unwrap(), Device::flex());
    }

    #[test]
    fn other_backends_name_the_feature_to_add() {
        for (name, feature) in [("libtorch", "`tch`"), ("cuda:1", "`cuda`"), ("wgpu", "`wgpu`")] {
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
