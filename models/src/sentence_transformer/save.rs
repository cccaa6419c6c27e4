//! Writing a directory that sentence-transformers opens.

use std::fs;
use std::path::Path;

use burn::module::Module;
use serde_json::Value;

use super::{Package, SentenceTransformer};
use crate::directory::{CONFIG, Listed, Place};
use crate::encoder::SentenceEncoder;
use crate::error::Error;
use crate::modules::Part;
use crate::weights::{self, ADAPTER, WEIGHTS, adapter_files};

impl SentenceTransformer {
    /// Saves the model to a directory, which is replaced as a whole or not at all: the files it was
    /// opened with, and its parameters as they are now, in `f32`. LoRA adapters are added to the
    /// weights.
    ///
    /// # Errors
    ///
    /// If the directory cannot be written, or another process is writing it; it is then as it was
    /// before.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let write = |directory: &Path| self.package.write(directory, &self.encoder);
        Place::new(path.as_ref())?.claim()?.replace(write, |_| Ok(()))
    }

    /// Saves the LoRA adapters alone, with the small files, as sentence-transformers and `peft` do;
    /// `base` is the directory that the model was opened from.
    ///
    /// # Errors
    ///
    /// As [`save`](Self::save) and [`Package::write_adapter`].
    pub fn save_adapter(
        &self,
        path: impl AsRef<Path>,
        base: impl AsRef<Path>,
    ) -> Result<(), Error> {
        let base = base.as_ref();
        let write = |directory: &Path| self.package.write_adapter(directory, &self.encoder, base);
        Place::new(path.as_ref())?.claim()?.replace(write, |_| Ok(()))
    }
}

impl Package {
    /// Writes the files of the package, and the parameters of `encoder`, into a directory that
    /// exists.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn write(&self, directory: &Path, encoder: &SentenceEncoder) -> Result<(), Error> {
        let config = self.modules.network.path.join(CONFIG);
        for (path, bytes) in &self.files {
            let bytes = if *path == config { &full_precision(bytes) } else { bytes };
            write(&directory.join(path), bytes)?;
        }
        write_parts(directory, &self.modules.parts, &encoder.parts)?;
        let weights = directory.join(&self.modules.network.path).join(WEIGHTS);
        weights::save(&weights, &encoder.merged_network(), self.config.shape().names())
    }

    /// Writes the LoRA adapters of `encoder` and the files of the package into a directory that
    /// exists, but not the network's configuration and weights, which are in `base`: the directory
    /// of the whole model.
    ///
    /// # Errors
    ///
    /// [`Error::Lora`] if there are no adapters, or none that can be written alone (see
    /// [`check_adapter`](Self::check_adapter)); or if a file cannot be written.
    pub fn write_adapter(
        &self,
        directory: &Path,
        encoder: &SentenceEncoder,
        base: &Path,
    ) -> Result<(), Error> {
        let module = &self.modules.network.path;
        let Some(lora) = encoder.lora() else {
            return Err(Error::Lora("the encoder has no adapters".to_string()));
        };
        let base = self.base_of_adapter(base)?;
        for (path, bytes) in self.files.iter().filter(|(path, _)| *path != module.join(CONFIG)) {
            write(&directory.join(path), bytes)?;
        }
        write_parts(directory, &self.modules.parts, &encoder.parts)?;
        let config = adapter_files::config(lora, &encoder.adapted_layers()?, &base);
        write(&directory.join(module).join(ADAPTER), format!("{config:#}\n").as_bytes())?;
        let weights = directory.join(module).join(adapter_files::ADAPTER_WEIGHTS);
        adapter_files::weights(&weights, &encoder.network, self.config.shape().names())
    }

    /// Whether adapters for the model in the directory `base` can be written alone.
    ///
    /// # Errors
    ///
    /// [`Error::Lora`] if the model is itself one with an adapter, its path is no UTF-8, or
    /// `transformers` has other layers than its file.
    pub fn check_adapter(&self, base: &Path) -> Result<(), Error> {
        self.base_of_adapter(base).map(|_| ())
    }

    /// The path of the network's directory, as an adapter names it.
    fn base_of_adapter(&self, base: &Path) -> Result<String, Error> {
        let base = base.join(&self.modules.network.path);
        let failed = |reason: &str| Err(Error::Lora(format!("{}: {reason}", base.display())));
        if base.join(ADAPTER).symlink_metadata().is_ok() {
            let reason = "it has an adapter itself, and one alone needs a whole model: save the merged \
                          model";
            return failed(reason);
        }
        if !self.config.shape().layers_as_in_file() {
            let reason = "transformers takes the layers of this model apart, so that no adapter fits \
                          both: save the merged model";
            return failed(reason);
        }
        let whole = base.canonicalize().map_err(|error| Error::read(&base, error))?;
        match whole.to_str() {
            Some(path) => Ok(path.to_string()),
            None => failed("an adapter names this path, which is no UTF-8: save the merged model"),
        }
    }
}

/// Writes the parameters of the modules after the network.
pub(super) fn write_parts(
    directory: &Path,
    modules: &[Listed],
    parts: &[Part],
) -> Result<(), Error> {
    for (module, part) in modules.iter().zip(parts) {
        if part.num_params() > 0 {
            let weights = directory.join(&module.path).join(WEIGHTS);
            weights::save_module(&weights, part)?;
        }
    }
    Ok(())
}

/// Writes a file, and makes its directory.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, bytes))
        .map_err(|error| Error::write(path, error))
}

/// The configuration with `f32` for the type of the parameters, which is what they are saved as.
pub(crate) fn full_precision(config: &[u8]) -> Vec<u8> {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(config) else {
        return config.to_vec();
    };
    for name in ["dtype", "torch_dtype"] {
        if let Some(value) = fields.get_mut(name) {
            *value = "float32".into();
        }
    }
    format!("{:#}\n", Value::Object(fields)).into_bytes()
}
