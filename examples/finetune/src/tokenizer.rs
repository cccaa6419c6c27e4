//! A WordPiece tokenizer, trained on the texts at hand.

use std::collections::HashSet;
use std::path::Path;

use tokenizers::models::wordpiece::{WordPiece, WordPieceTrainer};
use tokenizers::normalizers::bert::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{AddedToken, TokenizerBuilder};

use crate::error::Error;

const PADDING: &str = "[PAD]";
const UNKNOWN: &str = "[UNK]";

/// Splits texts into the token ids that an encoder embeds.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
}

impl Tokenizer {
    /// The id that fills rows up to the longest one of a batch.
    pub const PADDING_ID: u32 = 0;

    /// Learns at most `vocabulary` word pieces from `texts`; equal texts give equal tokenizers.
    pub fn train<'t>(
        texts: impl Iterator<Item = &'t str> + Send,
        vocabulary: usize,
    ) -> Result<Self, Error> {
        let failed = |error: tokenizers::Error| Error::Tokenizer(error.to_string());
        let model = WordPiece::builder().unk_token(UNKNOWN.to_string()).build().map_err(failed)?;
        let mut tokenizer = TokenizerBuilder::new()
            .with_model(model)
            .with_normalizer(Some(BertNormalizer::default()))
            .with_pre_tokenizer(Some(BertPreTokenizer))
            .with_post_processor(None::<tokenizers::PostProcessorWrapper>)
            .with_decoder(Some(tokenizers::decoders::wordpiece::WordPiece::default()))
            .build()
            .map_err(failed)?;
        let special = [PADDING, UNKNOWN].map(|token| AddedToken::from(token, true));
        let mut trainer = WordPieceTrainer::builder()
            .vocab_size(vocabulary)
            .min_frequency(2)
            .special_tokens(special.to_vec())
            .initial_alphabet(HashSet::from_iter('a'..='z'))
            .show_progress(false)
            .build();
        tokenizer.train(&mut trainer, texts).map_err(failed)?;
        let json = tokenizer.to_string(false).map_err(failed)?;
        let inner = tokenizers::Tokenizer::from_bytes(json).map_err(failed)?;
        Ok(Self { inner })
    }

    /// The number of token ids.
    pub fn vocabulary(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// At most `limit` token ids of each text; a text without any is one unknown token.
    pub fn encode(&self, texts: Vec<&str>, limit: usize) -> Result<Vec<Vec<u32>>, Error> {
        let encodings = self
            .inner
            .encode_batch_fast(texts, true)
            .map_err(|error| Error::Tokenizer(error.to_string()))?;
        let unknown = self.inner.token_to_id(UNKNOWN).unwrap_or(Self::PADDING_ID);
        let rows = encodings.iter().map(|encoding| match encoding.get_ids() {
            [] => vec![unknown],
            ids => ids[..ids.len().min(limit)].to_vec(),
        });
        Ok(rows.collect())
    }

    /// Reads what [`Tokenizer::save`] wrote.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let inner = tokenizers::Tokenizer::from_file(path);
        let inner = inner.map_err(|error| Error::read(path, error))?;
        Ok(Self { inner })
    }

    /// Writes `tokenizer.json`, which every `tokenizers` library can read.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        self.inner.save(path, true).map_err(|error| Error::output(path, error))
    }
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
