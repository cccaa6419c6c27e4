//! The files of a model beside its parameters.

use std::path::{Path, PathBuf};

use crate::directory::{CONFIG, Directory, MODULES, Modules, ROUTER, SETTINGS, Settings};
use crate::directory::{TOKENIZER_LIMIT, TRANSFORMER_FILES};
use crate::error::Error;
use crate::network::NetworkConfig;
use crate::weights::{ADAPTER, WEIGHTS, adapter_files};

/// The tokenizer, in the directory of the transformer.
pub(super) const TOKENIZER: &str = "tokenizer.json";

/// Files of the transformer that are kept as they are, to be saved with it.
const COMPANIONS: [&str; 10] = [
    CONFIG,
    TOKENIZER,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
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

/// Small files, by their path in the directory of a model.
pub(crate) type Files = Vec<(PathBuf, Vec<u8>)>;

/// Reads the files that are saved again as they were.
pub(super) fn companions(directory: &Directory, modules: &Modules) -> Result<Files, Error> {
    let of_others = modules.parts.iter().map(|module| module.path.join(CONFIG));
    let of_model = [MODULES, SETTINGS].map(PathBuf::from);
    let of_network =
        [files_of_network(&modules.network.path), files_of_lengths(&modules.network.path)];
    let all = of_model.into_iter().chain(of_network.into_iter().flatten()).chain(of_others);
    read_some(directory, all)
}

/// The files of a transformer in the directory `module` that are saved again as they were.
pub(crate) fn files_of_network(module: &Path) -> Vec<PathBuf> {
    COMPANIONS.iter().map(|name| module.join(name)).collect()
}

/// The files that say how long a text of a sentence encoder may be.
pub(crate) fn files_of_lengths(module: &Path) -> Vec<PathBuf> {
    TRANSFORMER_FILES.iter().map(|name| module.join(name)).collect()
}

/// Whether a file says how sentence-transformers reads texts.
pub(super) fn is_of_settings(path: &Path) -> bool {
    let mut names = TRANSFORMER_FILES.into_iter().chain([SETTINGS]);
    path.file_name().is_some_and(|name| names.any(|it| name == it))
}

/// Reads those of the files that are there.
pub(crate) fn read_some(
    directory: &Directory,
    paths: impl IntoIterator<Item = PathBuf>,
) -> Result<Files, Error> {
    let mut files = Files::new();
    for path in paths {
        let known = files.iter().any(|(known, _)| *known == path);
        if !known && let Some(bytes) = directory.optional(&path, TOKENIZER_LIMIT)? {
            files.push((path, bytes));
        }
    }
    Ok(files)
}

/// The files, and those of `more` that are not among them.
pub(crate) fn with_missing(mut files: Files, more: Files) -> Files {
    let missing = |(path, _): &(PathBuf, _)| files.iter().all(|(known, _)| known != path);
    let missing: Vec<_> = more.into_iter().filter(missing).collect();
    files.extend(missing);
    files
}
