//! A WordPiece tokenizer, trained on the texts at hand.

use std::collections::{BTreeMap, BTreeSet};

use tokenizers::decoders::wordpiece::WordPiece as Decoder;
use tokenizers::models::wordpiece::{WordPiece, WordPieceTrainer};
use tokenizers::normalizers::bert::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    AddedToken, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer, Trainer,
};

use super::{Tokenizer, UNKNOWN, failed};
use crate::error::Error;

const PADDING: &str = "[PAD]";

impl Tokenizer {
    /// Learns about `vocabulary` word pieces from `texts`, for texts of at most `max_tokens`. Equal
    /// texts give equal tokenizers.
    ///
    /// # Errors
    ///
    /// If the tokenizer crate fails.
    pub fn train(
        texts: impl Iterator<Item: AsRef<str>>,
        vocabulary: usize,
        max_tokens: usize,
    ) -> Result<Self, Error> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for text in texts {
            for word in words(text.as_ref()).map_err(failed)? {
                *counts.entry(word).or_default() += 1;
            }
        }
        let mut trainer = WordPieceTrainer::builder()
            .vocab_size(vocabulary)
            .min_frequency(2)
            .special_tokens(fixed_pieces(counts.keys()))
            .show_progress(false)
            .build();
        let words = counts.iter().flat_map(|(word, count)| std::iter::repeat_n(word, *count));
        trainer.feed(words, |word| Ok(vec![word.to_string()])).map_err(failed)?;
        let mut model = WordPiece::default();
        trainer.train(&mut model).map_err(failed)?;

        let mut inner = tokenizers::Tokenizer::new(model);
        inner.with_normalizer(Some(BertNormalizer::default())).map_err(failed)?;
        inner.with_pre_tokenizer(Some(BertPreTokenizer));
        inner.with_decoder(Some(Decoder::default()));
        let special = [PADDING, UNKNOWN].map(|token| AddedToken::from(token, true));
        inner.add_special_tokens(special).map_err(failed)?;
        Ok(Self::of(inner, max_tokens))
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
/// The trainer numbers the letters inside words in the order of a hash map, which differs from run
/// to run, and breaks ties between merges by these numbers: the same texts would not always give
/// the same pieces. Pieces that it is told about keep their place.
fn fixed_pieces<'w>(words: impl Iterator<Item = &'w String>) -> Vec<AddedToken> {
    let letters: BTreeSet<char> = words.flat_map(|word| word.chars()).collect();
    let special = [PADDING, UNKNOWN].map(String::from).into_iter();
    let pieces = special.chain(letters.iter().map(|letter| format!("##{letter}")));
    pieces.map(|piece| AddedToken::from(piece, true)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 3] = ["The rain fell.", "Rain again, the rain!", "the dry hill"];

    fn rows(max_tokens: usize, texts: &[&str]) -> Vec<Vec<u32>> {
        let tokenizer = Tokenizer::train(TEXTS.into_iter(), 500, max_tokens).unwrap();
        tokenizer.encode(texts.to_vec()).unwrap().rows
    }

    #[test]
    fn words_are_lower_cased_and_split_from_punctuation() {
        let rows = rows(8, &["RAIN, the", "rain , THE"]);
        assert_eq!(rows[0], rows[1]);
        assert_eq!(rows[0].len(), 3);
    }

    #[test]
    fn training_twice_gives_the_same_ids() {
        assert_eq!(rows(8, &TEXTS), rows(8, &TEXTS));
    }

    #[test]
    fn no_row_is_empty_or_too_long() {
        let rows = rows(2, &["", "rain rain rain", "雨"]);
        assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2, 1]);
        assert_ne!(rows[0][0], Tokenizer::PADDING_ID);
    }
}
