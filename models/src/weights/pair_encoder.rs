//! The parameters of a network with a head that scores text pairs.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use burn_store::KeyRemapper;

use super::parameters::as_in_pytorch;
use super::{Tensors, apply, network, of_network, renamed, write};
use crate::cross_encoder::{Head, HeadConfig, HeadNames, PairEncoder};
use crate::directory::Directory;
use crate::error::Error;
use crate::network::NetworkConfig;
use crate::shape::Names;

/// Reads the parameters from the directory `module`.
pub fn load(
    directory: &Directory,
    module: &Path,
    (config, head): (&NetworkConfig, &HeadConfig),
    device: &Device,
) -> Result<PairEncoder, Error> {
    let (path, found, of_head) = apart(directory, module, (config, head), device)?;
    let there = |name: &str| {
        let (layer, kind) = name.rsplit_once('.').unwrap_or((name, ""));
        let pair = head.names.pairs().find(|(here, _)| *here == layer);
        pair.map_or_else(|| name.to_string(), |(_, there)| format!("{there}.{kind}"))
    };
    let head = apply(new_head(config, head, device), of_head, &path, there)?;
    Ok(PairEncoder { network: network(&path, found, config, device)?, head, adapted: false })
}

/// Reads the parameters of an encoder, and draws those of a head that it lacks.
pub fn new(
    directory: &Directory,
    module: &Path,
    (config, head): (&NetworkConfig, &HeadConfig),
    device: &Device,
) -> Result<PairEncoder, Error> {
    let (path, found, of_head) = apart(directory, module, (config, head), device)?;
    let mut head = new_head(config, head, device);
    let layer = |layer: &str| {
        let own = of_head.iter().filter_map(|(name, tensor)| {
            let kind = name.strip_prefix(layer)?.strip_prefix('.')?;
            let mut tensor = tensor.clone();
            tensor.name = kind.to_string();
            Some((kind.to_string(), tensor))
        });
        own.collect::<Tensors>()
    };
    let there = |name: &str| name.to_string();
    let (of_dense, of_norm) = (layer("dense"), layer("norm"));
    if !of_dense.is_empty() {
        head.dense = apply(head.dense, of_dense, &path, there)?;
    }
    if !of_norm.is_empty() {
        head.norm = head.norm.map(|norm| apply(norm, of_norm, &path, there)).transpose()?;
    }
    Ok(PairEncoder { network: network(&path, found, config, device)?, head, adapted: false })
}

fn new_head(config: &NetworkConfig, head: &HeadConfig, device: &Device) -> Head {
    let norm = match config {
        NetworkConfig::Rotary(config) => head.names.norm.map(|_| config.hidden_norm(device)),
        _ => None,
    };
    Head::new(head, norm, device)
}

/// The file, the parameters of the network by the names of this crate, and those of the head by its own.
fn apart(
    directory: &Directory,
    module: &Path,
    (config, head): (&NetworkConfig, &HeadConfig),
    device: &Device,
) -> Result<(PathBuf, Tensors, Tensors), Error> {
    let (path, mut found) = of_network(directory, module, config, device)?;
    let prefix = format!("{}.", config.shape().names().prefix);
    let reading = config.shape().names().reading();
    // Where the network has a name for a layer, the parameters have it already.
    let ours = |name: &str| renamed(&reading, name);
    let mut of_head = Tensors::new();
    for (here, there) in head.names.pairs() {
        for kind in ["weight", "bias"] {
            let name = format!("{there}.{kind}");
            let without = name.trim_start_matches(&prefix).to_string();
            let mut names = [ours(&name), name, without].into_iter();
            if let Some(mut tensor) = names.find_map(|name| found.remove(&name)) {
                tensor.name = format!("{here}.{kind}");
                of_head.insert(tensor.name.clone(), tensor);
            }
        }
    }
    Ok((path, found, of_head))
}

/// Writes the parameters under the names that `transformers` gives them.
pub fn save(
    path: &Path,
    encoder: &PairEncoder,
    names: Names,
    head: HeadNames,
) -> Result<(), Error> {
    write(path, encoder, writing(names, head))
}

/// The name that `transformers` gives to the parameter at `path` in an encoder of pairs.
pub fn file_name(path: &str, names: Names, head: HeadNames) -> String {
    renamed(&writing(names, head), &as_in_pytorch(path))
}

/// From the names here to those in a file. The network's have a prefix there; a mark keeps it from those of
/// the head.
fn writing(names: Names, head: HeadNames) -> KeyRemapper {
    let of_head = head
        .pairs()
        .map(|(here, there)| (format!(r"^head\.{here}\.([a-z]+)$"), format!("!{there}.$1")));
    let of_network = names.writing().patterns.into_iter();
    let of_network = of_network.map(|(from, to)| (from.as_str().to_string(), to));
    let ends = [
        (r"^([A-Za-z].*)$".to_string(), format!("{}.$1", names.prefix)),
        ("^!(.*)$".to_string(), "$1".to_string()),
    ];
    let rules = [(r"^network\.(.*)$".to_string(), "$1".to_string())].into_iter();
    let rules = rules.chain(of_head).chain(of_network).chain(ends);
    rules.fold(KeyRemapper::new(), |remapper, (from, to)| {
        remapper.add_pattern(from, to).expect("the names of modules are valid patterns")
    })
}
