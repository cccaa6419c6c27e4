//! Several encoders in one: each kind of text has its own.

use burn::module::Module;
use burn::tensor::{Bool, Device, Int, Tensor};

use super::by_length::restored;
use super::{SentenceEncoder, TextEncoder};
use crate::dropout::for_texts;
use crate::modules::{Features, Part};

/// What [`for_texts`] calls the step after the routes: the encoders themselves have two.
const AFTER_ROUTES: u64 = 2;

/// An encoder for each kind of text, such as queries and documents, and modules that all embeddings pass
/// afterwards.
#[derive(Module, Debug)]
pub struct RoutedEncoder {
    /// The encoders, called by their numbers here.
    pub routes: Vec<SentenceEncoder>,
    /// The modules with parameters that the routes share, and what follows them.
    pub shared: Vec<Part>,
    dimension: usize,
}

impl RoutedEncoder {
    /// Encoders whose last `shared` parts are the same ones. Of these, parts without parameters stay in
    /// each encoder as long as none with parameters comes before them.
    ///
    /// # Errors
    ///
    /// If the embeddings differ in size, or what is shared includes the pooling and comes after parameters.
    pub(crate) fn new(encoders: Vec<SentenceEncoder>, shared: usize) -> Result<Self, String> {
        let dimension = encoders.first().map_or(0, SentenceEncoder::dimension);
        if let Some(other) = encoders.iter().find(|it| it.dimension() != dimension) {
            let other = other.dimension();
            return Err(format!("one route gives {dimension} numbers for a text, another {other}"));
        }
        let last = |encoder: &SentenceEncoder| {
            let last = &encoder.parts[encoder.parts.len() - shared..];
            last.iter().position(|part| part.num_params() > 0).map_or(0, |first| shared - first)
        };
        let trained = encoders.first().map_or(0, last);
        let (mut routes, mut parts) = (Vec::new(), Vec::new());
        for encoder in encoders {
            let (route, of_all) = encoder.without_last(trained)?;
            routes.push(route);
            parts = of_all;
        }
        Ok(Self { routes, shared: parts, dimension })
    }

    /// The size of an embedding.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    fn after_routes(&self, embeddings: Tensor<2>) -> Tensor<2> {
        if self.shared.is_empty() {
            return embeddings;
        }
        let features = Features::of_texts(embeddings);
        let after = self.shared.iter().fold(features, |features, part| part.forward(features));
        after.texts.expect("modules keep the vectors of texts")
    }
}

/// Texts whose route is not named take the first.
impl TextEncoder for RoutedEncoder {
    fn token_vectors(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.routes[0].token_vectors(ids)
    }

    fn sentence_vectors(&self, tokens: Tensor<3>, padding: Tensor<2, Bool>) -> Tensor<2> {
        self.after_routes(self.routes[0].sentence_vectors(tokens, padding))
    }

    fn embed(&self, rows: &[&[u32]], device: &Device) -> Tensor<2> {
        self.embed_by_route(rows, &vec![0; rows.len()], device)
    }

    fn embed_by_route(&self, rows: &[&[u32]], routes: &[usize], device: &Device) -> Tensor<2> {
        let (mut embeddings, mut order) = (Vec::new(), Vec::new());
        for (number, route) in self.routes.iter().enumerate() {
            let places: Vec<_> = (0..rows.len()).filter(|&row| routes[row] == number).collect();
            if places.is_empty() {
                continue;
            }
            let of_route: Vec<_> = places.iter().map(|&row| rows[row]).collect();
            embeddings.push(for_texts(&places, 0, || route.embed(&of_route, device)));
            order.extend(places);
        }
        let embeddings = restored(Tensor::cat(embeddings, 0), &order);
        let all: Vec<_> = (0..rows.len()).collect();
        for_texts(&all, AFTER_ROUTES, || self.after_routes(embeddings))
    }
}
