//! The files that hold the parameters of a network: one, or several with an index.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use burn_store::burn_pack::Tensor;
use burn_store::{ModuleStore, PytorchStore, SafetensorsStore};
use serde::Deserialize;

use super::archive;
use crate::directory::{Directory, advice, regular_file};
use crate::error::Error;

/// The file that the parameters are saved in.
pub const WEIGHTS: &str = "model.safetensors";

/// The longest index that is read, in bytes.
const INDEX_LIMIT: u64 = 1 << 24;

/// Parameters by the names that their files have for them.
pub type Tensors = BTreeMap<String, Tensor>;

/// How the parameters are written down.
#[derive(Debug, Clone, Copy)]
enum Format {
    Safetensors,
    /// A pickle, of which only the tensors are read: nothing in it is executed.
    PyTorch,
}

impl Format {
    /// In the order in which `transformers` looks for them: the name, and whether it is an index.
    const FILES: [(&str, Self, bool); 4] = [
        (WEIGHTS, Self::Safetensors, false),
        ("model.safetensors.index.json", Self::Safetensors, true),
        ("pytorch_model.bin", Self::PyTorch, false),
        ("pytorch_model.bin.index.json", Self::PyTorch, true),
    ];

    /// Those of an adapter.
    const ADAPTER_FILES: [(&str, Self, bool); 2] = [
        ("adapter_model.safetensors", Self::Safetensors, false),
        ("adapter_model.bin", Self::PyTorch, false),
    ];

    fn read(self, path: &Path) -> Result<Tensors, Error> {
        regular_file(path)?;
        match self {
            Self::Safetensors => tensors(path, SafetensorsStore::from_file(path), "safetensors"),
            Self::PyTorch => {
                archive::check(path)?;
                tensors(path, PytorchStore::from_file(path), "PyTorch")
            }
        }
    }
}

/// The parameters in the directory `module`, and the file that they, or their index, are in.
pub fn read(directory: &Directory, module: &Path) -> Result<(PathBuf, Tensors), Error> {
    read_first(directory, module, &Format::FILES)
}

/// The parameters in the safetensors file at `path`.
pub fn read_file(path: &Path) -> Result<Tensors, Error> {
    Format::Safetensors.read(path)
}

/// The parameters of the adapter in the directory `module`, and their file.
pub fn read_adapter(directory: &Directory, module: &Path) -> Result<(PathBuf, Tensors), Error> {
    read_first(directory, module, &Format::ADAPTER_FILES)
}

/// Reads the first of `files` that is there.
fn read_first(
    directory: &Directory,
    module: &Path,
    files: &[(&str, Format, bool)],
) -> Result<(PathBuf, Tensors), Error> {
    let there = |name: &str| directory.path().join(module).join(name).symlink_metadata().is_ok();
    let found = files.iter().find(|(name, ..)| there(name));
    let Some((name, format, index)) = found else {
        return Err(advice::no_weights(directory, module, files[0].0));
    };
    let path = directory.path().join(module).join(name);
    directory.check_link(&path)?;
    let tensors = match index {
        true => sharded(directory, &module.join(name), *format)?,
        false => format.read(&path)?,
    };
    Ok((path, tensors))
}

/// The fields of an index that this crate uses.
#[derive(Debug, Deserialize)]
struct Index {
    /// The file of each parameter, beside the index.
    weight_map: BTreeMap<String, String>,
}

/// The parameters in the files that the index at `file` names.
fn sharded(directory: &Directory, file: &Path, format: Format) -> Result<Tensors, Error> {
    let path = directory.path().join(file);
    let bytes = directory.required(file, INDEX_LIMIT)?;
    let index: Index = serde_json::from_slice(&bytes).map_err(|error| Error::read(&path, error))?;
    let shards: BTreeSet<String> = index.weight_map.into_values().collect();
    let mut tensors = Tensors::new();
    for shard in shards {
        let shard = path.with_file_name(Directory::inside(&path, &shard)?);
        directory.check_link(&shard)?;
        tensors.extend(format.read(&shard)?);
    }
    Ok(tensors)
}

/// What the readers say of a type of numbers that they do not know, such as the floats of 8 bits.
const UNKNOWN_NUMBERS: [&str; 2] = ["Unsupported dtype", "unsupported Python type 'torch."];

fn tensors(path: &Path, mut store: impl ModuleStore, kind: &str) -> Result<Tensors, Error> {
    let found = store.get_all_tensors().map_err(|error| {
        let error = one_line(&error);
        let reason = match UNKNOWN_NUMBERS.iter().any(|words| error.contains(words)) {
            true => {
                "it has numbers that are not read here: save the model again in Python with `model.float()`"
                    .to_string()
            }
            false => format!("the file is damaged or no {kind} file: fetch it again"),
        };
        Error::read(path, format!("{error}; {reason}"))
    })?;
    Ok(found.clone())
}

/// A message of the store, which may span lines, as one line.
pub fn one_line(error: &impl std::fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
