//! The examples of a loss as token ids, a batch at a time.

use burn::tensor::{Device, Tensor};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::encoder::{Encoder, TokenBatch};
use crate::error::Error;
use crate::sampler;
use crate::task::{Example, Need, Target};
use crate::tokenizer::Tokenizer;

/// The examples of a loss, ready to be encoded.
#[derive(Debug)]
pub struct Batches<'a> {
    need: Need,
    examples: &'a [Example<'a>],
    tokens: Vec<Vec<Vec<u32>>>,
    batch_size: usize,
    seed: u64,
}

impl<'a> Batches<'a> {
    /// Tokenises the examples.
    pub fn new(
        need: Need,
        examples: &'a [Example<'a>],
        tokenizer: &Tokenizer,
        max_tokens: usize,
        batch_size: usize,
        seed: u64,
    ) -> Result<Self, Error> {
        let encode = |example: &Example| tokenizer.encode(example.texts.clone(), max_tokens);
        Ok(Self {
            need,
            examples,
            tokens: examples.iter().map(encode).collect::<Result<_, _>>()?,
            batch_size,
            seed,
        })
    }

    /// The batches of an epoch, counted from zero: the same for the same seed.
    pub fn epoch(&self, epoch: usize) -> Vec<Vec<usize>> {
        let mut rng = StdRng::seed_from_u64(self.seed.wrapping_add(epoch as u64));
        sampler::epoch(self.need, self.examples, self.batch_size, &mut rng)
    }

    /// The number of batches in the first `epochs` epochs.
    pub fn count(&self, epochs: usize) -> usize {
        (0..epochs).map(|epoch| self.epoch(epoch).len()).sum()
    }

    /// One embedding matrix for each column: all columns go through the encoder together.
    pub fn columns(&self, encoder: &Encoder, batch: &[usize], device: &Device) -> Vec<Tensor<2>> {
        let count = self.tokens[batch[0]].len();
        let column = |column: usize| {
            batch.iter().map(move |&row| self.tokens[row][column].as_slice())
        };
        let ids: Vec<_> = (0..count).flat_map(column).collect();
        encoder.forward(TokenBatch::new(&ids, device)).chunk(count, 0)
    }

    /// The targets of a batch.
    pub fn targets(&self, batch: &[usize]) -> Vec<&'a Target> {
        batch.iter().map(|&row| &self.examples[row].target).collect()
    }
}
