//! A WordPiece tokenizer, trained on the texts at hand.

use std::collections::BTreeSet;
use std::path::Path;

use tokenizers::decoders::wordpiece::WordPiece as Decoder;
use tokenizers::models::wordpiece::{WordPiece, WordPieceTrainer};
use tokenizers::normalizers::bert::BertNormalizer;
use tokenizers::normalizers::utils::{Lowercase, Sequence};
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    AddedToken, NormalizedString, Normalizer, OffsetReferential, OffsetType, PostProcessor,
    PreTokenizedString, PreTokenizer, Trainer, TruncationParams,
};

use crate::error::Error;
use crate::model::charsmap;
use crate::model::settings::Limits;

const PADDING: &str = "[PAD]";
const UNKNOWN: &str = "[UNK]";

/// Splits texts into the token ids that an encoder embeds.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// Ids are below this.
    rows: usize,
}

/// Token ids of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The ids of each text.
    pub rows: Vec<Vec<u32>>,
    /// How many texts were longer than the limit.
    pub cut: usize,
}

impl Tokenizer {
    /// The id that fills rows up to the longest one of a batch.
    pub const PADDING_ID: u32 = 0;

    /// Learns about `vocabulary` word pieces from `texts`; equal texts give equal tokenizers.
    pub fn train<'t>(
        texts: impl Iterator<Item = &'t str>,
        vocabulary: usize,
    ) -> Result<Self, Error> {
        let words = texts.map(words).collect::<tokenizers::Result<Vec<_>>>().map_err(failed)?;
        let mut trainer = WordPieceTrainer::builder()
            .vocab_size(vocabulary)
            .min_frequency(2)
            .special_tokens(fixed_pieces(&words))
            .show_progress(false)
            .build();
        trainer.feed(words.concat().iter(), |word| Ok(vec![word.to_string()])).map_err(failed)?;
        let mut model = WordPiece::default();
        trainer.train(&mut model).map_err(failed)?;

        let mut inner = tokenizers::Tokenizer::new(model);
        inner.with_normalizer(Some(BertNormalizer::default())).map_err(failed)?;
        inner.with_pre_tokenizer(Some(BertPreTokenizer));
        inner.with_decoder(Some(Decoder::default()));
        let special = [PADDING, UNKNOWN].map(|token| AddedToken::from(token, true));
        inner.add_special_tokens(special).map_err(failed)?;
        Ok(Self { rows: inner.get_vocab_size(true), inner })
    }

    /// The number of token ids.
    pub fn vocabulary(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// At most `limit` token ids of each text; a text without any is one unknown token.
    pub fn encode(&self, texts: Vec<&str>, limit: usize) -> Result<Vec<Vec<u32>>, Error> {
        Ok(self.encode_counting(texts, limit)?.rows)
    }

    /// [`Tokenizer::encode`], and how many texts were too long.
    pub fn encode_counting(&self, texts: Vec<&str>, limit: usize) -> Result<Encoded, Error> {
        let encodings = self.inner.encode_batch_fast(texts, true).map_err(failed)?;
        let unknown = self.inner.token_to_id(UNKNOWN).unwrap_or(Self::PADDING_ID);
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
            None => Ok(Encoded { rows, cut }),
        }
    }

    /// Reads what [`Tokenizer::save`] wrote.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let inner = tokenizers::Tokenizer::from_file(path);
        let inner = inner.map_err(|error| Error::read(path, error))?;
        Ok(Self { rows: inner.get_vocab_size(true), inner })
    }

    /// The tokenizer of a model with `rows` word embeddings, from the bytes of its file.
    ///
    /// Texts are cut to the model's limit, the special tokens counted and kept, whatever length
    /// and padding the file asks for.
    pub fn pretrained(
        path: &Path,
        bytes: &[u8],
        limits: Limits,
        rows: usize,
    ) -> Result<Self, Error> {
        let failed = |error: tokenizers::Error| Error::read(path, error);
        // The tokenizer crate takes it for granted that this much of a file is sound.
        let file = serde_json::from_slice(bytes).map_err(|error| Error::read(path, error))?;
        charsmap::check(&file).map_err(|reason| Error::read(path, reason))?;
        let mut inner = tokenizers::Tokenizer::from_bytes(bytes).map_err(failed)?;
        let highest = inner.get_vocab(true).into_values().max();
        if let Some(highest) = highest.filter(|id| *id as usize >= rows) {
            let reason = format!("its highest id is {highest}, but there are {rows} embeddings");
            return Err(Error::read(path, reason));
        }
        let special = inner.get_post_processor().map_or(0, |it| it.added_tokens(false));
        if special >= limits.max_tokens {
            let limit = limits.max_tokens;
            let reason = format!("{special} special tokens leave no room in texts of {limit}");
            return Err(Error::read(path, reason));
        }
        if limits.lower_case {
            let former = inner.get_normalizer().cloned();
            let steps = std::iter::once(Lowercase.into()).chain(former).collect();
            inner.with_normalizer(Some(Sequence::new(steps))).map_err(failed)?;
        }
        let truncation = TruncationParams { max_length: limits.max_tokens, ..Default::default() };
        inner.with_truncation(Some(truncation)).map_err(failed)?;
        inner.with_padding(None);
        Ok(Self { inner, rows })
    }

    /// Writes `tokenizer.json`, which every `tokenizers` library can read.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        self.inner.save(path, true).map_err(|error| Error::output(path, error))
    }
}

/// The words of a text, as the tokenizer will see them.
fn words(text: &str) -> tokenizers::Result<Vec<String>> {
    let mut text = NormalizedString::from(text);
    BertNormalizer::default().normalize(&mut text)?;
    let mut text = PreTokenizedString::from(text);
    BertPreTokenizer.pre_tokenize(&mut text)?;
    let words = text.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
    Ok(words.into_iter().map(|(word, _, _)| word.to_string()).collect())
}

/// The pieces with the lowest ids: the special tokens, then each letter inside a word.
///
/// The trainer would number the letters inside words in the order of a hash map, another one each
/// time, and break ties between merges by these numbers: the same texts would not always give the
/// same pieces. Pieces that are named to it keep their place.
fn fixed_pieces(words: &[Vec<String>]) -> Vec<AddedToken> {
    let letters: BTreeSet<char> = words.iter().flatten().flat_map(|word| word.chars()).collect();
    let special = [PADDING, UNKNOWN].map(String::from).into_iter();
    let pieces = special.chain(letters.iter().map(|letter| format!("##{letter}")));
    pieces.map(|piece| AddedToken::from(piece, true)).collect()
}

fn failed(error: tokenizers::Error) -> Error {
    Error::Tokenizer(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 3] = ["The rain fell.", "Rain again, the rain!", "the dry hill"];

    #[test]
    fn words_are_lower_cased_and_split_from_punctuation() {
        let tokenizer = Tokenizer::train(TEXTS.into_iter(), 500).unwrap();
        let rows = tokenizer.encode(vec!["RAIN, the", "rain , THE"], 8).unwrap();
        assert_eq!(rows[0], rows[1]);
        assert_eq!(rows[0].len(), 3);
    }

    #[test]
    fn training_twice_gives_the_same_ids() {
        let ids = || {
            let tokenizer = Tokenizer::train(TEXTS.into_iter(), 500).unwrap();
            tokenizer.encode(TEXTS.to_vec(), 8).unwrap()
        };
        assert_eq!(ids(), ids());
    }

    #[test]
    fn no_row_is_empty_or_too_long() {
        let tokenizer = Tokenizer::train(TEXTS.into_iter(), 500).unwrap();
        let rows = tokenizer.encode(vec!["", "rain rain rain", "雨"], 2).unwrap();
        assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2, 1]);
        assert_ne!(rows[0][0], Tokenizer::PADDING_ID);
    }
}
