//! Texts to embeddings, outside of training.

use std::borrow::Cow;
use std::collections::HashMap;

use burn::tensor::{Device, Tensor};
use burn_embedding_models::{TextEncoder, Tokenizer};

use crate::data::{Dataset, Text, Texts};
use crate::error::Error;

/// Texts that are embedded at a time.
const BATCH: usize = 128;
/// Texts that are read at a time.
const READ: usize = 1 << 11;

/// A tokenizer and an encoder, for embedding texts without gradients.
#[derive(Debug)]
pub struct Embedder<'a, E> {
    tokenizer: &'a Tokenizer,
    encoder: E,
}

/// The embeddings of a set of texts.
#[derive(Debug)]
pub struct Embeddings {
    rows: HashMap<Text, i64>,
    matrix: Tensor<2>,
}

impl<'a, E: TextEncoder> Embedder<'a, E> {
    /// Embeds with the parameters that `encoder` has now.
    pub fn new(tokenizer: &'a Tokenizer, encoder: &E) -> Self {
        // With adapters in the weights, as it will be saved.
        Self { tokenizer, encoder: encoder.valid().materialize() }
    }

    /// The embeddings of all texts of `data`, each computed once.
    pub fn embed(&self, data: &Dataset, device: &Device) -> Result<Embeddings, Error> {
        let mut texts: Vec<_> = data.all_texts().collect();
        texts.sort_unstable();
        texts.dedup();
        let matrix = match texts.is_empty() {
            true => Tensor::zeros([0, 1], device),
            false => self.tensor(&texts, &data.texts, device)?,
        };
        Ok(Embeddings { rows: texts.into_iter().zip(0..).collect(), matrix })
    }

    /// The embeddings of `texts`, which are some of `all`, in their order; there must be one at least.
    pub fn tensor(&self, texts: &[Text], all: &Texts, device: &Device) -> Result<Tensor<2>, Error> {
        let device = device.clone().without_autodiff();
        let embed = |texts: &[Text]| -> Result<Tensor<2>, Error> {
            let texts: Vec<_> =
                texts.iter().map(|text| all.get(*text)).collect::<Result<_, _>>()?;
            let tokens = self.tokenizer.encode(texts.iter().map(Cow::as_ref).collect())?;
            Ok(self.encoder.embed_in_batches(&tokens.slices(), BATCH, &device))
        };
        let parts = texts.chunks(READ).map(embed).collect::<Result<Vec<_>, _>>()?;
        Ok(Tensor::cat(parts, 0))
    }
}

impl Embeddings {
    /// The first `dim` numbers of each embedding.
    pub fn shortened(&self, dim: usize) -> Self {
        let kept = dim.min(self.matrix.dims()[1]);
        Self { rows: self.rows.clone(), matrix: self.matrix.clone().narrow(1, 0, kept) }
    }

    /// The embeddings of some of the texts, in their order, `[n, dim]`; `None` for no text.
    pub fn of(&self, texts: impl IntoIterator<Item = Text>) -> Option<Tensor<2>> {
        let rows: Vec<i64> = texts.into_iter().map(|text| self.rows[&text]).collect();
        let device = self.matrix.device();
        let select = || Tensor::from_data(rows.as_slice(), &device);
        (!rows.is_empty()).then(|| self.matrix.clone().select(0, select()))
    }
}
