//! A batch in parts, embedded at the same time.

mod rounds;
mod seat;

use core::ops::Range;
use std::collections::VecDeque;

use burn::prelude::*;
use burn::tensor::Gradients;

use self::rounds::Rounds;
use self::seat::Seat;
use crate::batch::Columns;
use crate::error::ConfigError;
use crate::kernels::Cores;
use crate::parallel::GradCache;
use crate::parallel::leaves::{Leaves, embeddings, through};
use crate::parallel::rows::Rows;

/// Embeds a batch in parts at the same time: every core of a CPU, or several GPUs, work on one step.
///
/// 1. Each worker embeds its part with a copy of the encoder, in a graph of its own.
/// 2. The loss of all embeddings gives the gradient with respect to each of them.
/// 3. Each worker takes the gradient of its part back through its graph.
///
/// The gradients are those of a step that embeds the same parts in one graph, and nothing is computed
/// twice. It works for any loss. The parts keep their order, so the sum of the gradients is the same
/// in every run with as many workers.
///
/// On Flex each worker has a share of the cores to itself; otherwise the threads would wait for each
/// other inside every matrix product. Burn's dropout draws from one sequence of random numbers for all
/// threads of the CPU, so with several workers its masks differ from run to run. Where runs must repeat, use
/// a dropout whose masks depend on the row, such as `dropout::by_text` of `burn-embedding-models`.
///
/// # Example
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::prelude::*;
/// use burn_embedding_losses::batch::RetrievalBatch;
/// use burn_embedding_losses::{MultipleNegativesRankingLossConfig, Workers};
///
/// let device = Device::flex().autodiff();
/// let encoder = LinearConfig::new(2, 2).init(&device);
/// let loss = MultipleNegativesRankingLossConfig::new().init();
/// let queries = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], &device);
/// let documents = Tensor::<2>::from_floats([[1.0, 0.1], [0.1, 1.0], [0.9, 1.0]], &device);
///
/// // The first worker embeds two pairs, the second one.
/// let step = Workers::threads(2, &device).step(
///     &encoder,
///     &[0..2, 2..3],
///     |encoder, rows| {
///         let embed = |texts: &Tensor<2>| encoder.forward(texts.clone().slice([rows.clone()]));
///         RetrievalBatch::from((embed(&queries), embed(&documents)))
///     },
///     |batch| loss.forward(batch),
/// );
/// assert_eq!(step.loss.dims(), [1]);
///
/// // One part for each worker, to be added: a `GradientsAccumulator` of burn-optim does it.
/// let gradient = |(copy, part): &(burn::nn::Linear, _)| copy.weight.val().grad(part);
/// assert_eq!(step.parts.iter().filter_map(gradient).count(), 2);
/// ```
#[derive(Debug, Clone)]
pub struct Workers {
    seats: Vec<Seat>,
}

/// A step of [`Workers`]: the loss of the whole batch, and its gradients in parts.
#[must_use = "a step without its gradients trains nothing"]
pub struct WorkersStep<E> {
    /// The loss, `[1]`, without a graph.
    pub loss: Tensor<1>,
    /// The gradients of the parameters that the loss owns and of whatever else it depends on, if there
    /// is any.
    pub of_loss: Option<Gradients>,
    /// The gradients of each worker, with the copy of the encoder that they belong to: its parameters
    /// have the ids of the original's. `GradientsParams::from_grads(gradients, &copy)` of burn-optim
    /// gives what an optimizer takes.
    pub parts: Vec<(E, Gradients)>,
}

/// A step of [`Workers`] in mini-batches: the loss of the whole batch, and its gradients in parts.
#[must_use = "the gradients are computed when they are taken"]
pub struct CachedWorkersStep<G> {
    /// The loss, `[1]`, without a graph.
    pub loss: Tensor<1>,
    /// The gradients of the parameters that the loss owns and of whatever else it depends on, if there
    /// is any.
    pub of_loss: Option<Gradients>,
    /// The gradients of each mini-batch, to be added, with the copy of the encoder that they belong to. They are
    /// computed when they are taken, one mini-batch for each worker at a time.
    pub parts: G,
}

impl Workers {
    /// `count` threads that share `device`. On Flex each has an equal share of the cores.
    ///
    /// # Panics
    ///
    /// If `count` is 0.
    #[track_caller]
    pub fn threads(count: usize, device: &Device) -> Self {
        crate::error::expect_valid(ConfigError::unless(
            count > 0,
            "Workers",
            "count",
            "must be at least 1",
            count,
        ));
        Self {
            seats: (0..count).map(|index| Seat::sharing(device.clone(), index, count)).collect(),
        }
    }

    /// A worker for each device, such as several GPUs.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[track_caller]
    pub fn devices(devices: impl IntoIterator<Item = Device>) -> Self {
        let devices: Vec<_> = devices.into_iter().collect();
        crate::error::expect_valid(ConfigError::unless(
            !devices.is_empty(),
            "Workers",
            "devices",
            "must hold at least one",
            devices.len(),
        ));
        let count = devices.len();
        let seats = devices.into_iter().enumerate();
        let seats = seats.map(|(index, device)| Seat::sharing(device, index, count));
        Self { seats: seats.collect() }
    }

    /// As many threads as the machine has cores where `device` computes on these, as Flex does; else one.
    pub fn on_all_cores(device: &Device) -> Self {
        Self::threads(Cores::count(device).max(1), device)
    }

    /// What `work` makes of each job, in the order of the jobs, which the workers take in turn. Each has a copy of the
    /// encoder on its device.
    pub fn map<E: Module, J: Send, R: Send>(
        &self,
        encoder: &E,
        jobs: Vec<J>,
        work: impl Fn(&E, J) -> R + Sync,
    ) -> Vec<R> {
        let count = self.count().min(jobs.len().max(1));
        let mut hands: Vec<Vec<(usize, J)>> = (0..count).map(|_| Vec::new()).collect();
        for (place, job) in jobs.into_iter().enumerate() {
            hands[place % count].push((place, job));
        }
        let copy = |seat: &Seat| match encoder.devices().contains(&seat.device) {
            true => encoder.clone(),
            false => encoder.clone().to_device(&seat.device),
        };
        let hands = self.seats.iter().zip(hands).map(|(seat, hand)| (seat, (copy(seat), hand)));
        let done = seat::all(hands.collect(), |(encoder, hand)| {
            let result = |(place, job)| (place, work(&encoder, job));
            hand.into_iter().map(result).collect::<Vec<_>>()
        });
        let mut results: Vec<_> = done.into_iter().flatten().collect();
        results.sort_unstable_by_key(|(place, _)| *place);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// The number of workers.
    pub fn count(&self) -> usize {
        self.seats.len()
    }

    /// The loss of a batch, and its gradients. Worker `k` embeds the rows `parts[k]`, which follow on
    /// each other and make up the batch; there may be fewer parts than workers.
    ///
    /// - `embed` turns a range of rows into embeddings by the copy of the encoder that it is given, on
    ///   the copy's device: a tensor `[rows, dim]`, or any batch or tuple of tensors with that many
    ///   rows (see [`Columns`]), labels included.
    /// - `loss` takes what `embed` gives, of all rows, on the device of the first worker, and gives the
    ///   loss, `[1]`.
    ///
    /// # Panics
    ///
    /// If there are no parts or more than workers, if they leave rows out, or if `embed` gives another
    /// number of rows than it is asked for or other columns than for other rows.
    #[track_caller]
    pub fn step<E: Module, C: Columns + Send>(
        &self,
        encoder: &E,
        parts: &[Range<usize>],
        embed: impl Fn(&E, Range<usize>) -> C + Sync,
        loss: impl FnOnce(C) -> Tensor<1>,
    ) -> WorkersStep<E> {
        self.require_parts(parts);
        let encoder_of = |seat: &Seat| encoder.clone().fork(&seat.device);
        let jobs =
            self.seats.iter().zip(parts).map(|(seat, rows)| (seat, (encoder_of(seat), rows)));
        let embedded = seat::all(jobs.collect(), |(encoder, rows)| {
            let embedded = embed(&encoder, rows.clone());
            (encoder, embedded)
        });
        let mut leaves = Leaves::like(&embedded[0].0);
        let columns: Vec<_> = embedded.iter().map(|(_, columns)| columns).collect();
        let batch = whole(&columns, parts).map_columns(&mut leaves);
        let value = loss(batch);
        let (of_loss, whole) = leaves.backward(&value);
        let jobs = self.seats.iter().zip(embedded.into_iter().zip(parts));
        let gradients = seat::all(jobs.collect(), |((encoder, embedded), rows)| {
            let value = through(embeddings(&embedded), &whole, rows.clone())?;
            Some((encoder, value.backward()))
        });
        WorkersStep {
            loss: value.inner(),
            of_loss,
            parts: gradients.into_iter().flatten().collect(),
        }
    }

    /// The loss of a batch of `rows`, and its gradients, where the memory holds the graphs of `mini_batch_size` rows for
    /// each worker: [`GradCache`](crate::GradCache) by several workers. Each mini-batch is embedded twice, first without
    /// a graph.
    ///
    /// - `embed` and `loss` as for [`step`](Self::step); `embed` must do the same both times. So nothing in it may draw
    ///   random numbers from the device, which all threads share: use a dropout whose masks depend on the row, such as
    ///   `dropout::by_text` of `burn-embedding-models`.
    ///
    /// # Panics
    ///
    /// If `mini_batch_size` or `rows` is 0, if `embed` gives another number of rows than it is asked for, other columns
    /// than for other rows or, in a debug build and while the gradients are taken, other embeddings the second time.
    #[track_caller]
    pub fn cached_step<'a, E: Module, C: Columns + Send>(
        &'a self,
        mini_batch_size: usize,
        encoder: &E,
        rows: usize,
        embed: impl Fn(&E, Range<usize>) -> C + Sync + 'a,
        loss: impl FnOnce(C) -> Tensor<1>,
    ) -> CachedWorkersStep<impl Iterator<Item = (E, Gradients)>> {
        for (name, got) in [("mini_batch_size", mini_batch_size), ("rows", rows)] {
            assert!(got > 0, "Workers: `{name}` must be at least 1, got {got}");
        }
        let ranges: Vec<_> = GradCache::new(mini_batch_size).mini_batches(rows).collect();
        let copies =
            self.seats.iter().zip(&ranges).map(|(seat, _)| encoder.clone().fork(&seat.device));
        let copies: Vec<E> = copies.collect();
        // A graph without a backward pass would stay in memory until the next one.
        let constant = encoder.clone().no_grad();
        let embedded = self
            .map(&constant, ranges.clone(), |encoder, rows| embed(encoder, rows).without_graph());
        let mut leaves = Leaves::like(&copies[0]);
        let batch = whole(&embedded.iter().collect::<Vec<_>>(), &ranges).map_columns(&mut leaves);
        let value = loss(batch);
        let (of_loss, whole) = leaves.backward(&value);
        let reached = whole.iter().any(|(_, gradient)| gradient.is_some());
        let ranges = if reached { ranges } else { Vec::new() }.into_iter();
        let parts = Rounds { workers: self, copies, embed, ranges, whole, done: VecDeque::new() };
        CachedWorkersStep { loss: value.inner(), of_loss, parts }
    }

    #[track_caller]
    fn require_parts(&self, parts: &[Range<usize>]) {
        let workers = self.seats.len();
        let (count, start) = (parts.len(), parts.first().map_or(0, |first| first.start));
        assert!(
            (1..=workers).contains(&count),
            "Workers: `parts` must have 1 to {workers} ranges, one for each worker, got {count}"
        );
        let follow = parts.windows(2).all(|pair| pair[0].end == pair[1].start);
        assert!(
            start == 0 && follow && parts.iter().all(|rows| !rows.is_empty()),
            "Workers: `parts` must be ranges that follow on each other from row 0, got {parts:?}"
        );
    }
}

/// The columns of all parts below each other, without their graphs.
#[track_caller]
fn whole<C: Columns>(embedded: &[&C], parts: &[Range<usize>]) -> C {
    let first = embedded[0].clone().without_graph();
    let mut rows: Vec<Rows> = Vec::with_capacity(parts.len());
    for (columns, range) in embedded.iter().zip(parts) {
        let part = Rows::of(&(*columns).clone().without_graph());
        let (expected, like) = (range.len(), rows.first().is_none_or(|first| first.is_like(&part)));
        for [got, _] in part.shapes() {
            assert!(got == expected, "Workers: `embed` must give {expected} rows, got {got}");
        }
        assert!(
            like,
            "Workers: `embed` must give the same columns for all rows, not for {range:?}"
        );
        rows.push(part);
    }
    Rows::cat(rows).put_into(first)
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};

    use super::*;

    fn step(workers: usize, parts: &[Range<usize>], missing: usize) {
        let device = Device::flex().autodiff();
        let encoder: Linear = LinearConfig::new(2, 3).init(&device);
        let embed = |encoder: &Linear, rows: Range<usize>| {
            let device = Device::flex().autodiff();
            encoder.forward(Tensor::<2>::ones([rows.len() - missing, 2], &device))
        };
        let _ = Workers::threads(workers, &device).step(&encoder, parts, embed, |rows| rows.mean());
    }

    #[test]
    #[should_panic(expected = "Workers: `count` must be at least 1, got 0")]
    fn somebody_works() {
        Workers::threads(0, &Device::flex());
    }

    #[test]
    #[should_panic(expected = "Workers: `devices` must hold at least one, got 0")]
    fn somewhere() {
        Workers::devices([]);
    }

    #[test]
    #[should_panic(
        expected = "Workers: `parts` must have 1 to 2 ranges, one for each worker, got 3"
    )]
    fn each_part_has_a_worker() {
        step(2, &[0..1, 1..2, 2..3], 0);
    }

    #[test]
    #[should_panic(
        expected = "must be ranges that follow on each other from row 0, got [0..2, 3..4]"
    )]
    fn no_row_is_left_out() {
        step(2, &[0..2, 3..4], 0);
    }

    #[test]
    #[should_panic(expected = "Workers: `embed` must give 2 rows, got 1")]
    fn every_row_is_embedded() {
        step(2, &[0..2, 2..4], 1);
    }

    fn cached(size: usize, rows: usize, embed: impl Fn(&Linear, Range<usize>) -> Tensor<2> + Sync) {
        let device = Device::flex().autodiff();
        let encoder: Linear = LinearConfig::new(2, 3).init(&device);
        let workers = Workers::threads(2, &device);
        let step = workers.cached_step(size, &encoder, rows, embed, |rows| rows.mean());
        step.parts.for_each(drop);
    }

    fn ones(encoder: &Linear, rows: usize) -> Tensor<2> {
        encoder.forward(Tensor::ones([rows, 2], &Device::flex().autodiff()))
    }

    #[test]
    #[should_panic(expected = "Workers: `mini_batch_size` must be at least 1, got 0")]
    fn a_mini_batch_has_a_row() {
        cached(0, 3, |encoder, rows| ones(encoder, rows.len()));
    }

    #[test]
    #[should_panic(expected = "Workers: `rows` must be at least 1, got 0")]
    fn a_batch_has_a_row() {
        cached(2, 0, |encoder, rows| ones(encoder, rows.len()));
    }

    #[test]
    #[should_panic(expected = "Workers: `embed` must give 2 rows, got 3")]
    fn every_row_of_a_mini_batch_is_embedded_once() {
        cached(2, 4, |encoder, rows| ones(encoder, rows.len() + 1));
    }

    #[cfg(debug_assertions)]
    #[test]
    #[should_panic(expected = "Workers: `embed` must give the same embeddings both times")]
    fn an_encoder_that_changes_is_found() {
        let calls = core::sync::atomic::AtomicUsize::new(1);
        cached(2, 4, |encoder, rows| {
            let call = calls.fetch_add(1, core::sync::atomic::Ordering::Relaxed);
            ones(encoder, rows.len()) * call as f64
        });
    }

    #[test]
    fn a_worker_may_have_nothing_to_do() {
        step(4, &[0..2, 2..5], 0);
    }
}
