//! Reading the modules after the network.

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Device;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::directory::{CONFIG, CONFIG_LIMIT, Directory, Listed, MODULES, ModuleKind, Modules};
use crate::dropout::Dropout;
use crate::error::Error;
use crate::modules::{
    DenseConfig, LayerNormSettings, LayerPoolingConfig, NormalizeConfig, Part, Pooling, Sizes,
    Vectors,
};
use crate::weights;

#[derive(Deserialize)]
struct DropoutSettings {
    #[serde(default = "usual_dropout")]
    dropout: f64,
}

fn usual_dropout() -> f64 {
    0.2
}

/// The directory of a module.
struct Source<'a> {
    directory: &'a Directory,
    module: &'a Path,
}

/// Reads the modules after the network; `sizes` are those of what it gives them, and `dropout` stands
/// in for that of their configurations.
pub fn read_all(
    modules: &Modules,
    directory: &Directory,
    mut sizes: Sizes,
    dropout: Option<f64>,
    device: &Device,
) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    for module in &modules.parts {
        let (part, after) = read(module, directory, sizes, device)?;
        parts.push(match (part, dropout) {
            (Part::Dropout(_), Some(dropout)) => Part::Dropout(Dropout::new(dropout)),
            (part, _) => part,
        });
        sizes = after;
    }
    match sizes.texts {
        Some(_) => Ok(parts),
        None => {
            let reason = "no module gives a vector for each text: it lists no Pooling";
            Err(Error::read(&directory.path().join(MODULES), reason))
        }
    }
}

/// A module, and the sizes after it.
fn read(
    module: &Listed,
    directory: &Directory,
    before: Sizes,
    device: &Device,
) -> Result<(Part, Sizes), Error> {
    let source = Source { directory, module: &module.path };
    let part = source.part(module.kind, before, device)?;
    // Before the weights, which may be large.
    let after = part.sizes(before).map_err(|reason| source.error(reason))?;
    match part.num_params() {
        0 => Ok((part, after)),
        _ => Ok((weights::load_module(directory, &module.path, part)?, after)),
    }
}

impl Source<'_> {
    /// The module, with parameters that wait to be loaded.
    fn part(&self, kind: ModuleKind, before: Sizes, device: &Device) -> Result<Part, Error> {
        let failed = |reason| self.error(reason);
        Ok(match kind {
            ModuleKind::Transformer | ModuleKind::StaticEmbedding => {
                return Err(self.error(format!("a {kind:?} must be the first module")));
            }
            ModuleKind::Pooling => {
                let hidden = before.of(Vectors::Tokens).map_err(failed)?;
                let (path, bytes) = self.bytes()?;
                Part::Pooling(Pooling::parse(&path, &bytes, hidden)?)
            }
            ModuleKind::WeightedLayerPooling => {
                let config = self.config::<LayerPoolingConfig>()?;
                Part::WeightedLayerPooling(config.init(device).map_err(failed)?)
            }
            ModuleKind::Dense => {
                Part::Dense(self.config::<DenseConfig>()?.init(device).map_err(failed)?)
            }
            ModuleKind::LayerNorm => {
                Part::LayerNorm(self.config::<LayerNormSettings>()?.init(device))
            }
            ModuleKind::Dropout => {
                let DropoutSettings { dropout } = self.config()?;
                if !(0.0..1.0).contains(&dropout) {
                    let reason = format!("`dropout` is {dropout}, expected 0 to below 1");
                    return Err(self.error(reason));
                }
                Part::Dropout(Dropout::new(dropout))
            }
            ModuleKind::Normalize => {
                let config: NormalizeConfig = self.directory.json(&self.module.join(CONFIG))?;
                Part::Normalize(config.init().map_err(failed)?)
            }
        })
    }

    /// The whole path of the configuration, for messages, and its bytes.
    fn bytes(&self) -> Result<(PathBuf, Vec<u8>), Error> {
        let file = self.module.join(CONFIG);
        let bytes = self.directory.required(&file, CONFIG_LIMIT)?;
        Ok((self.directory.path().join(file), bytes))
    }

    fn config<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let (path, bytes) = self.bytes()?;
        serde_json::from_slice(&bytes).map_err(|error| Error::read(&path, error))
    }

    fn error(&self, reason: String) -> Error {
        Error::read(&self.directory.path().join(self.module).join(CONFIG), reason)
    }
}
