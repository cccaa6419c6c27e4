//! Texts to embeddings, outside of training.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor};

use crate::encoder::TextEncoder;
use crate::error::Error;
use crate::tokenizer::Tokenizer;

/// Texts that are embedded at once.
const BATCH: usize = 128;

/// A tokenizer and an encoder, for embedding texts without gradients.
#[derive(Debug)]
pub struct Embedder<'a, E> {
    tokenizer: &'a Tokenizer,
    encoder: E,
    max_tokens: usize,
}

/// The embeddings of a set of texts, scaled to length one.
#[derive(Debug)]
pub struct Embeddings<'t> {
    rows: HashMap<&'t str, Vec<f32>>,
}

impl<'a, E: TextEncoder> Embedder<'a, E> {
    /// Embeds with the parameters that `encoder` has now.
    pub fn new(tokenizer: &'a Tokenizer, encoder: &E, max_tokens: usize) -> Self {
        Self { tokenizer, encoder: encoder.valid(), max_tokens }
    }

    /// The embeddings of all `texts`, each computed once.
    pub fn embed<'t>(
        &self,
        texts: impl Iterator<Item = &'t str>,
        device: &Device,
    ) -> Result<Embeddings<'t>, Error> {
        let mut texts: Vec<_> = texts.collect();
        texts.sort_unstable();
        texts.dedup();
        // Texts of like length share a batch, so that little of it is padding.
        texts.sort_by_key(|text| text.len());
        let embeddings = self.tensor(texts.clone(), device)?;
        let [_, dimension] = embeddings.dims();
        let values: Vec<f32> = embeddings.into_data().iter().collect();
        let rows = values.chunks(dimension).map(unit);
        Ok(Embeddings { rows: texts.into_iter().zip(rows).collect() })
    }

    /// The embeddings of `texts` in their order, as the encoder gives them.
    pub fn tensor(&self, texts: Vec<&str>, device: &Device) -> Result<Tensor<2>, Error> {
        let device = device.clone().without_autodiff();
        let tokens = self.tokenizer.encode(texts, self.max_tokens)?;
        let batches = tokens.chunks(BATCH).map(|batch| {
            let ids: Vec<_> = batch.iter().map(Vec::as_slice).collect();
            self.encoder.embed(&ids, &device)
        });
        Ok(Tensor::cat(batches.collect(), 0))
    }
}

fn unit(row: &[f32]) -> Vec<f32> {
    let norm = row.iter().map(|value| value * value).sum::<f32>().sqrt();
    let scale = if norm > 0.0 { 1.0 / norm } else { 0.0 };
    row.iter().map(|value| value * scale).collect()
}

impl Embeddings<'_> {
    /// The cosine of two of the texts.
    pub fn cosine(&self, left: &str, right: &str) -> f32 {
        let (left, right) = (&self.rows[left], &self.rows[right]);
        left.iter().zip(right).map(|(left, right)| left * right).sum()
    }

    /// The embeddings of some of the texts, in their order.
    pub fn rows<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Vec<&[f32]> {
        texts.map(|text| self.rows[text].as_slice()).collect()
    }
}
