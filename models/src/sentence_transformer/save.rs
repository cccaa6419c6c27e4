//! Writing a directory that sentence-transformers opens.

use std::fs;
use std::path::Path;

use burn::module::Module;
use serde_json::Value;

use super::{Package, SentenceTransformer};
use crate::directory::{CONFIG, Place};
use crate::encoder::SentenceEncoder;
use crate::error::Error;
use crate::weights::{self, WEIGHTS};

impl SentenceTransformer {
    /// Saves the model to a directory, which is replaced as a whole or not at all: the files it was
    /// opened with, and its parameters as they are now, in `f32`.
    ///
    /// # Errors
    ///
    /// If the directory cannot be written, or another process is writing it; it is then as it was
    /// before.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let write = |directory: &Path| self.package.write(directory, &self.encoder);
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
        for (module, part) in self.modules.parts.iter().zip(&encoder.parts) {
            if part.num_params() > 0 {
                let weights = directory.join(&module.path).join(WEIGHTS);
                weights::save_module(&weights, part)?;
            }
        }
        let weights = directory.join(&self.modules.network.path).join(WEIGHTS);
        weights::save(&weights, &encoder.network, self.config.shape().names())
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, bytes))
        .map_err(|error| Error::write(path, error))
}

/// The configuration with `f32` for the type of the parameters, which is what they are saved as.
fn full_precision(config: &[u8]) -> Vec<u8> {
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
