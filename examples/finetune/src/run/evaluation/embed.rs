//! Texts to embeddings, outside of training.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor};
use burn_embedding_models::{TextEncoder, Tokenizer};

use crate::error::Error;

/// Texts that are embedded at a time.
const BATCH: usize = 128;

/// A tokenizer and an encoder, for embedding texts without gradients.
#[derive(Debug)]
pub struct Embedder<'a, E> {
    tokenizer: &'a Tokenizer,
    encoder: E,
}

/// The embeddings of a set of texts.
#[derive(Debug)]
pub struct Embeddings<'t> {
    rows: HashMap<&'t str, i64>,
    matrix: Tensor<2>,
}

impl<'a, E: TextEncoder> Embedder<'a, E> {
    /// Embeds with the parameters that `encoder` has now.
    pub fn new(tokenizer: &'a Tokenizer, encoder: &E) -> Self {
        // With adapters in the weights, as it will be saved.
        Self { tokenizer, encoder: encoder.valid().materialize() }
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
        let matrix = match texts.is_empty() {
            true => Tensor::zeros([0, 1], device),
            false => self.tensor(texts.clone(), device)?,
        };
        Ok(Embeddings { rows: texts.into_iter().zip(0..).collect(), matrix })
    }

    /// The embeddings of `texts` in their order; there must be one at least.
    pub fn tensor(&self, texts: Vec<&str>, device: &Device) -> Result<Tensor<2>, Error> {
        let tokens = self.tokenizer.encode(texts)?;
        let device = device.clone().without_autodiff();
        Ok(self.encoder.embed_in_batches(&tokens.slices(), BATCH, &device))
    }
}

impl Embeddings<'_> {
    /// The first `dim` numbers of each embedding.
    pub fn shortened(&self, dim: usize) -> Self {
        let kept = dim.min(self.matrix.dims()[1]);
        Self { rows: self.rows.clone(), matrix: self.matrix.clone().narrow(1, 0, kept) }
    }

    /// The embeddings of some of the texts, in their order, `[n, dim]`; `None` for no text.
    pub fn of<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Option<Tensor<2>> {
        let rows: Vec<i64> = texts.into_iter().map(|text| self.rows[text]).collect();
        let device = self.matrix.device();
        let select = || Tensor::from_data(rows.as_slice(), &device);
        (!rows.is_empty()).then(|| self.matrix.clone().select(0, select()))
    }
}
