//! From token ids to one embedding for each text.

mod adapted;
mod batch;
mod by_length;
mod routed;
mod sentence;

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Bool, Device, Int, Tensor};
use burn_embedding_losses::Workers;

pub(crate) use adapted::with_adapters;
pub use batch::{TokenBatch, padded};
pub use by_length::ByLength;
pub use routed::RoutedEncoder;
pub use sentence::SentenceEncoder;

use crate::dropout::for_texts;
use crate::transformer::{Transformer, TransformerConfig};

/// A network that turns token ids into one embedding for each text, and can be trained.
pub trait TextEncoder: Module + ModuleDisplay {
    /// A vector for each token as it is alone, `[texts, tokens]` to `[texts, tokens, dimension]`.
    fn token_vectors(&self, ids: Tensor<2, Int>) -> Tensor<3>;

    /// Embeddings `[texts, dimension]` of such vectors; `padding`, `[texts, tokens]`, is true for
    /// those that only fill a row up.
    fn sentence_vectors(&self, tokens: Tensor<3>, padding: Tensor<2, Bool>) -> Tensor<2>;

    /// The number of layers of [`layer_vectors`](Self::layer_vectors); 1 if the network has none to show.
    fn layers(&self) -> usize {
        1
    }

    /// Embeddings after each layer of the network, `[texts, dimension]` each, the first before any block and
    /// the last as [`sentence_vectors`](Self::sentence_vectors) gives it; `None` if the network has no layers
    /// to show.
    #[allow(unused_variables)]
    fn layer_vectors(&self, tokens: Tensor<3>, padding: Tensor<2, Bool>) -> Option<Vec<Tensor<2>>> {
        None
    }

    /// [`embed`](Self::embed) after each layer, beside each other, `[texts, layers · dimension]`; `None` if
    /// the network has no layers to show.
    fn embed_layers(&self, rows: &[&[u32]], device: &Device) -> Option<Tensor<2>> {
        let beside = |tokens, padding| Some(Tensor::cat(self.layer_vectors(tokens, padding)?, 1));
        embed_in_groups(self, rows, device, beside)
    }

    /// Embeddings `[texts, dimension]`, all texts padded to the longest.
    fn forward(&self, batch: TokenBatch) -> Tensor<2> {
        self.sentence_vectors(self.token_vectors(batch.ids), batch.padding)
    }

    /// Embeddings `[texts, dimension]` of token ids, in the order of `rows`; texts of like length
    /// go through the network together, so that little of what is computed is padding.
    fn embed(&self, rows: &[&[u32]], device: &Device) -> Tensor<2> {
        embed_all(self, rows, device)
    }

    /// [`embed`](Self::embed) with the number of a route for each text; an encoder without routes embeds all
    /// texts alike.
    ///
    /// # Panics
    ///
    /// If there are fewer routes than rows.
    #[allow(unused_variables)]
    fn embed_by_route(&self, rows: &[&[u32]], routes: &[usize], device: &Device) -> Tensor<2> {
        self.embed(rows, device)
    }

    /// [`embed`](Self::embed) with at most `size` texts at a time, for any number of texts.
    ///
    /// # Panics
    ///
    /// If `size` is 0 or there are no rows.
    #[track_caller]
    fn embed_in_batches(&self, rows: &[&[u32]], size: usize, device: &Device) -> Tensor<2> {
        let devices = std::slice::from_ref(device);
        self.embed_in_batches_by_route(rows, &vec![0; rows.len()], size, devices)
    }

    /// [`embed_by_route`](Self::embed_by_route) with at most `size` texts at a time on each device, for any number of
    /// texts. The embeddings are on the first device.
    ///
    /// # Panics
    ///
    /// If `size` is 0, there are no rows or devices, or fewer routes than rows.
    #[track_caller]
    fn embed_in_batches_by_route(
        &self,
        rows: &[&[u32]],
        routes: &[usize],
        size: usize,
        devices: &[Device],
    ) -> Tensor<2> {
        let first = &devices[0];
        let sorted = ByLength::new(rows);
        let routes: Vec<_> = sorted.order().iter().map(|&row| routes[row]).collect();
        let batches: Vec<_> = sorted.rows().chunks(size).zip(routes.chunks(size)).collect();
        let embed = |encoder: &Self, (rows, routes): (&[&[u32]], &[usize])| {
            let device = encoder.devices().into_iter().next().unwrap_or_else(|| first.clone());
            encoder.embed_by_route(rows, routes, &device)
        };
        let embedded = match (batches.len(), devices) {
            (1, _) => vec![embed(self, batches[0])],
            // Threads with a core each are faster than a product on all of them.
            (_, [device]) => Workers::on_all_cores(device).map(self, batches, embed),
            _ => Workers::devices(devices.iter().cloned()).map(self, batches, embed),
        };
        let embedded = embedded.into_iter().map(|rows| rows.to_device(first));
        sorted.restore(Tensor::cat(embedded.collect(), 0))
    }

    /// The transformer that a decoder can be tied to, with its shape, if there is one.
    fn transformer(&self) -> Option<(&Transformer, &TransformerConfig)> {
        None
    }
}

/// The embedding of each text.
fn embed_all<E: TextEncoder>(encoder: &E, rows: &[&[u32]], device: &Device) -> Tensor<2> {
    let vectors = |tokens, padding| Some(encoder.sentence_vectors(tokens, padding));
    embed_in_groups(encoder, rows, device, vectors).expect("there is a vector for each text")
}

/// What `vectors` makes of the vectors of tokens and their padding, of texts of like length together, each group
/// padded to its longest.
fn embed_in_groups<E: TextEncoder>(
    encoder: &E,
    rows: &[&[u32]],
    device: &Device,
    vectors: impl Fn(Tensor<3>, Tensor<2, Bool>) -> Option<Tensor<2>>,
) -> Option<Tensor<2>> {
    let sorted = ByLength::new(rows);
    let mut groups = sorted.groups(device);
    groups.reverse();
    let longest_first: Vec<_> =
        groups.iter().flat_map(|group| &sorted.rows()[group.clone()]).copied().collect();
    let places: Vec<_> =
        groups.iter().flat_map(|group| &sorted.order()[group.clone()]).copied().collect();
    let batch = TokenBatch::new(&longest_first, device);
    // All at once: the gradient of a look-up is as large as the table.
    let tokens = for_texts(&places, 0, || encoder.token_vectors(batch.ids));
    let mut end = 0;
    let embeddings: Option<Vec<_>> = groups
        .iter()
        .map(|group| {
            let rows = end..end + group.len();
            end = rows.end;
            // A text without tokens is one of padding.
            let longest = sorted.rows()[group.end - 1].len().max(1);
            let tokens = tokens.clone().slice([rows.clone(), 0..longest]);
            let padding = batch.padding.clone().slice([rows.clone(), 0..longest]);
            for_texts(&places[rows], 1, || vectors(tokens, padding))
        })
        .collect();
    let mut embeddings = embeddings?;
    embeddings.reverse();
    Some(sorted.restore(Tensor::cat(embeddings, 0)))
}
