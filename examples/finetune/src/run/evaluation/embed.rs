//! Texts to embeddings, outside of training.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor};
use burn_embedding_models::TextEncoder;

use crate::data::{Dataset, Text, Texts};
use crate::error::Error;
use crate::run::routes::Routes;

/// Texts that are embedded at a time.
const BATCH: usize = 128;
/// Texts that are read at a time.
const READ: usize = 1 << 11;

/// An encoder and its tokenizers, for embedding texts without gradients.
#[derive(Debug)]
pub struct Embedder<'a, E> {
    routes: &'a Routes,
    encoder: E,
    devices: Vec<Device>,
}

/// The embeddings of a set of texts.
#[derive(Debug)]
pub struct Embeddings {
    routes: Routes,
    /// The row of each text on each route.
    rows: HashMap<(usize, Text), i64>,
    matrix: Tensor<2>,
}

impl<'a, E: TextEncoder> Embedder<'a, E> {
    /// Embeds with the parameters that `encoder` has now, on all of `devices`.
    pub fn new(routes: &'a Routes, encoder: &E, devices: &[Device]) -> Self {
        let devices = devices.iter().map(|device| device.clone().without_autodiff()).collect();
        // With adapters in the weights, as it will be saved.
        Self { routes, encoder: encoder.valid().materialize(), devices }
    }

    /// The embeddings of all texts of `data`, each computed once on each route.
    pub fn embed(&self, data: &Dataset) -> Result<Embeddings, Error> {
        // A text may stand in another column of a triplet than in the pair that the triplet follows from.
        let triplets = data.triplets().into_iter().flat_map(|triplet| {
            [(0, triplet.anchor), (1, triplet.positive), (2, triplet.negative)]
        });
        let mut texts: Vec<_> = self.routed(data.columns().chain(triplets)).collect();
        texts.sort_unstable();
        texts.dedup();
        let matrix = match texts.is_empty() {
            true => Tensor::zeros([0, 1], &self.devices[0]),
            false => self.of_routes(&texts, &data.texts)?,
        };
        let rows = texts.into_iter().zip(0..).collect();
        Ok(Embeddings { routes: self.routes.clone(), rows, matrix })
    }

    /// The embeddings of `texts`, each with its column, which are some of `all`, in their order; there must
    /// be one at least.
    pub fn tensor(&self, texts: &[(usize, Text)], all: &Texts) -> Result<Tensor<2>, Error> {
        let texts: Vec<_> = self.routed(texts.iter().copied()).collect();
        self.of_routes(&texts, all)
    }

    /// The route of each text, instead of its column.
    fn routed(
        &self,
        texts: impl Iterator<Item = (usize, Text)>,
    ) -> impl Iterator<Item = (usize, Text)> {
        texts.map(|(column, text)| (self.routes.of_column(column), text))
    }

    fn of_routes(&self, texts: &[(usize, Text)], all: &Texts) -> Result<Tensor<2>, Error> {
        let embed = |texts: &[(usize, Text)]| -> Result<Tensor<2>, Error> {
            let routes: Vec<_> = texts.iter().map(|(route, _)| *route).collect();
            let texts = texts.iter().map(|&(route, text)| Ok((route, all.get(text)?)));
            let rows = self.routes.encode(&texts.collect::<Result<Vec<_>, Error>>()?)?;
            let rows: Vec<_> = rows.iter().map(Vec::as_slice).collect();
            Ok(self.encoder.embed_in_batches_by_route(&rows, &routes, BATCH, &self.devices))
        };
        let parts = texts.chunks(READ).map(embed).collect::<Result<Vec<_>, _>>()?;
        Ok(Tensor::cat(parts, 0))
    }
}

impl Embeddings {
    /// The first `dim` numbers of each embedding.
    pub fn shortened(&self, dim: usize) -> Self {
        let kept = dim.min(self.matrix.dims()[1]);
        let matrix = self.matrix.clone().narrow(1, 0, kept);
        Self { routes: self.routes.clone(), rows: self.rows.clone(), matrix }
    }

    /// The embeddings of some of the texts, each with its column, in their order, `[n, dim]`; `None` for no
    /// text.
    pub fn of(&self, texts: impl IntoIterator<Item = (usize, Text)>) -> Option<Tensor<2>> {
        let row = |(column, text)| self.rows[&(self.routes.of_column(column), text)];
        let rows: Vec<i64> = texts.into_iter().map(row).collect();
        let device = self.matrix.device();
        let select = || Tensor::from_data(rows.as_slice(), &device);
        (!rows.is_empty()).then(|| self.matrix.clone().select(0, select()))
    }
}
