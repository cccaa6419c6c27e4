//! Texts to token ids.

mod charsmap;
mod train;

use std::path::Path;

use tokenizers::normalizers::utils::{Lowercase, Sequence};
use tokenizers::{PostProcessor, TruncationParams};

use crate::directory::Limits;
use crate::error::Error;

const UNKNOWN: &str = "[UNK]";

/// Splits texts into the token ids that an encoder embeds.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// Ids are below this.
    rows: usize,
    max_tokens: usize,
}

/// Token ids of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The ids of each text; no text is without any.
    pub rows: Vec<Vec<u32>>,
    /// How many texts were longer than the limit.
    pub cut: usize,
}

impl Tokens {
    /// The ids of each text, borrowed.
    pub fn slices(&self) -> Vec<&[u32]> {
        self.rows.iter().map(Vec::as_slice).collect()
    }
}

impl Tokenizer {
    /// The id that fills rows up to the longest one of a batch.
    pub const PADDING_ID: u32 = 0;

    /// The number of token ids.
    pub fn vocabulary(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// The longest text that is read, in tokens with the special ones.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// The token ids of each text, cut to the limit; a text without any is one unknown token.
    ///
    /// # Errors
    ///
    /// If the tokenizer fails, or gives an id that the model has no embedding for.
    pub fn encode(&self, texts: Vec<&str>) -> Result<Tokens, Error> {
        let encodings = self.inner.encode_batch_fast(texts, true).map_err(failed)?;
        let unknown = self.inner.token_to_id(UNKNOWN).unwrap_or(Self::PADDING_ID);
        let limit = self.max_tokens;
        let cut = encodings.iter().filter(|encoding| {
            encoding.get_ids().len() > limit || !encoding.get_overflowing().is_empty()
        });
        let cut = cut.count();
        let rows = encodings.iter().map(|encoding| match encoding.get_ids() {
            [] => vec![unknown],
            ids => ids[..ids.len().min(limit)].to_vec(),
        });
        let rows: Vec<_> = rows.collect();
        match rows.iter().flatten().find(|id| **id as usize >= self.rows) {
            Some(id) => Err(Error::Tokenizer(format!(
                "it gives the id {id}, but the model has {} word embeddings",
                self.rows
            ))),
            None => Ok(Tokens { rows, cut }),
        }
    }

    /// Reads a `tokenizer.json` that [`save`](Self::save) wrote, for texts of at most `max_tokens`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn load(path: &Path, max_tokens: usize) -> Result<Self, Error> {
        let inner = tokenizers::Tokenizer::from_file(path);
        let inner = inner.map_err(|error| Error::read(path, error))?;
        Ok(Self { rows: inner.get_vocab_size(true), inner, max_tokens })
    }

    /// The tokenizer of a model with `rows` word embeddings, from the bytes of the file at `path`.
    ///
    /// Texts are cut to the model's limit, in which the special tokens count and are kept,
    /// whatever length and padding the file asks for.
    pub(crate) fn pretrained(
        path: &Path,
        bytes: &[u8],
        limits: Limits,
        rows: usize,
    ) -> Result<Self, Error> {
        let mut inner = read(path, bytes)?;
        check(&inner, limits, rows).map_err(|reason| Error::read(path, reason))?;
        let failed = |error: tokenizers::Error| Error::read(path, error);
        if limits.lower_case {
            let former = inner.get_normalizer().cloned();
            let steps = std::iter::once(Lowercase.into()).chain(former).collect();
            inner.with_normalizer(Some(Sequence::new(steps))).map_err(failed)?;
        }
        let max_tokens = limits.max_tokens;
        let truncation = TruncationParams { max_length: max_tokens, ..Default::default() };
        inner.with_truncation(Some(truncation)).map_err(failed)?;
        inner.with_padding(None);
        Ok(Self { inner, rows, max_tokens })
    }

    /// Writes `tokenizer.json`, which every `tokenizers` library can read.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        self.inner.save(path, true).map_err(|error| Error::write(path, error))
    }
}

/// The tokenizer as the file describes it.
fn read(path: &Path, bytes: &[u8]) -> Result<tokenizers::Tokenizer, Error> {
    // The tokenizer crate takes it for granted that these tables are sound.
    let file = serde_json::from_slice(bytes).map_err(|error| Error::read(path, error))?;
    charsmap::check(&file).map_err(|reason| Error::read(path, reason))?;
    tokenizers::Tokenizer::from_bytes(bytes).map_err(|error| Error::read(path, error))
}

/// Refuses a tokenizer of another model.
fn check(inner: &tokenizers::Tokenizer, limits: Limits, rows: usize) -> Result<(), String> {
    let highest = inner.get_vocab(true).into_values().max();
    if let Some(highest) = highest.filter(|id| *id as usize >= rows) {
        return Err(format!("its highest id is {highest}, but there are {rows} embeddings"));
    }
    let special = inner.get_post_processor().map_or(0, |it| it.added_tokens(false));
    if special >= limits.max_tokens {
        let limit = limits.max_tokens;
        return Err(format!("{special} special tokens leave no room in texts of {limit}"));
    }
    Ok(())
}

fn failed(error: tokenizers::Error) -> Error {
    Error::Tokenizer(error.to_string())
}
