//! From rows to tensors.

use burn::data::dataloader::batcher::Batcher;
use burn::prelude::*;

use crate::texts::{Labelled, Pair};

/// The number of buckets that words are hashed into.
pub const BUCKETS: usize = 4096;

/// A batch from one of the data sets.
#[derive(Debug, Clone)]
pub enum Batch {
    /// For [`MultipleNegativesRankingLoss`](burn_embedding_losses::MultipleNegativesRankingLoss).
    Pairs {
        /// The words of each question.
        questions: Words,
        /// The words of its answer.
        answers: Words,
    },
    /// For [`BatchHardTripletLoss`](burn_embedding_losses::BatchHardTripletLoss).
    Labelled {
        /// The words of each sentence.
        texts: Words,
        /// Its topic, `[n]`.
        topics: Tensor<1, Int>,
    },
}

impl Batch {
    /// The number of its rows.
    pub fn rows(&self) -> usize {
        let (Self::Pairs { questions: texts, .. } | Self::Labelled { texts, .. }) = self;
        texts.dims()[0]
    }
}

/// The bucket of each word, `[n, words]`. Shorter texts are padded with bucket 0.
pub type Words = Tensor<2, Int>;

/// Makes batches from the rows of either data set.
#[derive(Debug, Clone, Copy)]
pub struct ToBatch;

impl Batcher<Pair, Batch> for ToBatch {
    fn batch(&self, rows: Vec<Pair>, device: &Device) -> Batch {
        Batch::Pairs {
            questions: words(rows.iter().map(|row| row.question.as_str()), device),
            answers: words(rows.iter().map(|row| row.answer.as_str()), device),
        }
    }
}

impl Batcher<Labelled, Batch> for ToBatch {
    fn batch(&self, rows: Vec<Labelled>, device: &Device) -> Batch {
        let topics: Vec<_> = rows.iter().map(|row| row.topic as i32).collect();
        Batch::Labelled {
            texts: words(rows.iter().map(|row| row.text.as_str()), device),
            topics: Tensor::from_ints(topics.as_slice(), device),
        }
    }
}

fn words<'a>(texts: impl Iterator<Item = &'a str>, device: &Device) -> Words {
    let texts: Vec<Vec<i32>> =
        texts.map(|text| text.split_whitespace().map(bucket).collect()).collect();
    let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
    let mut padded = Vec::with_capacity(texts.len() * longest);
    for text in &texts {
        padded.extend(text);
        padded.resize(padded.len() + longest - text.len(), 0);
    }
    Tensor::from_data(TensorData::new(padded, [texts.len(), longest]), device)
}

/// The FNV-1a hash of a word, from 1 to `BUCKETS` − 1.
fn bucket(word: &str) -> i32 {
    let step = |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = word.bytes().fold(0x811c_9dc5, step);
    (hash % (BUCKETS as u32 - 1)) as i32 + 1
}
