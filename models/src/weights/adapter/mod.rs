//! LoRA adapters, as `peft` saves them: small matrices that are added to parameters of a model.

mod config;
pub mod save;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use burn::tensor::{DType, Device, Shape, Tensor};
use burn_store::{KeyRemapper, burn_pack};

use self::config::AdapterConfig;
use super::files::{self, Tensors};
use super::{data, renamed};
use crate::directory::{CONFIG, Directory, advice};
use crate::error::Error;

/// The configuration of an adapter.
pub const ADAPTER: &str = "adapter_config.json";

/// The start of each name in an adapter.
const PREFIX: &str = "base_model.model.";

/// What peft has in names of further copies of a parameter.
const COPIES: [&str; 2] = [".original_module.", ".modules_to_save."];

/// What to do about names of a model in memory, which have the name of the adapter in them.
const LIVE: &str = "; if it was written from a state_dict, save it with peft's save_pretrained, which names it as it \
                    is read";

/// The pairs of matrices, by the ends of their names, and whether their product is transposed.
const PAIRS: [(&str, &str, bool); 2] =
    [(".lora_A.weight", ".lora_B.weight", false), (".lora_embedding_A", ".lora_embedding_B", true)];

/// The model that the adapter in the directory `module` names as its own: a local directory, and the
/// module in it. `None` if there is no adapter, or if a `config.json` says that the model is beside it.
pub fn base(directory: &Directory, module: &Path) -> Result<Option<(Directory, PathBuf)>, Error> {
    let place = directory.path().join(module);
    let there = |name: &str| place.join(name).symlink_metadata().is_ok();
    if !there(ADAPTER) || there(CONFIG) {
        return Ok(None);
    }
    let config: AdapterConfig = directory.json(&module.join(ADAPTER))?;
    let failed = |reason: String| Error::read(&place.join(ADAPTER), reason);
    let Some(name) = config.base_model_name_or_path.filter(|name| !name.is_empty()) else {
        return Err(failed(
            "it has no `base_model_name_or_path`, and there is no config.json".into(),
        ));
    };
    let beside = place.join(&name);
    let found = [PathBuf::from(&name), beside.clone()].into_iter().find(|path| path.is_dir());
    let found = found.ok_or_else(|| {
        let way_out = match advice::may_be_of_hub(Path::new(&name)) {
            true => {
                format!("fetch the model with `hf download {name} --local-dir DIR` and write DIR")
            }
            false => "write the path of the model".to_string(),
        };
        failed(format!(
            "`base_model_name_or_path` is {name:?}, no local directory: {way_out} there"
        ))
    })?;
    // The adapter may name a model anywhere, and whoever looks into it sees where. A link would hide that.
    if found == beside && Directory::inside(&place.join(ADAPTER), &name).is_ok() {
        directory.check_link(&beside)?;
    }
    if found.join(ADAPTER).exists() {
        let reason = format!(
            "`base_model_name_or_path` is {name:?}, which has an adapter itself: merge that one first"
        );
        return Err(failed(reason));
    }
    Ok(Some((Directory::open(&found)?, PathBuf::new())))
}

/// Adds the adapter in the directory `module`, if there is one, to parameters that `reading` has
/// renamed.
pub fn merge(
    directory: &Directory,
    module: &Path,
    found: &mut Tensors,
    reading: &KeyRemapper,
    device: &Device,
) -> Result<(), Error> {
    let file = module.join(ADAPTER);
    if directory.path().join(&file).symlink_metadata().is_err() {
        return Ok(());
    }
    let config: AdapterConfig = directory.json(&file)?;
    config.check().map_err(|reason| Error::read(&directory.path().join(file), reason))?;
    let (path, tensors) = files::read_adapter(directory, module)?;
    let plain = |(name, tensor): (String, burn_pack::Tensor)| {
        (name.trim_start_matches(PREFIX).replace(".base_layer.", "."), tensor)
    };
    // A parameter that was trained as a whole has its plain name too.
    let twice = |name: &str| COPIES.iter().any(|part| name.contains(part));
    let tensors: Tensors =
        tensors.into_iter().filter(|(name, _)| !twice(name)).map(plain).collect();
    let device = device.clone().without_autodiff();
    let merger = Merger { config, tensors, reading, device };
    merger.merge(found).map_err(|reason| Error::read(&path, reason))
}

/// An adapter to be added.
struct Merger<'a> {
    config: AdapterConfig,
    tensors: Tensors,
    reading: &'a KeyRemapper,
    device: Device,
}

impl Merger<'_> {
    fn merge(&self, found: &mut Tensors) -> Result<(), String> {
        let mut used = BTreeSet::new();
        // Parameters that were trained as a whole, first: a product may be added to one of them.
        let part =
            |name: &str| PAIRS.iter().any(|(a, b, _)| name.ends_with(a) || name.ends_with(b));
        for (name, tensor) in self.tensors.iter().filter(|(name, _)| !part(name)) {
            let base = self.base(found, name, name)?;
            let name = base.name.clone();
            *base = tensor.clone();
            base.name = name;
        }
        for (a, b, transposed) in PAIRS {
            for (name, first) in self.tensors.iter().filter(|(name, _)| name.ends_with(a)) {
                let path = name.trim_end_matches(a);
                let second = format!("{path}{b}");
                let second_tensor = self.tensors.get(&second);
                let second_tensor =
                    second_tensor.ok_or_else(|| format!("`{second}` is missing"))?;
                let sum = (path, first, second_tensor, transposed);
                self.add(found, sum).map_err(|reason| format!("`{name}`: {reason}"))?;
                used.extend([name.clone(), second]);
            }
        }
        match self.tensors.keys().find(|name| part(name) && !used.contains(*name)) {
            Some(name) => Err(format!("`{name}` has no counterpart")),
            None if self.tensors.is_empty() => Err("it holds no adapter".to_string()),
            None => Ok(()),
        }
    }

    /// The parameter of the model that has this name in a file.
    fn base<'a>(
        &self,
        found: &'a mut Tensors,
        name: &str,
        shown: &str,
    ) -> Result<&'a mut burn_pack::Tensor, String> {
        let name = renamed(self.reading, name);
        found.get_mut(&name).ok_or_else(|| {
            let way_out = if shown.contains(".lora_") { LIVE } else { "" };
            format!("`{shown}` belongs to no parameter of the model{way_out}")
        })
    }

    /// Adds the product of two matrices to a module's weight.
    fn add(
        &self,
        found: &mut Tensors,
        (path, first, second, transposed): (&str, &burn_pack::Tensor, &burn_pack::Tensor, bool),
    ) -> Result<(), String> {
        let weight = format!("{path}.weight");
        let base = self.base(found, &weight, &weight)?;
        let (a, b) = (first.shape.as_slice(), second.shape.as_slice());
        let ([rank, inner], [outer, other_rank]) = (a, b) else {
            return Err(format!("the shapes are {a:?} and {b:?}, expected matrices"));
        };
        let expected = if transposed { [*inner, *outer] } else { [*outer, *inner] };
        if rank != other_rank || *rank == 0 || base.shape.as_slice() != expected {
            let shape = base.shape.as_slice();
            return Err(format!("the shapes {a:?} and {b:?} do not fit a weight of {shape:?}"));
        }
        let product = self.matrix(second)?.matmul(self.matrix(first)?);
        let product = if transposed { product.transpose() } else { product };
        let sum = self.matrix(base)? + product * self.config.scale(path, *rank)?;
        let sum = sum.into_data().convert::<f32>();
        *base = burn_pack::Tensor::new(
            base.name.clone(),
            DType::F32,
            Shape::new(expected),
            None,
            sum.into_bytes(),
        );
        Ok(())
    }

    fn matrix(&self, tensor: &burn_pack::Tensor) -> Result<Tensor<2>, String> {
        if !tensor.dtype.is_float() {
            return Err(format!("it holds {:?}, expected floats", tensor.dtype));
        }
        Ok(Tensor::from_data(data(tensor)?.convert::<f32>(), &self.device))
    }
}
