//! Reading a whole directory.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::Deserialize;
use serde_json::Value;

use super::package::{Files, TOKENIZER, companions, is_of_settings, with_missing};
use super::{Package, SentenceTransformer, parts};
use crate::directory::{
    CONFIG, CONFIG_LIMIT, Directory, Limits, MODULES, ModuleKind, Modules, Route, Settings,
    TOKENIZER_LIMIT, TransformerSettings, advice, plain,
};
use crate::encoder::SentenceEncoder;
use crate::error::Error;
use crate::fields::object;
use crate::modules::{Part, Pooling, PoolingMode};
use crate::network::{Network, NetworkConfig};
use crate::static_embedding;
use crate::tokenizer::{self, Tokenizer};
use crate::weights;

/// The options of the tokenizer.
pub(crate) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";

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
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OpenOptions {
    pub(crate) dropout: Option<f64>,
    pooling: Option<PoolingMode>,
    truncate_dim: Option<NonZeroUsize>,
    pub(crate) route: Option<String>,
}

impl OpenOptions {
    /// Everything as the directory says.
    pub fn new() -> Self {
        Self::default()
    }

    /// The dropout while training, from 0 to below 1, in place of those in the configurations of the
    /// network and of `Dropout` modules.
    pub fn dropout(self, dropout: f64) -> Self {
        Self { dropout: Some(dropout), ..self }
    }

    /// The pooling of a directory that holds only a transformer.
    pub fn pooling(self, pooling: PoolingMode) -> Self {
        Self { pooling: Some(pooling), ..self }
    }

    /// The number of leading values that are kept of each embedding, for models that were trained
    /// with `MatryoshkaLoss`; embeddings with fewer stay whole. The encoder itself, which is
    /// trained and saved, is not cut, and embeddings that were scaled to length one become shorter.
    pub fn truncate_dim(self, dimension: NonZeroUsize) -> Self {
        Self { truncate_dim: Some(dimension), ..self }
    }

    /// The route of a model that has several (a `Router`), by its task, such as `query` or
    /// `document`; without it, the default route. Saved, it is a model of its own;
    /// [`RoutedTransformer`](super::RoutedTransformer) has all routes.
    pub fn route(self, task: impl Into<String>) -> Self {
        Self { route: Some(task.into()), ..self }
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
        let route = self.route.as_deref().map_or(Route::Default, Route::OfTask);
        self.open_one(&directory, route, device)
    }

    /// Opens a directory; of a model with several routes, one.
    pub(super) fn open_one(
        &self,
        directory: &Directory,
        route: Route,
        device: &Device,
    ) -> Result<SentenceTransformer, Error> {
        let modules = match self.pooling {
            Some(_) => plain::modules(directory)?,
            None => {
                advice::refuse_other_models(directory)?;
                Modules::read(directory, route)?
            }
        };
        let mut files = companions(directory, &modules)?;
        let settings = match self.pooling {
            // Python makes settings of its own where none of its modules are listed.
            Some(_) => {
                files.retain(|(path, _)| !is_of_settings(path));
                Settings::default()
            }
            None => Settings::read(directory)?,
        };
        if modules.routed {
            // A route that is saved is a model of its own.
            files.retain(|(path, _)| path != Path::new(MODULES));
            files.push((MODULES.into(), modules.to_json()));
        }
        let opened = match modules.network.kind {
            ModuleKind::StaticEmbedding => table(directory, &modules.network.path, device)?,
            _ => self.transformer(directory, &modules.network.path)?,
        };
        let Opened { config, tokenizer, shows_layers, network, files: more, .. } = opened;
        files = with_missing(files, more);
        let before = SentenceEncoder::sizes_before(&config, shows_layers);
        let parts = match self.pooling {
            Some(mode) => {
                files.extend(plain::files(&modules, mode, config.shape().hidden_size()));
                vec![Part::Pooling(Pooling::of(mode))]
            }
            None => parts::read_all(&modules, directory, before, self.dropout, device)?,
        };
        let network = match network {
            Some(network) => network,
            None => weights::load(directory, &modules.network.path, &config, device)?,
        };
        let encoder = SentenceEncoder::new(network, config.clone(), parts, shows_layers);
        let package = Package { name: directory.name(), config, modules, settings, files };
        let (truncate_dim, device) = (self.truncate_dim, device.clone());
        Ok(SentenceTransformer { encoder, tokenizer, package, truncate_dim, device })
    }

    /// What a transformer's small files say: damage in them is found before the weights are read.
    pub(crate) fn transformer(
        &self,
        directory: &Directory,
        module: &Path,
    ) -> Result<Opened, Error> {
        let base = weights::base(directory, module)?;
        let (of_config, inside) = match &base {
            Some((base, inside)) => (base, inside.as_path()),
            None => (directory, module),
        };
        let settings = TransformerSettings::read(directory, module)?;
        let (path, bytes) = read(of_config, &inside.join(CONFIG), CONFIG_LIMIT)?;
        let (bytes, class) =
            configured(bytes, &settings).map_err(|reason| Error::read(&path, reason))?;
        let mut config = NetworkConfig::parse(&path, &bytes)?;
        let shows_layers = shows_layers(&bytes).map_err(|error| Error::read(&path, error))?;
        if let Some(dropout) = self.dropout {
            config.shape_mut().set_dropout(dropout);
        }
        // An adapter may have left the tokenizer with its model.
        let there = |name: &&str| directory.path().join(module).join(name).exists();
        let (of_texts, within) = match [TOKENIZER, TOKENIZER_CONFIG].iter().any(there) {
            true => (directory, module),
            false => (of_config, inside),
        };
        let limits = Limits::read(of_texts, within, (&settings, class.as_deref()), config.shape())?;
        let tokens = match of_texts.optional(&within.join(TOKENIZER), TOKENIZER_LIMIT)? {
            Some(bytes) => bytes,
            None => tokenizer::assembled(of_texts, within, &limits)?,
        };
        let path = of_texts.path().join(within.join(TOKENIZER));
        let tokenizer =
            Tokenizer::pretrained(&path, &tokens, &limits, config.shape().vocab_size())?;
        let options = of_texts.optional(&within.join(TOKENIZER_CONFIG), CONFIG_LIMIT)?;
        let options = options.map(|bytes| (module.join(TOKENIZER_CONFIG), bytes));
        let files = [(module.join(CONFIG), bytes), (module.join(TOKENIZER), tokens)];
        let files = files.into_iter().chain(options).collect();
        let pair_tokens = limits.pair_tokens;
        Ok(Opened { config, tokenizer, pair_tokens, shows_layers, network: None, files })
    }
}

/// The module that turns texts into vectors, as far as it is read.
pub(crate) struct Opened {
    pub config: NetworkConfig,
    pub tokenizer: Tokenizer,
    /// The longest pair of texts, if it becomes a model of pairs.
    pub pair_tokens: usize,
    /// Whether modules after it see all layers.
    shows_layers: bool,
    /// The network, if its configuration is only in its weights.
    network: Option<Network>,
    /// Files that are saved with the model, even if they are not in its directory.
    pub files: Files,
}

impl Opened {
    /// The whole path of `config.json`, for messages, and its bytes.
    pub fn read_config(
        &self,
        directory: &Directory,
        module: &Path,
    ) -> Result<(PathBuf, &[u8]), Error> {
        let file = module.join(CONFIG);
        let found = self.files.iter().find(|(path, _)| *path == file);
        let path = directory.path().join(file);
        match found {
            Some((_, bytes)) => Ok((path, bytes)),
            None => Err(Error::read(&path, "No such file")),
        }
    }
}

/// The bytes of a `config.json` with the fields that go before its own, and the class of tokenizers that it names.
fn configured(
    bytes: Vec<u8>,
    settings: &TransformerSettings,
) -> Result<(Vec<u8>, Option<String>), String> {
    let mut fields = object(&bytes)?;
    let class = fields.get("tokenizer_class").and_then(Value::as_str).map(String::from);
    if settings.config_kwargs.is_empty() {
        return Ok((bytes, class));
    }
    fields.extend(settings.config_kwargs.clone());
    let bytes = serde_json::to_vec_pretty(&fields).map_err(|error| error.to_string())?;
    Ok((bytes, class))
}

/// Whether a `config.json` lets modules see all layers.
fn shows_layers(config: &[u8]) -> serde_json::Result<bool> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct HiddenStates {
        output_hidden_states: Option<bool>,
    }
    let HiddenStates { output_hidden_states } = serde_json::from_slice(config)?;
    Ok(output_hidden_states == Some(true))
}

/// A table of vectors and its tokenizer.
fn table(directory: &Directory, module: &Path, device: &Device) -> Result<Opened, Error> {
    let (config, table) = static_embedding::read(directory, module, device)?;
    let (path, bytes) = read(directory, &module.join(TOKENIZER), TOKENIZER_LIMIT)?;
    Ok(Opened {
        config: NetworkConfig::Static(config),
        tokenizer: Tokenizer::of_table(&path, &bytes, config.tokens)?,
        pair_tokens: usize::MAX,
        shows_layers: false,
        network: Some(Network::Static(table)),
        files: Vec::new(),
    })
}

/// The whole path of a file that must be there, for messages, and its bytes.
fn read(directory: &Directory, file: &Path, limit: u64) -> Result<(PathBuf, Vec<u8>), Error> {
    Ok((directory.path().join(file), directory.required(file, limit)?))
}
