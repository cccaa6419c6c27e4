//! The files of a CrossEncoder beside its parameters.

use std::path::{Path, PathBuf};

use super::{HeadConfig, PairEncoder, ScoreActivation};
use crate::directory::CONFIG;
use crate::error::Error;
use crate::network::NetworkConfig;
use crate::sentence_transformer::{Files, full_precision, write};
use crate::weights::{self, WEIGHTS};

/// The contents of the directory of a CrossEncoder beside the parameters, to be used and saved again.
#[derive(Debug)]
pub struct PairPackage {
    /// The name of the directory, without the path to it.
    pub name: String,
    /// What the logits go through to be scores.
    pub activation: ScoreActivation,
    pub(super) head: HeadConfig,
    pub(super) config: NetworkConfig,
    pub(super) module: PathBuf,
    /// The small files, by their path in the directory.
    pub(super) files: Files,
}

impl PairPackage {
    /// The number of scores of a pair: 1, or the number of classes.
    pub fn labels(&self) -> usize {
        self.head.labels.len()
    }

    /// The names of the scores: those of the classes, if there are several.
    pub fn label_names(&self) -> &[String] {
        &self.head.labels
    }

    /// The number of types that tokens may be of, as [`Tokenizer::encode_pairs`](crate::Tokenizer::encode_pairs)
    /// takes it.
    pub fn token_types(&self) -> usize {
        self.config.shape().token_types()
    }

    /// Writes the files, and the parameters of `encoder` with its adapters added, into a directory that exists.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn write(&self, directory: &Path, encoder: &PairEncoder) -> Result<(), Error> {
        let config = self.module.join(CONFIG);
        for (path, bytes) in &self.files {
            let bytes = if *path == config { &full_precision(bytes) } else { bytes };
            write(&directory.join(path), bytes)?;
        }
        let weights = directory.join(&self.module).join(WEIGHTS);
        let (encoder, names) = (encoder.merged(), self.config.shape().names());
        weights::save_pair_encoder(&weights, &encoder, names, self.head.names)
    }
}
