//! The parameters of a network: checked against the model before a value is read, and written again
//! as `model.safetensors`, under the same names.

mod adapter;
mod archive;
mod files;
mod pair_encoder;
mod parameters;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::{DType, Device, TensorData};
use burn_store::{
    BurnToPyTorchAdapter, FloatCastAdapter, KeyRemapper, ModuleAdapter, ModuleSnapshot,
    PyTorchToBurnAdapter, SafetensorsStore, burn_pack,
};

pub use self::adapter::{ADAPTER, base, save as adapter_files};
use self::files::one_line;
pub use self::files::{Tensors, WEIGHTS};
pub use self::pair_encoder::{
    file_name as pair_encoder_name, load as load_pair_encoder, new as new_pair_encoder,
    save as save_pair_encoder,
};
pub use self::parameters::{Parameter, linear_layers};
use crate::directory::Directory;
use crate::error::Error;
use crate::network::{Network, NetworkConfig};
use crate::shape::Names;

/// The number of parameters that an error names; the others are counted.
const NAMED: usize = 5;

/// Reads the parameters of a network from the directory `module`.
///
/// Values of any float type become `f32`. Tensors that the model has no use for are ignored. An adapter
/// in the directory is added to the parameters, which may be in another directory that it names.
pub fn load(
    directory: &Directory,
    module: &Path,
    config: &NetworkConfig,
    device: &Device,
) -> Result<Network, Error> {
    let (path, found) = of_network(directory, module, config, device)?;
    network(&path, found, config, device)
}

/// The parameters of a network by the names of this crate, with those of an adapter added, and their file.
fn of_network(
    directory: &Directory,
    module: &Path,
    config: &NetworkConfig,
    device: &Device,
) -> Result<(PathBuf, Tensors), Error> {
    let base = base(directory, module)?;
    let (path, found) = match &base {
        Some((base, inside)) => files::read(base, inside)?,
        None => files::read(directory, module)?,
    };
    let found = by_our_names(found, config);
    let mut found = found.map_err(|reason| Error::read(&path, reason))?;
    adapter::merge(directory, module, &mut found, &config.shape().names().reading(), device)?;
    Ok((path, found))
}

/// The network with these parameters, from the file at `path`.
fn network(
    path: &Path,
    found: Tensors,
    config: &NetworkConfig,
    device: &Device,
) -> Result<Network, Error> {
    let there: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    let network = config.network(&there, device);
    let writing = config.shape().names().writing();
    apply(network, found, path, |name| renamed(&writing, name))
}

/// Reads the parameters of a module after the network, whose names are PyTorch's.
pub fn load_module<M: Module>(directory: &Directory, module: &Path, model: M) -> Result<M, Error> {
    let (path, found) = files::read(directory, module)?;
    apply(model, found, &path, |name| name.to_string())
}

/// Reads the parameters of a module of any kind from the safetensors file at `path`, whose names are PyTorch's. For
/// messages, `owner` is what says which parameters there are.
///
/// # Errors
///
/// If the file cannot be read, or lacks a parameter or has it in another shape.
pub fn load_file<M: Module>(path: &Path, owner: &str, model: M) -> Result<M, Error> {
    apply_to(model, files::read_file(path)?, (path, owner), |name| name.to_string())
}

/// Everything in the weights of the directory `module`, and the file.
pub fn tensors(directory: &Directory, module: &Path) -> Result<(PathBuf, Tensors), Error> {
    files::read(directory, module)
}

/// The numbers of a tensor in a file.
pub fn data(tensor: &burn_pack::Tensor) -> Result<TensorData, String> {
    let bytes = tensor.to_bytes().map_err(|error| one_line(&error))?;
    Ok(TensorData::from_bytes(bytes, tensor.shape.clone(), tensor.dtype))
}

/// Puts the parameters found in the file at `path` into a module; `file_name` gives a parameter's
/// name in the file.
fn apply<M: Module>(
    model: M,
    found: Tensors,
    path: &Path,
    file_name: impl Fn(&str) -> String,
) -> Result<M, Error> {
    apply_to(model, found, (path, "config.json"), file_name)
}

/// The same for what `owner` describes.
fn apply_to<M: Module>(
    mut model: M,
    found: Tensors,
    (path, owner): (&Path, &str),
    file_name: impl Fn(&str) -> String,
) -> Result<M, Error> {
    let failed = |reason: String| Error::read(path, reason);
    let problems = problems(&model, &found, file_name);
    if !problems.is_empty() {
        return Err(failed(listed(&problems, owner)));
    }
    let adapter = PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32));
    let tensors = found.into_values().collect();
    let applied = model.apply(tensors, None, Some(Box::new(adapter)), true);
    match applied.errors.first() {
        Some(error) => Err(failed(format!("{}; fetch it again", one_line(error)))),
        None => Ok(model),
    }
}

/// Parameters by the names that this crate has for them. Two names of one parameter must have the same numbers.
fn by_our_names(found: Tensors, config: &NetworkConfig) -> Result<Tensors, String> {
    let names: Vec<_> = found.keys().cloned().collect();
    let (renamed, _) = config.shape().names().reading().remap(found.into_values().collect());
    let mut found = BTreeMap::new();
    for (name, tensor) in names.into_iter().zip(renamed) {
        match found.entry(tensor.name.clone()) {
            Entry::Vacant(place) => {
                place.insert((name, tensor));
            }
            Entry::Occupied(place) => {
                let (other, first): &(String, burn_pack::Tensor) = place.get();
                if !equal(first, &tensor)? {
                    return Err(format!(
                        "`{other}` and `{name}` are the same parameter with other numbers: keep the one that is meant"
                    ));
                }
            }
        }
    }
    let mut found: Tensors = found.into_iter().map(|(name, (_, tensor))| (name, tensor)).collect();
    if let Some((name, other)) = config.shape().other_name()
        && let Some(mut tensor) = found.remove(other)
    {
        tensor.name = name.to_string();
        found.insert(tensor.name.clone(), tensor);
    }
    Ok(found)
}

fn equal(first: &burn_pack::Tensor, second: &burn_pack::Tensor) -> Result<bool, String> {
    let alike = first.shape == second.shape && first.dtype == second.dtype;
    let bytes = |tensor: &burn_pack::Tensor| tensor.to_bytes().map_err(|error| one_line(&error));
    Ok(alike && bytes(first)?[..] == bytes(second)?[..])
}

/// Writes the parameters of a network under the names that `transformers` gives them.
pub fn save(path: &Path, model: &Network, names: Names) -> Result<(), Error> {
    write(path, model, names.writing())
}

/// Writes the parameters of a module after the network.
pub fn save_module<M: Module>(path: &Path, model: &M) -> Result<(), Error> {
    write(path, model, KeyRemapper::new())
}

fn write<M: Module>(path: &Path, model: &M, writing: KeyRemapper) -> Result<(), Error> {
    let mut store = SafetensorsStore::from_file(path)
        .skip_enum_variants(true)
        .clear_metadata()
        .metadata("format", "pt")
        .remap(writing)
        .with_to_adapter(BurnToPyTorchAdapter);
    model.valid().save_into(&mut store).map_err(|error| Error::write(path, error))
}

/// The name that `transformers` gives to the parameter at `path` in a network.
///
/// ```
/// use burn_embedding_models::TransformerConfig;
/// use burn_embedding_models::shape::Shape;
/// use burn_embedding_models::weights::file_name;
///
/// let names = TransformerConfig::bert(30522).names();
/// let name = file_name("layers.0.attention.query.weight", names);
/// assert_eq!(name, "encoder.layer.0.attention.self.query.weight");
/// ```
pub fn file_name(path: &str, names: Names) -> String {
    renamed(&names.writing(), &parameters::as_in_pytorch(path))
}

/// One name, as a remapper gives it.
fn renamed(remapper: &KeyRemapper, name: &str) -> String {
    let rules = remapper.patterns.iter();
    rules.fold(name.to_string(), |name, (from, to)| from.replace(&name, to).into_owned())
}

fn listed(problems: &[String], owner: &str) -> String {
    let more = match problems.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let named = problems[..problems.len().min(NAMED)].join("; ");
    format!("it does not fit {owner}: {named}{more}")
}

/// The parameters that a file lacks, or has in another shape or type than the model, by the file's
/// names.
fn problems<M: Module>(
    model: &M,
    found: &Tensors,
    file_name: impl Fn(&str) -> String,
) -> Vec<String> {
    let problem = |Parameter { name, shape, .. }: Parameter| {
        let shown = || file_name(&name);
        match find(found, &name) {
            None => Some(format!("`{}` {shape:?} is missing", shown())),
            Some(tensor) if tensor.shape.as_slice() != shape.as_slice() => {
                Some(format!("`{}` is {:?}, expected {shape:?}", shown(), tensor.shape.as_slice()))
            }
            Some(tensor) if !tensor.dtype.is_float() => {
                Some(format!("`{}` holds {:?}, expected floats", shown(), tensor.dtype))
            }
            Some(_) => None,
        }
    };
    parameters::of(model).into_iter().filter_map(problem).collect()
}

/// Files from before PyTorch call the parameters of a normalisation as Burn does.
fn find<'a>(found: &'a Tensors, name: &str) -> Option<&'a burn_pack::Tensor> {
    let older = || match name.rsplit_once('.') {
        Some((module, "weight")) => found.get(&format!("{module}.gamma")),
        Some((module, "bias")) => found.get(&format!("{module}.beta")),
        _ => None,
    };
    found.get(name).or_else(older)
}
