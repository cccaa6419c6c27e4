//! The examples of a loss as token ids, a batch at a time.

use burn::tensor::{Device, Tensor};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::encoder::{TextEncoder, TokenBatch};
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
    ///
    /// Each token is left out with the probability `word_dropout`, so that no text is learned by
    /// a single word of it.
    pub fn columns(
        &self,
        encoder: &impl TextEncoder,
        batch: &[usize],
        word_dropout: f64,
        rng: &mut StdRng,
        device: &Device,
    ) -> Vec<Tensor<2>> {
        let count = self.tokens[batch[0]].len();
        let column = |column: usize| batch.iter().map(move |&row| &self.tokens[row][column]);
        let texts = (0..count).flat_map(column);
        let kept: Vec<_> = texts.map(|tokens| leave_out(tokens, word_dropout, rng)).collect();
        let ids: Vec<_> = kept.iter().map(Vec::as_slice).collect();
        encoder.forward(TokenBatch::new(&ids, device)).chunk(count, 0)
    }

    /// The targets of a batch.
    pub fn targets(&self, batch: &[usize]) -> Vec<&'a Target> {
        batch.iter().map(|&row| &self.examples[row].target).collect()
    }
}

/// The tokens without some of them, but never none.
fn leave_out(tokens: &[u32], share: f64, rng: &mut StdRng) -> Vec<u32> {
    let kept: Vec<_> = tokens.iter().copied().filter(|_| !rng.random_bool(share)).collect();
    if kept.is_empty() { tokens.to_vec() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_tokens_are_left_out_but_never_all() {
        let mut rng = StdRng::seed_from_u64(1);
        let tokens: Vec<u32> = (0..1000).collect();
        assert_eq!(leave_out(&tokens, 0.0, &mut rng), tokens);
        let kept = leave_out(&tokens, 0.2, &mut rng);
        assert!((700..900).contains(&kept.len()) && kept.is_sorted(), "{}", kept.len());
        for _ in 0..100 {
            assert_eq!(leave_out(&[7], 0.9, &mut rng), [7]);
        }
    }
}
