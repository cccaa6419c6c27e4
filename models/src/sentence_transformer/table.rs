//! A new model without a transformer.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde_json::{Value, json};

use super::package::TOKENIZER;
use super::{Package, SentenceTransformer};
use crate::directory::{
    Directory, Listed, MODULES, ModuleKind, Modules, Route, SETTINGS, Settings, TOKENIZER_LIMIT,
};
use crate::encoder::SentenceEncoder;
use crate::error::Error;
use crate::network::{Network, NetworkConfig};
use crate::static_embedding::{StaticConfig, StaticEmbedding};
use crate::tokenizer::Tokenizer;

impl SentenceTransformer {
    /// A StaticEmbedding: for each token of `tokenizer` a vector of `dimension` values, drawn from
    /// the standard normal distribution. A text's embedding is the mean of its tokens' vectors.
    ///
    /// # Example
    ///
    /// ```
    /// use std::num::NonZeroUsize;
    ///
    /// use burn::tensor::Device;
    /// use burn_embedding_models::{SentenceTransformer, Tokenizer};
    ///
    /// # fn main() -> Result<(), burn_embedding_models::Error> {
    /// let tokenizer = Tokenizer::of_model("goldens/bert")?;
    /// let dimension = NonZeroUsize::new(256).unwrap();
    /// let model = SentenceTransformer::static_embedding(tokenizer, dimension, &Device::flex())?;
    /// assert_eq!(model.encode(&["a text", "another"])?.dims(), [2, 256]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the tokenizer has no tokens.
    pub fn static_embedding(
        tokenizer: Tokenizer,
        dimension: NonZeroUsize,
        device: &Device,
    ) -> Result<Self, Error> {
        let tokenizer = tokenizer.for_table()?;
        let config = StaticConfig { tokens: tokenizer.rows(), dimension: dimension.get() };
        let network = Network::Static(StaticEmbedding::new(&config, device));
        let config = NetworkConfig::Static(config);
        let table = Listed { kind: ModuleKind::StaticEmbedding, path: PathBuf::new() };
        let modules = Modules { network: table, parts: Vec::new(), routed: false, shared: 0 };
        let files = vec![
            (PathBuf::from(MODULES), modules.to_json()),
            (PathBuf::from(SETTINGS), bytes(&settings())),
            (PathBuf::from(TOKENIZER), tokenizer.to_json()?.into_bytes()),
        ];
        let encoder = SentenceEncoder::new(network, config.clone(), Vec::new(), false);
        let package = Package {
            name: "random vectors of tokens".to_string(),
            config,
            modules,
            settings: Settings::default(),
            files,
        };
        Ok(Self { encoder, tokenizer, package, truncate_dim: None, device: device.clone() })
    }
}

impl Tokenizer {
    /// The tokenizer in the directory of a model, for a
    /// [table of vectors](SentenceTransformer::static_embedding). Nothing else is read.
    ///
    /// # Errors
    ///
    /// If there is no `tokenizer.json`, or it is damaged.
    pub fn of_model(path: impl AsRef<Path>) -> Result<Self, Error> {
        let directory = Directory::open(path.as_ref())?;
        let module = match directory.path().join(MODULES).exists() {
            true => Modules::read(&directory, Route::Default)?.network.path,
            false => PathBuf::new(),
        };
        let file = module.join(TOKENIZER);
        let bytes = directory.required(&file, TOKENIZER_LIMIT)?;
        Self::of_table(&directory.path().join(file), &bytes, usize::MAX)
    }
}

fn settings() -> Value {
    json!({"prompts": {}, "default_prompt_name": null, "similarity_fn_name": "cosine"})
}

fn bytes(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}
