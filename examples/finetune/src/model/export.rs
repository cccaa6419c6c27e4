//! A model directory that sentence-transformers opens.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::pretrained::{CONFIG, Package, WEIGHTS};
use super::sentence::SentenceEncoder;
use super::weights;
use crate::error::Error;

/// The model card.
pub const CARD: &str = "README.md";

impl Package {
    /// Writes the model into a directory that exists: the files it was read with, the parameters
    /// of `encoder`, and `card`.
    pub fn write(
        &self,
        directory: &Path,
        encoder: &SentenceEncoder,
        card: &str,
    ) -> Result<(), Error> {
        let config = self.modules.transformer.join(CONFIG);
        for (path, bytes) in &self.files {
            let bytes = if *path == config { &full_precision(bytes) } else { bytes };
            write(&directory.join(path), bytes)?;
        }
        write(&directory.join(CARD), card.as_bytes())?;
        let weights = directory.join(&self.modules.transformer).join(WEIGHTS);
        weights::save(&weights, &encoder.transformer, self.config.family)
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, bytes))
        .map_err(|error| Error::output(path, error))
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
