//! Models that read two texts together and score the pair: rerankers and classifiers of pairs.

mod activation;
mod config;
mod encoder;
mod head;
mod labels;
mod new;
mod package;

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde_json::Value;

pub use activation::ScoreActivation;
pub use config::{HeadConfig, HeadNames};
pub use encoder::PairEncoder;
pub(crate) use encoder::SECOND;
pub use head::Head;
pub use labels::Labels;
pub use package::PairPackage;

use crate::directory::{
    CONFIG, Directory, MODULES, ModuleKind, Modules, Place, Route, SETTINGS, Settings, advice,
};
use crate::encoder::TextEncoder;
use crate::error::Error;
use crate::lora::LoraConfig;
use crate::sentence_transformer::{
    OpenOptions, files_of_lengths, files_of_network, read_some, with_missing,
};
use crate::tokenizer::{Tokenizer, Tokens};
use crate::weights;

/// The number of pairs that [`CrossEncoder::predict`] scores at a time.
const BATCH: usize = 32;

/// A CrossEncoder of sentence-transformers: it reads two texts together and gives a score, or one for
/// each of several classes.
///
/// Source: `sentence_transformers.cross_encoder.CrossEncoder`.
///
/// # Example
///
/// ```
/// use burn::tensor::Device;
/// use burn_embedding_models::CrossEncoder;
///
/// # fn main() -> Result<(), burn_embedding_models::Error> {
/// let model = CrossEncoder::open("goldens/cross-bert", &Device::flex())?;
/// let documents = ["The cat sits on the mat.", "A dog runs.", "the river"];
/// let ranked = model.rank("Where is the cat?", &documents)?;
/// assert_eq!(ranked.len(), 3);
/// assert!(ranked[0].score >= ranked[1].score);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct CrossEncoder {
    /// Token ids to logits: the part that is trained.
    pub encoder: PairEncoder,
    /// Text pairs to token ids.
    pub tokenizer: Tokenizer,
    /// The other files of the directory.
    pub package: PairPackage,
    device: Device,
}

/// A document with its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// Its place among the documents, counted from zero.
    pub index: usize,
    /// Its score for the query.
    pub score: f32,
}

impl OpenOptions {
    /// Opens the directory of a CrossEncoder. On a device that tracks gradients the model is ready to be
    /// trained. Only the dropout of the options is used.
    ///
    /// # Errors
    ///
    /// If a file is missing, damaged, or describes a model that is not supported.
    pub fn open_cross_encoder(
        &self,
        path: impl AsRef<Path>,
        device: &Device,
    ) -> Result<CrossEncoder, Error> {
        let directory = Directory::open(path.as_ref())?;
        let module = module(&directory)?;
        let opened = self.transformer(&directory, &module)?;
        let (file, bytes) = opened.read_config(&directory, &module)?;
        let mut head = HeadConfig::parse(&file, bytes, &opened.config)?;
        if let Some(dropout) = self.dropout {
            head.set_dropout(dropout);
        }
        let settings = Settings::read(&directory)?;
        if settings.default_prompt_name.is_some() {
            let reason = "a default prompt is not supported: put the prompt into the texts";
            return Err(Error::read(&directory.path().join(SETTINGS), reason));
        }
        let activation = ScoreActivation::read(&directory, &module, head.labels.len())?;
        let encoder =
            weights::load_pair_encoder(&directory, &module, (&opened.config, &head), device)?;
        let of_model = [MODULES, SETTINGS].map(PathBuf::from).into_iter();
        let kept = of_model.chain(files_of_network(&module)).chain(files_of_lengths(&module));
        let files = with_missing(read_some(&directory, kept)?, opened.files);
        let limit = opened.tokenizer.max_tokens();
        let tokenizer = opened.tokenizer.for_pairs(limit)?;
        let (config, name) = (opened.config, directory.name());
        let package = PairPackage { name, activation, head, config, module, files };
        Ok(CrossEncoder { encoder, tokenizer, package, device: device.clone() })
    }
}

/// The directory of the only module of a CrossEncoder.
fn module(directory: &Directory) -> Result<PathBuf, Error> {
    let list = directory.path().join(MODULES);
    if !list.exists() {
        return Ok(PathBuf::new());
    }
    let modules = Modules::read(directory, Route::Default)?;
    match modules.parts.first() {
        None => Ok(modules.network.path),
        Some(part) if part.kind == ModuleKind::Pooling => {
            let reason = "the model is a SentenceTransformer, which embeds texts one by one; pairs are scored by \
                          a CrossEncoder";
            Err(Error::read(&list, reason))
        }
        Some(part) => {
            let reason =
                format!("a CrossEncoder with a module {} is not supported", part.kind.name());
            Err(Error::read(&list, reason))
        }
    }
}

impl CrossEncoder {
    /// Whether the files of a directory say that its model scores text pairs.
    ///
    /// # Errors
    ///
    /// If the directory, or one of these files, cannot be read.
    pub fn is_in(path: impl AsRef<Path>) -> Result<bool, Error> {
        let directory = Directory::open(path.as_ref())?;
        let settings: Value = directory.json(Path::new(SETTINGS))?;
        match settings["model_type"].as_str() {
            Some(kind) => Ok(kind == "CrossEncoder"),
            // Releases before 6.0 have no list of modules.
            None if directory.path().join(MODULES).exists() => Ok(false),
            None => advice::is_classifier(&directory),
        }
    }

    /// Opens a directory that sentence-transformers or this crate saved.
    ///
    /// # Errors
    ///
    /// If a file is missing, damaged, or describes a model that is not supported.
    pub fn open(path: impl AsRef<Path>, device: &Device) -> Result<Self, Error> {
        OpenOptions::new().open_cross_encoder(path, device)
    }

    /// The model with new LoRA adapters in its network, which alone of it are trained; the head is trained as a whole.
    /// They are added to the weights when the model is saved. Scores are the same until the first step.
    ///
    /// # Errors
    ///
    /// [`Error::Lora`] if the configuration breaks a rule or names no layer, or the model has adapters already.
    pub fn with_lora(mut self, config: &LoraConfig) -> Result<Self, Error> {
        self.encoder = self.encoder.with_lora(&self.package.config, config)?;
        Ok(self)
    }

    /// The number of scores of a pair: 1, or the number of classes.
    pub fn labels(&self) -> usize {
        self.package.labels()
    }

    /// The token ids of text pairs.
    ///
    /// # Errors
    ///
    /// If the tokenizer fails, or knows other types of tokens than the model.
    pub fn tokenize<T: AsRef<str>>(&self, pairs: &[(T, T)]) -> Result<Tokens, Error> {
        let pairs = pairs.iter().map(|(first, second)| (first.as_ref(), second.as_ref())).collect();
        self.tokenizer.encode_pairs(pairs, self.package.token_types())
    }

    /// The scores of text pairs, `[pairs, labels]`, without gradients.
    ///
    /// # Errors
    ///
    /// As [`tokenize`](Self::tokenize).
    pub fn predict<T: AsRef<str>>(&self, pairs: &[(T, T)]) -> Result<Tensor<2>, Error> {
        let device = self.device.clone().without_autodiff();
        if pairs.is_empty() {
            return Ok(Tensor::zeros([0, self.labels()], &device));
        }
        Ok(self.score(&self.tokenize(pairs)?, BATCH))
    }

    /// The scores of tokenised pairs, `[pairs, labels]`, without gradients, `batch_size` at a time.
    ///
    /// # Panics
    ///
    /// If `batch_size` is 0, or there are no pairs.
    #[track_caller]
    pub fn score(&self, tokens: &Tokens, batch_size: usize) -> Tensor<2> {
        let device = self.device.clone().without_autodiff();
        let encoder = self.encoder.valid();
        let logits = encoder.embed_in_batches(&tokens.slices(), batch_size, &device);
        self.package.activation.forward(logits)
    }

    /// The documents by their scores for `query`, the best first; of equal scores the first document.
    ///
    /// # Errors
    ///
    /// As [`predict`](Self::predict), or if the model gives several scores.
    pub fn rank<T: AsRef<str>>(&self, query: &str, documents: &[T]) -> Result<Vec<Ranked>, Error> {
        if self.labels() != 1 {
            let labels = self.labels();
            let reason = format!("it gives {labels} scores for a pair, and a ranking needs 1");
            return Err(Error::read(&self.package.module.join(CONFIG), reason));
        }
        let pairs: Vec<_> = documents.iter().map(|document| (query, document.as_ref())).collect();
        let scores = self.predict(&pairs)?.into_data();
        let ranked = scores.iter::<f32>().enumerate();
        let mut ranked: Vec<_> = ranked.map(|(index, score)| Ranked { index, score }).collect();
        ranked.sort_by(|one, other| other.score.total_cmp(&one.score));
        Ok(ranked)
    }

    /// The name that `transformers` gives to the parameter at `path` in the [`encoder`](Self::encoder).
    pub fn file_name(&self, path: &str) -> String {
        let PairPackage { config, head, .. } = &self.package;
        weights::pair_encoder_name(path, config.shape().names(), head.names)
    }

    /// Saves the model to a directory, which is replaced as a whole or not at all: the files it was opened
    /// with, and its parameters as they are now, in `f32`.
    ///
    /// # Errors
    ///
    /// If the directory cannot be written, or another process is writing it; it is then as it was before.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let write = |directory: &Path| self.package.write(directory, &self.encoder);
        Place::new(path.as_ref())?.claim()?.replace(write, |_| Ok(()))
    }
}
