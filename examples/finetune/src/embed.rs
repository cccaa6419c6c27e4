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

/// The embeddings of a set of texts.
#[derive(Debug)]
pub struct Embeddings<'t> {
    rows: HashMap<&'t str, i64>,
    matrix: Tensor<2>,
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
        let matrix = match texts.is_empty() {
            true => Tensor::zeros([0, 1], device),
            false => self.tensor(texts.clone(), device)?,
        };
        Ok(Embeddings { rows: texts.into_iter().zip(0..).collect(), matrix })
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

impl Embeddings<'_> {
    /// The embeddings of some of the texts, in their order, `[n, dim]`; `None` of no text.
    pub fn of<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Option<Tensor<2>> {
        let rows: Vec<i64> = texts.into_iter().map(|text| self.rows[text]).collect();
        let device = self.matrix.device();
        let select = || Tensor::from_data(rows.as_slice(), &device);
        (!rows.is_empty()).then(|| self.matrix.clone().select(0, select()))
    }
}
