//! A whole model of sentence-transformers: opened from its directory, used, and saved again.

mod open;
mod package;
mod parts;
mod routed;
mod save;
mod table;

use std::num::NonZeroUsize;
use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

pub use open::OpenOptions;
pub(crate) use open::TOKENIZER_CONFIG;
pub(crate) use package::{Files, files_of_lengths, files_of_network, read_some, with_missing};
pub use package::{Package, file_names};
pub use routed::{RoutedPackage, RoutedTransformer};
pub(crate) use save::{full_precision, write};

use crate::encoder::{SentenceEncoder, TextEncoder};
use crate::error::Error;
use crate::lora::LoraConfig;
use crate::tokenizer::{Tokenizer, Tokens};

/// The number of texts that [`SentenceTransformer::encode`] embeds at a time.
const BATCH: usize = 32;

/// A model of sentence-transformers.
///
/// # Example
///
/// ```
/// use burn::tensor::Device;
/// use burn_embedding_models::SentenceTransformer;
///
/// # fn main() -> Result<(), burn_embedding_models::Error> {
/// let device = Device::flex();
/// let model = SentenceTransformer::open("goldens/bert", &device)?;
/// let embeddings = model.encode(&["The cat sits on the mat.", "A dog runs."])?;
/// assert_eq!(embeddings.dims(), [2, model.dimension()]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SentenceTransformer {
    /// Token ids to embeddings: the part that is trained.
    pub encoder: SentenceEncoder,
    /// Texts to token ids.
    pub tokenizer: Tokenizer,
    /// The other files of the directory.
    pub package: Package,
    pub(crate) truncate_dim: Option<NonZeroUsize>,
    pub(crate) device: Device,
}

impl SentenceTransformer {
    /// Opens a directory that sentence-transformers or this crate saved, with
    /// [`OpenOptions`]' defaults.
    ///
    /// # Errors
    ///
    /// If a file is missing, damaged, or describes a model that is not supported.
    pub fn open(path: impl AsRef<Path>, device: &Device) -> Result<Self, Error> {
        OpenOptions::new().open(path, device)
    }

    /// The model with new LoRA adapters, which alone are trained; see
    /// [`SentenceEncoder::with_lora`].
    ///
    /// # Errors
    ///
    /// [`Error::Lora`] if there can be no such adapters.
    pub fn with_lora(mut self, config: &LoraConfig) -> Result<Self, Error> {
        self.encoder = self.encoder.with_lora(config)?;
        Ok(self)
    }

    /// The embeddings of `texts`, `[texts, dimension]`, without gradients. The model's default
    /// prompt, if it has one, is put before each text, and texts that are too long are cut.
    ///
    /// # Errors
    ///
    /// If the default prompt cannot be used, or the tokenizer fails.
    pub fn encode<T: AsRef<str>>(&self, texts: &[T]) -> Result<Tensor<2>, Error> {
        Ok(self.embed(&self.tokenize(texts, None)?, BATCH))
    }

    /// The token ids of `texts`, each after the prompt with this name, or after the default one.
    ///
    /// # Errors
    ///
    /// If there is no such prompt or it cannot be used, or the tokenizer fails.
    pub fn tokenize<T: AsRef<str>>(
        &self,
        texts: &[T],
        prompt: Option<&str>,
    ) -> Result<Tokens, Error> {
        let prompt = self.prompt(prompt)?;
        let texts: Vec<_> = texts.iter().map(|text| format!("{prompt}{}", text.as_ref())).collect();
        let mut tokens = self.tokenizer.encode(texts.iter().map(String::as_str).collect())?;
        if !prompt.is_empty() && self.encoder.leaves_out_prompts() {
            tokens.prompt = self.tokenizer.prompt_length(prompt)?;
        }
        Ok(tokens)
    }

    /// The embeddings of tokenised texts, `[texts, dimension]`, without gradients, `batch_size`
    /// texts at a time.
    ///
    /// # Panics
    ///
    /// If `batch_size` is 0.
    #[track_caller]
    pub fn embed(&self, tokens: &Tokens, batch_size: usize) -> Tensor<2> {
        let device = self.device.clone().without_autodiff();
        if tokens.rows.is_empty() {
            return Tensor::zeros([0, self.dimension()], &device);
        }
        let encoder = self.encoder.valid().after_prompt(tokens.prompt);
        let whole = encoder.embed_in_batches(&tokens.slices(), batch_size, &device);
        whole.narrow(1, 0, self.dimension())
    }

    /// The size of an embedding that [`encode`](Self::encode) gives.
    pub fn dimension(&self) -> usize {
        let whole = self.encoder.dimension();
        self.truncate_dim.map_or(whole, |dimension| whole.min(dimension.get()))
    }

    /// The text of the prompt called `name`, or of the model's default prompt; empty if there is
    /// none.
    ///
    /// # Errors
    ///
    /// If there is no such prompt.
    pub fn prompt(&self, name: Option<&str>) -> Result<&str, Error> {
        self.package.settings.prompt(name)
    }
}
