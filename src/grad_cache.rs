//! Batches of any size through an encoder whose memory holds a few texts.

use core::ops::Range;

use burn::module::{ModuleVisitor, Param};
use burn::prelude::*;
use burn::tensor::Gradients;
use serde::{Deserialize, Serialize};

use crate::error::ConfigError;

/// Computes the gradients of a whole batch in mini-batches: the loss sees all embeddings, the
/// encoder's graph is never larger than that of one mini-batch.
///
/// 1. Each mini-batch is embedded, and only its embeddings are kept.
/// 2. The loss of all embeddings gives the derivative by each of them.
/// 3. Each mini-batch is embedded again, with the same dropout, and its derivatives go back through
///    the encoder.
///
/// The gradients are those of a step that embeds the same mini-batches in one graph, for the price
/// of one more forward pass. It works for any loss; with
/// [`MultipleNegativesRankingLoss`](crate::MultipleNegativesRankingLoss) it is
/// `CachedMultipleNegativesRankingLoss` of sentence-transformers, with
/// [`MegaBatchMarginLoss`](crate::MegaBatchMarginLoss) its mini-batched version.
///
/// # Example
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::prelude::*;
/// use burn_embedding_losses::{GradCache, MultipleNegativesRankingLossConfig};
///
/// let device = Device::flex().autodiff();
/// let encoder = LinearConfig::new(2, 2).init(&device);
/// let loss = MultipleNegativesRankingLossConfig::new().init();
/// // Two queries, then their two documents.
/// let texts = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.1], [0.1, 1.0]];
/// let texts = Tensor::<2>::from_floats(texts, &device);
///
/// let mut gradients = Vec::new();
/// let value = GradCache::new(3).step(
///     &encoder,
///     7,
///     4,
///     |encoder, rows| encoder.forward(texts.clone().slice([rows])),
///     |embeddings| {
///         let [queries, documents] = embeddings.chunk(2, 0).try_into().unwrap();
///         loss.forward((queries, documents))
///     },
///     |part| gradients.extend(encoder.weight.val().grad(&part)),
/// );
/// assert_eq!(value.dims(), [1]);
/// // One part for each mini-batch, to be added: a `GradientsAccumulator` of burn-optim does it.
/// assert_eq!(gradients.len(), 2);
/// ```
///
/// # References
///
/// - L. Gao, Y. Zhang, J. Han, J. Callan: Scaling Deep Contrastive Learning Batch Size under Memory
///   Limited Setup, 2021, <https://arxiv.org/abs/2101.06983>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GradCache {
    mini_batch_size: usize,
}

impl GradCache {
    /// Mini-batches of `mini_batch_size` rows; the last may have fewer.
    ///
    /// # Panics
    ///
    /// If `mini_batch_size` is 0.
    #[track_caller]
    pub fn new(mini_batch_size: usize) -> Self {
        crate::error::expect_valid(ConfigError::unless(
            mini_batch_size > 0,
            "GradCache",
            "mini_batch_size",
            "must be at least 1",
            mini_batch_size,
        ));
        Self { mini_batch_size }
    }

    /// The rows of each mini-batch of a batch of `rows`.
    pub fn mini_batches(self, rows: usize) -> impl Iterator<Item = Range<usize>> {
        let size = self.mini_batch_size;
        (0..rows).step_by(size).map(move |start| start..rows.min(start.saturating_add(size)))
    }

    /// The loss of a batch of `rows`, `[1]`, and its gradients.
    ///
    /// - `seed` is what the random numbers of the encoder's devices start from in this step. Both
    ///   passes over a mini-batch start from the same number, so dropout falls on the same places;
    ///   nothing else may draw random numbers from the devices meanwhile. Give each step a seed of
    ///   its own.
    /// - `embed` turns a range of rows into embeddings, `[rows, dim]`, by the encoder that it is given:
    ///   the first time one whose parameters track no gradient, so that nothing of the pass stays in
    ///   memory, the second time `encoder`. It must do the same both times.
    /// - `loss` takes the embeddings of all rows, `[rows, dim]`, and gives the loss, `[1]`.
    /// - `gradients` takes one part after another of the gradients, to be added up: one of what
    ///   `loss` itself depends on (the parameters it owns), if there is any, then one of each
    ///   mini-batch.
    ///
    /// The loss comes without a graph.
    ///
    /// # Panics
    ///
    /// If `rows` is 0, `embed` gives another number of rows than it is asked for or, in a debug
    /// build, other embeddings the second time.
    #[track_caller]
    pub fn step<E: Module>(
        self,
        encoder: &E,
        seed: u64,
        rows: usize,
        embed: impl Fn(&E, Range<usize>) -> Tensor<2>,
        loss: impl FnOnce(Tensor<2>) -> Tensor<1>,
        mut gradients: impl FnMut(Gradients),
    ) -> Tensor<1> {
        assert!(rows > 0, "GradCache: `rows` must be at least 1, got 0");
        // Parameters that are drawn on their first use would be drawn for each pass.
        encoder.visit(&mut FirstUse);
        let devices = encoder.devices();
        let start_from = |seed| devices.iter().for_each(|device| device.seed(seed));
        let embed = |encoder: &E, index: usize, range: Range<usize>| {
            start_from(seed.wrapping_add(index as u64));
            let expected = range.len();
            let embeddings = embed(encoder, range);
            let got = embeddings.dims()[0];
            assert!(got == expected, "GradCache: `embed` must give {expected} rows, got {got}");
            embeddings
        };
        let mini_batches = || self.mini_batches(rows).enumerate();

        // A graph without a backward pass would stay in memory until the next one.
        let constant = encoder.clone().no_grad();
        let first = mini_batches().map(|(index, range)| embed(&constant, index, range).inner());
        let cached = Tensor::cat(first.collect(), 0);
        let leaf = Tensor::from_inner(cached.clone()).require_grad();
        // The loss may draw random numbers too.
        start_from(seed.wrapping_sub(1));
        let value = loss(leaf.clone());
        if !value.is_tracked() {
            return value.inner();
        }
        let mut of_loss = value.backward();
        let by_embedding = leaf.grad_remove(&mut of_loss);
        gradients(of_loss);

        for (index, range) in mini_batches() {
            let Some(by_embedding) = &by_embedding else { break };
            let embeddings = embed(encoder, index, range.clone());
            // Reads from the device, so only in a debug build.
            if cfg!(debug_assertions) {
                same_again(&embeddings, cached.clone().slice([range.clone()]));
            }
            if embeddings.is_tracked() {
                let dtype = embeddings.dtype();
                let by_row = by_embedding.clone().slice([range]).cast(dtype);
                gradients((embeddings * by_row).sum().backward());
            }
        }
        value.inner()
    }
}

/// Uses every parameter.
struct FirstUse;

impl ModuleVisitor for FirstUse {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        param.val();
    }
}

/// Panics unless the two are equal, but for what kernels may differ by from run to run.
#[track_caller]
fn same_again(second: &Tensor<2>, first: Tensor<2>) {
    let apart = (second.clone().inner() - first.clone()).abs().max();
    let allowed = first.abs().max().mul_scalar(1e-3);
    let same = apart.lower_equal(allowed).into_data().iter::<bool>().all(|same| same);
    assert!(
        same,
        "GradCache: `embed` must give the same embeddings both times; does nothing else draw random \
         numbers?"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{Linear, LinearConfig};

    fn encoder() -> Linear {
        LinearConfig::new(2, 3).init(&Device::flex().autodiff())
    }

    fn embed(encoder: &Linear, rows: usize) -> Tensor<2> {
        encoder.forward(Tensor::ones([rows, 2], &Device::flex().autodiff()))
    }

    #[test]
    #[should_panic(expected = "GradCache: `embed` must give 5 rows, got 4")]
    fn what_embeds_must_embed_all_rows() {
        let embed = |encoder: &Linear, rows: Range<usize>| embed(encoder, rows.len() - 1);
        GradCache::new(5).step(&encoder(), 0, 7, embed, |rows| rows.mean(), |_| {});
    }

    #[test]
    #[should_panic(expected = "GradCache: `mini_batch_size` must be at least 1, got 0")]
    fn a_mini_batch_has_a_row() {
        GradCache::new(0);
    }

    #[cfg(debug_assertions)]
    #[test]
    #[should_panic(expected = "GradCache: `embed` must give the same embeddings both times")]
    fn an_encoder_that_changes_is_found() {
        let calls = std::cell::Cell::new(0.0);
        let embed = |encoder: &Linear, rows: Range<usize>| {
            calls.set(calls.get() + 1.0);
            embed(encoder, rows.len()) * calls.get()
        };
        GradCache::new(5).step(&encoder(), 0, 7, embed, |rows| rows.mean(), |_| {});
    }

    #[test]
    fn the_first_pass_leaves_no_graph_and_the_second_has_the_encoder() {
        let tracked = std::cell::RefCell::new(Vec::new());
        let embed = |encoder: &Linear, rows: Range<usize>| {
            let embeddings = embed(encoder, rows.len());
            tracked.borrow_mut().push(embeddings.is_tracked());
            embeddings
        };
        GradCache::new(5).step(&encoder(), 0, 7, embed, |rows| rows.mean(), |_| {});
        assert_eq!(tracked.into_inner(), [false, false, true, true]);
    }

    #[test]
    fn mini_batches_are_all_rows_in_order() {
        let ranges: Vec<_> = GradCache::new(3).mini_batches(7).collect();
        assert_eq!(ranges, [0..3, 3..6, 6..7]);
        assert_eq!(GradCache::new(usize::MAX).mini_batches(2).next(), Some(0..2));
    }
}
