//! The files of a model beside its parameters.

use std::path::PathBuf;

use crate::directory::{CONFIG, Directory, MODULES, Modules, ROUTER, SETTINGS, Settings};
use crate::directory::{TOKENIZER_LIMIT, TRANSFORMER_FILES};
use crate::error::Error;
use crate::network::NetworkConfig;
use crate::weights::{ADAPTER, WEIGHTS, adapter_files};

/// The tokenizer, in the directory of the transformer.
pub(super) const TOKENIZER: &str = "tokenizer.json";

/// Files of the transformer that are kept as they are, to be saved with it.
const COMPANIONS: [&str; 9] = [
    CONFIG,
    TOKENIZER,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
];

/// The contents of a directory beside the parameters, to be used and to be saved again.
#[derive(Debug)]
pub struct Package {
    /// The name of the directory, without the path to it.
    pub name: String,
    /// The shape of the network.
    pub config: NetworkConfig,
    /// The parts of the model, and where their files are.
    pub modules: Modules,
    /// Prompts and similarity.
    pub settings: Settings,
    /// The small files, by their path in the directory.
    pub files: Vec<(PathBuf, Vec<u8>)>,
}

/// The names of all files that a saved model may have, outside the directories of its modules.
pub fn file_names() -> impl Iterator<Item = &'static str> {
    let of_adapters = [ADAPTER, adapter_files::ADAPTER_WEIGHTS];
    let own = [WEIGHTS, MODULES, ROUTER, SETTINGS].into_iter().chain(of_adapters);
    own.chain(COMPANIONS).chain(TRANSFORMER_FILES)
}

/// Reads the files that are saved again as they were.
pub(super) fn companions(
    directory: &Directory,
    modules: &Modules,
) -> Result<Vec<(PathBuf, Vec<u8>)>, Error> {
    let of_transformer = COMPANIONS.iter().chain(&TRANSFORMER_FILES);
    let of_transformer = of_transformer.map(|name| modules.network.path.join(name));
    let of_others = modules.parts.iter().map(|module| module.path.join(CONFIG));
    let of_model = [MODULES, SETTINGS].map(PathBuf::from);
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for path in of_model.into_iter().chain(of_transformer).chain(of_others) {
        let known = files.iter().any(|(known, _)| *known == path);
        if !known && let Some(bytes) = directory.optional(&path, TOKENIZER_LIMIT)? {
            files.push((path, bytes));
        }
    }
    Ok(files)
}
