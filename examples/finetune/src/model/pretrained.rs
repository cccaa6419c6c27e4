//! A whole model directory in memory.

use std::path::{Path, PathBuf};

use burn::tensor::Device;

use super::config::Config;
use super::directory::{CONFIG_LIMIT, Directory, TOKENIZER_LIMIT};
use super::export::CARD;
use super::modules::{self, Modules};
use super::plain;
use super::pooling::{Mode, Pooling};
use super::sentence::SentenceEncoder;
use super::settings::{Limits, SETTINGS, Settings, TRANSFORMER_FILES};
use super::weights;
use crate::error::Error;
use crate::tokenizer::Tokenizer;

/// The parameters, in the directory of the transformer.
pub const WEIGHTS: &str = "model.safetensors";
/// The shape of the transformer, in its directory.
pub const CONFIG: &str = "config.json";

/// Files of the transformer that are kept as they are, to be saved with it.
const COMPANIONS: [&str; 9] = [
    CONFIG,
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
];

/// A model of sentence-transformers.
#[derive(Debug)]
pub struct Pretrained {
    /// Token ids to embeddings.
    pub encoder: SentenceEncoder,
    /// Texts to token ids.
    pub tokenizer: Tokenizer,
    /// The longest text that is read, in tokens.
    pub max_tokens: usize,
    /// The size of an embedding.
    pub dimension: usize,
    /// All else.
    pub package: Package,
}

/// What a directory holds beside parameters, to be used and to be saved again.
#[derive(Debug)]
pub struct Package {
    /// The name of the directory, without the path to it.
    pub name: String,
    /// The shape of the transformer.
    pub config: Config,
    /// The parts of the model, and where their files are.
    pub modules: Modules,
    /// Prompts and similarity.
    pub settings: Settings,
    /// Whether the tokens of a prompt count in the pooling.
    pub include_prompt: bool,
    /// The small files, by their path in the directory.
    pub files: Vec<(PathBuf, Vec<u8>)>,
}

/// What a user wants other than the directory says.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Adjustments {
    /// The dropout while training.
    pub dropout: Option<f64>,
    /// The pooling of a directory that has only a transformer.
    pub pooling: Option<Mode>,
}

impl Pretrained {
    /// Reads a directory that sentence-transformers, or this program, saved.
    pub fn load(path: &Path, device: &Device) -> Result<Self, Error> {
        Self::load_with(path, Adjustments::default(), device)
    }

    /// [`Pretrained::load`], with adjustments.
    pub fn load_with(
        path: &Path,
        adjustments: Adjustments,
        device: &Device,
    ) -> Result<Self, Error> {
        let directory = Directory::open(path)?;
        let modules = match adjustments.pooling {
            Some(_) => plain::modules(&directory)?,
            None => Modules::read(&directory)?,
        };
        modules.check_normalize(&directory)?;
        let settings = Settings::read(&directory)?;
        let base = &modules.transformer;
        let file = |name: &str| base.join(name);

        let bytes = directory.required(&file(CONFIG), CONFIG_LIMIT)?;
        let mut config = Config::parse(&path.join(file(CONFIG)), &bytes)?;
        if let Some(dropout) = adjustments.dropout {
            config.hidden_dropout_prob = dropout;
            config.attention_probs_dropout_prob = dropout;
        }
        let limits = Limits::read(&directory, base, &config)?;
        let bytes = directory.required(&file("tokenizer.json"), TOKENIZER_LIMIT)?;
        let tokenizer_path = path.join(file("tokenizer.json"));
        let tokenizer = Tokenizer::pretrained(&tokenizer_path, &bytes, limits, config.vocab_size)?;
        let mut files = companions(&directory, &modules)?;
        let size = config.hidden_size;
        let pooling = match adjustments.pooling {
            Some(mode) => {
                files.extend(plain::files(mode, size));
                Pooling::of(mode)
            }
            None => {
                let file = modules.pooling.join(CONFIG);
                let bytes = directory.required(&file, CONFIG_LIMIT)?;
                Pooling::parse(&path.join(file), &bytes, size)?
            }
        };

        let transformer = weights::load(&path.join(file(WEIGHTS)), &config, device)?;
        let dimension = pooling.dimension(size);
        let include_prompt = pooling.include_prompt;
        let normalize = modules.normalize.is_some();
        let encoder = SentenceEncoder::new(transformer, config.clone(), pooling, normalize);
        let max_tokens = limits.max_tokens;
        let name = directory.name();
        let package = Package { name, config, modules, settings, include_prompt, files };
        Ok(Self { encoder, tokenizer, max_tokens, dimension, package })
    }

    /// The text of a prompt by its name, or of the model's default prompt.
    pub fn prompt(&self, name: Option<&str>) -> Result<&str, Error> {
        let prompt = self.package.settings.prompt(name)?;
        if !prompt.is_empty() && !self.package.include_prompt {
            let reason = "the model's pooling leaves prompts out (`include_prompt` is false), \
                          which is not supported";
            return Err(Error::option("--prompt", reason));
        }
        Ok(prompt)
    }
}

/// The names of all files that a saved model may have, outside the directories of its modules.
pub fn file_names() -> impl Iterator<Item = &'static str> {
    let own = [WEIGHTS, CARD, modules::FILE, SETTINGS];
    own.into_iter().chain(COMPANIONS).chain(TRANSFORMER_FILES)
}

/// The files that are saved again as they were read.
fn companions(directory: &Directory, modules: &Modules) -> Result<Vec<(PathBuf, Vec<u8>)>, Error> {
    let of_transformer = COMPANIONS.iter().chain(&TRANSFORMER_FILES);
    let of_transformer = of_transformer.map(|name| modules.transformer.join(name));
    let of_others = [Some(&modules.pooling), modules.normalize.as_ref()];
    let of_others = of_others.into_iter().flatten().map(|module| module.join(CONFIG));
    let of_model = [modules::FILE, SETTINGS].map(PathBuf::from);
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for path in of_model.into_iter().chain(of_transformer).chain(of_others) {
        let known = files.iter().any(|(known, _)| *known == path);
        if !known && let Some(bytes) = directory.optional(&path, TOKENIZER_LIMIT)? {
            files.push((path, bytes));
        }
    }
    Ok(files)
}
