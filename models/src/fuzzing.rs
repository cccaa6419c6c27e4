//! Steps of reading a model, each by itself, for the fuzz targets in `fuzz/`. This is no part of the
//! interface: it may change at any time.

use std::collections::BTreeSet;
use std::path::Path;

use burn::tensor::Device;

use crate::directory::{CONFIG, Directory, Limits, TOKENIZER_LIMIT, TransformerSettings};
use crate::error::Error;
use crate::network::{Network, NetworkConfig};
use crate::tokenizer::Tokenizer;

/// The network that the bytes of a `config.json` describe. Its parameters are drawn when they are
/// used.
///
/// # Errors
///
/// As [`NetworkConfig::parse`].
pub fn network(config: &[u8], device: &Device) -> Result<(NetworkConfig, Network), Error> {
    let config = NetworkConfig::parse(Path::new(CONFIG), config)?;
    let network = config.network(&BTreeSet::from(["pooler.weight"]), device);
    Ok((config, network))
}

/// The tokenizer in the directory `model`, for a network with this configuration.
///
/// # Errors
///
/// If a file of the tokenizer is missing, damaged or not supported.
pub fn tokenizer(model: &Path, config: &NetworkConfig) -> Result<Tokenizer, Error> {
    let directory = Directory::open(model)?;
    let file = Path::new("tokenizer.json");
    let bytes = directory.required(file, TOKENIZER_LIMIT)?;
    let (path, rows) = (model.join(file), config.shape().vocab_size());
    match config {
        NetworkConfig::Static(_) => Tokenizer::of_table(&path, &bytes, rows),
        _ => {
            let settings = TransformerSettings::read(&directory, Path::new(""))?;
            let limits =
                Limits::read(&directory, Path::new(""), (&settings, None), config.shape())?;
            Tokenizer::pretrained(&path, &bytes, &limits, rows)
        }
    }
}
