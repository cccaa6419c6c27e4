//! Batches of any size through an encoder whose memory holds a few texts.

mod parts;
mod pass;

use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

use burn::prelude::*;
use burn::tensor::Gradients;
use serde::{Deserialize, Serialize};

use self::parts::Parts;
use self::pass::Pass;
use crate::batch::Columns;
use crate::error::ConfigError;
use crate::parallel::leaves::Leaves;

/// Computes the gradients of a whole batch in mini-batches: the loss sees all embeddings, the
/// encoder's graph is never larger than that of one mini-batch.
///
/// 1. Each mini-batch is embedded, and only its embeddings are kept.
/// 2. The loss of all embeddings gives the gradient with respect to each of them.
/// 3. Each mini-batch is embedded again, with the same dropout, and its gradients go back through
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
/// use burn_embedding_losses::batch::RetrievalBatch;
/// use burn_embedding_losses::{GradCache, MultipleNegativesRankingLossConfig};
///
/// let device = Device::flex().autodiff();
/// let encoder = LinearConfig::new(2, 2).init(&device);
/// let loss = MultipleNegativesRankingLossConfig::new().init();
/// let queries = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], &device);
/// let documents = Tensor::<2>::from_floats([[1.0, 0.1], [0.1, 1.0], [0.9, 1.0]], &device);
///
/// // Three pairs, two at a time.
/// let step = GradCache::new(2).seeded(7).step(
///     &encoder,
///     3,
///     |encoder, rows| {
///         let embed = |texts: &Tensor<2>| encoder.forward(texts.clone().slice([rows.clone()]));
///         RetrievalBatch::from((embed(&queries), embed(&documents)))
///     },
///     |batch| loss.forward(batch),
/// );
/// assert_eq!(step.loss.dims(), [1]);
///
/// // One part for each mini-batch, to be added: a `GradientsAccumulator` of burn-optim does it.
/// let gradient = |part| encoder.weight.val().grad(&part);
/// let parts: Vec<_> = step.gradients.filter_map(gradient).collect();
/// assert_eq!(parts.len(), 2);
/// ```
///
/// # References
///
/// - L. Gao, Y. Zhang, J. Han, J. Callan: Scaling Deep Contrastive Learning Batch Size under Memory
///   Limited Setup, 2021, <https://arxiv.org/abs/2101.06983>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Options")]
pub struct GradCache {
    mini_batch_size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

/// A [`GradCache`] as it stands in a file, before its numbers are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    mini_batch_size: usize,
    #[serde(default)]
    seed: Option<u64>,
}

impl TryFrom<Options> for GradCache {
    type Error = ConfigError;

    fn try_from(Options { mini_batch_size, seed }: Options) -> Result<Self, ConfigError> {
        check_size(mini_batch_size)?;
        Ok(Self { mini_batch_size, seed })
    }
}

fn check_size(mini_batch_size: usize) -> Result<(), ConfigError> {
    let (rule, got) = ("must be at least 1", mini_batch_size);
    ConfigError::unless(got > 0, "GradCache", "mini_batch_size", rule, got)
}

/// A step of [`GradCache`]: the loss of the whole batch, and its gradients in parts.
#[derive(Debug)]
#[must_use = "the gradients are computed when they are taken"]
pub struct CachedStep<G> {
    /// The loss, `[1]`, without a graph.
    pub loss: Tensor<1>,
    /// The parts of the gradients, to be added up: one of the parameters that the loss owns and of
    /// whatever else it depends on, if there is any, then one for each mini-batch. Each is computed
    /// when it is taken.
    pub gradients: G,
}

impl GradCache {
    /// Mini-batches of `mini_batch_size` rows; the last may have fewer.
    ///
    /// # Panics
    ///
    /// If `mini_batch_size` is 0.
    #[track_caller]
    pub fn new(mini_batch_size: usize) -> Self {
        crate::error::expect_valid(check_size(mini_batch_size));
        Self { mini_batch_size, seed: None }
    }

    /// The same, with the random numbers of the encoder's devices starting from `seed` in the next
    /// step. Give each step a seed of its own. Without one, the steps of the process count up.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// The rows of each mini-batch of a batch of `rows`.
    pub fn mini_batches(self, rows: usize) -> impl Iterator<Item = Range<usize>> {
        let size = self.mini_batch_size;
        (0..rows).step_by(size).map(move |start| start..rows.min(start.saturating_add(size)))
    }

    /// The loss of a batch of `rows`, and its gradients.
    ///
    /// - `embed` turns a range of rows into embeddings by the encoder that it is given: a tensor
    ///   `[rows, dim]`, or any batch or tuple of tensors with that many rows (see [`Columns`]), labels
    ///   included. The first time the encoder's parameters track no gradient, so that nothing of the
    ///   pass stays in memory; the second time it is `encoder`. It must do the same both times.
    /// - `loss` takes what `embed` gives, of all rows, and gives the loss, `[1]`.
    ///
    /// Both passes over a mini-batch start from the same random number, so dropout falls on the same
    /// places; nothing else may draw random numbers from the devices while a mini-batch is embedded.
    ///
    /// # Panics
    ///
    /// If `rows` is 0, or `embed` gives another number of rows than it is asked for, other columns
    /// than for other rows or, in a debug build, other embeddings the second time. While gradients
    /// are taken: if `embed` uses a tracked tensor that was computed outside it, whose graph only the
    /// first mini-batch can use. Compute it inside `embed`, or pass it without a graph
    /// ([`detach`](Tensor::detach)).
    #[track_caller]
    pub fn step<E: Module, C: Columns>(
        self,
        encoder: &E,
        rows: usize,
        embed: impl Fn(&E, Range<usize>) -> C,
        loss: impl FnOnce(C) -> Tensor<1>,
    ) -> CachedStep<impl Iterator<Item = Gradients>> {
        assert!(rows > 0, "GradCache: `rows` must be at least 1, got 0");
        let pass = Pass::new(encoder, self.seed.unwrap_or_else(next_seed), embed);
        let ranges: Vec<_> = self.mini_batches(rows).collect();
        let whole = pass.all(encoder, &ranges);
        let mut leaves = Leaves::like(encoder);
        let batch = whole.map_columns(&mut leaves);
        pass.start_loss();
        let value = loss(batch);
        let gradients = Parts::of(&value, leaves, pass, (encoder, ranges));
        CachedStep { loss: value.inner(), gradients }
    }
}

/// A seed for a step that was given none, different from those before and far from them.
fn next_seed() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // Odd, so that all numbers come before one is repeated.
    NEXT.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed)
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
        let _ = GradCache::new(5).step(&encoder(), 7, embed, |rows| rows.mean());
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
        let encoder = encoder();
        let step = GradCache::new(5).step(&encoder, 7, embed, |rows| rows.mean());
        step.gradients.for_each(drop);
    }

    #[test]
    fn the_first_pass_leaves_no_graph_and_the_second_has_the_encoder() {
        let tracked = std::cell::RefCell::new(Vec::new());
        let embed = |encoder: &Linear, rows: Range<usize>| {
            let embeddings = embed(encoder, rows.len());
            tracked.borrow_mut().push(embeddings.is_tracked());
            embeddings
        };
        let encoder = encoder();
        let step = GradCache::new(5).step(&encoder, 7, embed, |rows| rows.mean());
        step.gradients.for_each(drop);
        assert_eq!(*tracked.borrow(), [false, false, true, true]);
    }

    #[test]
    #[should_panic(expected = "GradCache: `embed` must give the same columns for all rows")]
    fn mini_batches_have_the_same_columns() {
        let embed =
            |encoder: &Linear, rows: Range<usize>| vec![embed(encoder, rows.len()); 1 + rows.start];
        let _ = GradCache::new(5).step(&encoder(), 7, embed, |columns| columns[0].clone().mean());
    }

    #[test]
    #[should_panic(expected = "Compute it inside `embed`, or pass it detached")]
    fn a_graph_that_mini_batches_share_is_named() {
        let device = Device::flex().autodiff();
        let prompt = Tensor::<2>::ones([1, 3], &device).require_grad() * 2.0;
        let embed =
            |encoder: &Linear, rows: Range<usize>| embed(encoder, rows.len()) + prompt.clone();
        let encoder = encoder();
        let step = GradCache::new(5).step(&encoder, 7, embed, |rows| rows.mean());
        step.gradients.for_each(drop);
    }

    #[test]
    fn a_leaf_that_mini_batches_share_gets_its_gradient() {
        let device = Device::flex().autodiff();
        let prompt = Tensor::<2>::ones([1, 3], &device).require_grad();
        let embed =
            |encoder: &Linear, rows: Range<usize>| embed(encoder, rows.len()) + prompt.clone();
        let encoder = encoder();
        let step = GradCache::new(5).step(&encoder, 7, embed, |rows| rows.sum());
        let gradients = step.gradients.filter_map(|part| prompt.grad(&part));
        let sum = gradients.reduce(|sum, part| sum + part).expect("a gradient");
        assert_eq!(sum.into_data(), TensorData::from([[7.0f32; 3]]));
    }

    /// Token embeddings, `[rows, 2, 3]`, with their labels.
    fn embed_tokens(encoder: &Linear, rows: Range<usize>) -> (Tensor<3>, Tensor<1, Int>) {
        let device = Device::flex();
        let labels = Tensor::<1, Int>::arange(rows.start as i64..rows.end as i64, &device);
        let texts = labels.clone().float().reshape([rows.len(), 1, 1]).expand([rows.len(), 2, 2]);
        (encoder.forward(Tensor::from_inner(texts)), labels)
    }

    #[test]
    fn embeddings_of_any_rank_come_with_their_labels() {
        let (encoder, rows) = (encoder(), 7);
        let loss = |(tokens, labels): (Tensor<3>, Tensor<1, Int>)| {
            let weights = labels.float().reshape([rows, 1, 1]);
            (tokens * Tensor::from_inner(weights)).sum()
        };
        let whole = loss(embed_tokens(&encoder, 0..rows));
        let expected = encoder.weight.val().grad(&whole.backward()).expect("tracked");
        let step = GradCache::new(3).step(&encoder, rows, embed_tokens, loss);
        assert_eq!(step.loss.into_scalar::<f32>(), whole.into_scalar::<f32>());
        let parts = step.gradients.filter_map(|part| encoder.weight.val().grad(&part));
        let sum = parts.reduce(|sum, part| sum + part).expect("a gradient");
        sum.into_data().assert_approx_eq::<f32>(&expected.into_data(), Default::default());
    }

    #[test]
    fn without_a_seed_each_step_has_its_own() {
        let embed = |_: &Linear, rows: Range<usize>| {
            let device = Device::flex().autodiff();
            Tensor::<2>::random([rows.len(), 3], burn::tensor::Distribution::Default, &device)
        };
        let encoder = encoder();
        let step = |cache: GradCache| {
            cache.step(&encoder, 4, embed, |rows| rows.sum()).loss.into_scalar::<f32>()
        };
        assert_ne!(step(GradCache::new(4)), step(GradCache::new(4)));
    }

    #[test]
    fn mini_batches_are_all_rows_in_order() {
        let ranges: Vec<_> = GradCache::new(3).mini_batches(7).collect();
        assert_eq!(ranges, [0..3, 3..6, 6..7]);
        assert_eq!(GradCache::new(usize::MAX).mini_batches(2).next(), Some(0..2));
    }
}
