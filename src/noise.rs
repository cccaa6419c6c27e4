//! Damage to sentences that a model learns to undo.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::config::config;
use crate::error::{ConfigError, expect_valid};

config! {
    /// Configuration of [`WordDeletion`].
    pub struct WordDeletionConfig {
        /// The share of words that is deleted, in `[0, 1]`.
        pub ratio: f64 = 0.6, set by with_ratio;
    }
}

impl WordDeletionConfig {
    /// Checks every field against its rule.
    ///
    /// # Errors
    ///
    /// If `ratio` is outside `[0, 1]`.
    pub fn check(&self) -> Result<(), ConfigError> {
        let in_range = (0.0..=1.0).contains(&self.ratio);
        ConfigError::unless(in_range, "WordDeletion", "ratio", "must be in [0, 1]", self.ratio)
    }

    /// Builds the noise; the same seed makes the same choices.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init(&self, seed: u64) -> WordDeletion {
        expect_valid(self.check());
        WordDeletion { ratio: self.ratio, random: StdRng::seed_from_u64(seed) }
    }
}

/// Deletes each word of a sentence with the same probability, but never all of them: the noise of
/// TSDAE.
///
/// # Differences
///
/// From sentence-transformers' `DenoisingAutoEncoderDataset`: words are what stands between white
/// space and are joined by one blank (there: NLTK's tokenizer, which parts punctuation from words,
/// and its inverse). Of the recipe in the docstring of its loss, `del_ratio` is the share that is
/// kept.
///
/// # Example
///
/// ```
/// use burn_embedding_losses::noise::WordDeletionConfig;
///
/// let mut noise = WordDeletionConfig::new().init(7);
/// let damaged = noise.damage("the cat sat on the mat");
/// assert!((1..=6).contains(&damaged.split(' ').count()));
/// ```
///
/// # References
///
/// - K. Wang, N. Reimers, I. Gurevych: TSDAE, 2021, <https://arxiv.org/abs/2104.06979>
#[derive(Debug)]
pub struct WordDeletion {
    ratio: f64,
    random: StdRng,
}

impl WordDeletion {
    /// The sentence without the deleted words. A text without words stays as it is.
    pub fn damage(&mut self, text: &str) -> String {
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.is_empty() {
            return text.into();
        }
        let mut kept = words.clone();
        kept.retain(|_| !self.random.random_bool(self.ratio));
        if kept.is_empty() {
            kept.push(words[self.random.random_range(0..words.len())]);
        }
        kept.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn damaged(ratio: f64, seed: u64, text: &str) -> String {
        WordDeletionConfig::new().with_ratio(ratio).init(seed).damage(text)
    }

    #[test]
    fn sixty_of_a_hundred_words_go() {
        let words: Vec<String> = (0..10_000).map(|i| i.to_string()).collect();
        let left = damaged(WordDeletionConfig::new().ratio, 1, &words.join(" "));
        let left: Vec<&str> = left.split(' ').collect();
        assert!((3_800..4_200).contains(&left.len()), "{} words are left", left.len());
        let places: Vec<usize> = left.iter().map(|word| word.parse().unwrap()).collect();
        assert!(places.is_sorted(), "words stay in order");
    }

    #[test]
    fn one_word_stays_and_not_always_the_same() {
        let left: Vec<String> = (0..20).map(|seed| damaged(1.0, seed, "a b c")).collect();
        assert!(left.iter().all(|word| word.len() == 1));
        assert!(["a", "b", "c"].iter().all(|word| left.iter().any(|kept| kept == word)));
    }

    #[test]
    fn nothing_goes_at_ratio_zero_and_nothing_is_left_of_nothing() {
        assert_eq!(damaged(0.0, 3, " two\twords\n"), "two words");
        assert_eq!(damaged(0.6, 3, ""), "");
        assert_eq!(damaged(0.6, 3, " \n"), " \n");
    }

    #[test]
    fn a_seed_makes_the_same_choices_again() {
        let text = "one two three four five six seven eight nine ten";
        assert_eq!(damaged(0.5, 9, text), damaged(0.5, 9, text));
        assert_ne!(damaged(0.5, 9, text), damaged(0.5, 10, text));
    }

    #[test]
    #[should_panic(expected = "WordDeletion: `ratio` must be in [0, 1], got 1.5")]
    fn a_ratio_is_a_share() {
        WordDeletionConfig::new().with_ratio(1.5).init(0);
    }
}
