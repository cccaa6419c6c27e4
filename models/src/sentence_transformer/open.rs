//! Reading a whole directory.

use std::path::{Path, PathBuf};

use burn::tensor::Device;

use super::package::{TOKENIZER, companions};
use super::{Package, SentenceTransformer};
use crate::directory::{
    CONFIG, CONFIG_LIMIT, Directory, Limits, Modules, Settings, TOKENIZER_LIMIT, advice, plain,
};
use crate::encoder::SentenceEncoder;
use crate::error::Error;
use crate::modules::{Pooling, PoolingMode};
use crate::network::NetworkConfig;
use crate::tokenizer::Tokenizer;
use crate::weights;

/// Options for opening a directory, where the model should differ from what the directory says.
///
/// # Example
///
/// A transformer alone, without the files of sentence-transformers:
///
/// ```no_run
/// use burn::tensor::Device;
/// use burn_embedding_models::{OpenOptions, PoolingMode};
///
/// # fn main() -> Result<(), burn_embedding_models::Error> {
/// let options = OpenOptions::new().pooling(PoolingMode::Mean);
/// let model = options.open("MiniLM-L12-H384-uncased", &Device::flex())?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OpenOptions {
    dropout: Option<f64>,
    pooling: Option<PoolingMode>,
}

impl OpenOptions {
    /// Everything as the directory says.
    pub fn new() -> Self {
        Self::default()
    }

    /// The dropout while training, from 0 to below 1, in place of the one in `config.json`.
    pub fn dropout(self, dropout: f64) -> Self {
        Self { dropout: Some(dropout), ..self }
    }

    /// The pooling of a directory that holds only a transformer.
    pub fn pooling(self, pooling: PoolingMode) -> Self {
        Self { pooling: Some(pooling), ..self }
    }

    /// Opens a directory. On a device that tracks gradients the model is ready to be trained.
    ///
    /// # Errors
    ///
    /// If a file is missing, damaged, or describes a model that is not supported;
    /// [`Error::OwnPooling`] if a pooling was asked for and the directory has one.
    pub fn open(
        self,
        path: impl AsRef<Path>,
        device: &Device,
    ) -> Result<SentenceTransformer, Error> {
        let directory = Directory::open(path.as_ref())?;
        let modules = match self.pooling {
            Some(_) => plain::modules(&directory)?,
            None => {
                advice::refuse_other_models(&directory)?;
                Modules::read(&directory)?
            }
        };
        modules.check_normalize(&directory)?;
        let settings = Settings::read(&directory)?;
        let config = self.config(&directory, &modules)?;
        let tokenizer = tokenizer(&directory, &modules, &config)?;
        let mut files = companions(&directory, &modules)?;
        let pooling = match self.pooling {
            Some(mode) => {
                files.extend(plain::files(mode, config.shape().hidden_size()));
                Pooling::of(mode)
            }
            None => pooling(&directory, &modules, &config)?,
        };
        let include_prompt = pooling.include_prompt;

        let network = weights::load(&directory, &modules.transformer, &config, device)?;
        let normalize = modules.normalize.is_some();
        let encoder = SentenceEncoder::new(network, config.clone(), pooling, normalize);
        let name = directory.name();
        let package = Package { name, config, modules, settings, include_prompt, files };
        Ok(SentenceTransformer { encoder, tokenizer, package, device: device.clone() })
    }

    fn config(self, directory: &Directory, modules: &Modules) -> Result<NetworkConfig, Error> {
        let (path, bytes) = read(directory, &modules.transformer.join(CONFIG), CONFIG_LIMIT)?;
        let mut config = NetworkConfig::parse(&path, &bytes)?;
        if let Some(dropout) = self.dropout {
            config.shape_mut().set_dropout(dropout);
        }
        Ok(config)
    }
}

fn tokenizer(
    directory: &Directory,
    modules: &Modules,
    config: &NetworkConfig,
) -> Result<Tokenizer, Error> {
    let limits = Limits::read(directory, &modules.transformer, config.shape())?;
    let (path, bytes) = read(directory, &modules.transformer.join(TOKENIZER), TOKENIZER_LIMIT)?;
    Tokenizer::pretrained(&path, &bytes, &limits, config.shape().vocab_size())
}

fn pooling(
    directory: &Directory,
    modules: &Modules,
    config: &NetworkConfig,
) -> Result<Pooling, Error> {
    let (path, bytes) = read(directory, &modules.pooling.join(CONFIG), CONFIG_LIMIT)?;
    Pooling::parse(&path, &bytes, config.shape().hidden_size())
}

/// The whole path of a file that must be there, for messages, and its bytes.
fn read(directory: &Directory, file: &Path, limit: u64) -> Result<(PathBuf, Vec<u8>), Error> {
    Ok((directory.path().join(file), directory.required(file, limit)?))
}
