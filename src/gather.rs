//! Batches spread over devices: in-batch losses that see the candidates of all of them.
//!
//! Data-parallel training embeds a shard of the batch on each device. A loss of the shard alone has
//! only its own candidates; gathered, each device ranks its own anchors among the rows of all:
//!
//! ```text
//! Lᵣ = 1/nᵣ Σᵢ ℓ(aᵢ; all candidates), i of device r          L = Σᵣ nᵣ/N Lᵣ
//! ```
//!
//! `L` is the loss of the whole batch on one device, and so are its gradients, those of rows that
//! came from other devices included: what device r says of them goes back to where they came from.
//! The rows of a device come first in what it gathers, those of the others in the order of devices; of
//! equally hard negatives the first in this order counts. Rows that lie otherwise are given
//! [in place](RetrievalBatch::with_own_rows).
//!
//! | devices are driven by | function | runs on |
//! | :-- | :-- | :-- |
//! | one thread, one graph over all of them | [`RetrievalBatch::gathered`] | every backend, also a mix of them |
//! | a thread each | [`Shards::gather`], by Burn's `all_reduce` | CUDA only (Burn 0.22) |
//! | a sum over devices of your own | [`Shards::gather_with`] | wherever that runs |
//!
//! All of them go into the `loss` of a [`GradCache`](crate::GradCache) as well.
//!
//! Tested: the first on Flex and ndarray at once, the last on both with the sum written out, each
//! against the batch on one device and against sentence-transformers in two and three processes with
//! `gather_across_devices=True`. Burn's `all_reduce` needs several CUDA devices and has not been
//! run. The sum has to be differentiable, and its derivative is the same sum over the gradients:
//! that is what Burn's is, and what makes this the `all_gather` with gradients of PyTorch.
//!
//! # Scaling
//!
//! A shard's loss is reduced over its own rows, as in sentence-transformers. What has to be derived
//! depends on what becomes of the gradients of the devices:
//!
//! | `Reduction` | gradients are | derive |
//! | :-- | :-- | :-- |
//! | `Mean` | averaged, and shards are equal (DDP with `ReduceOperation::Mean`, PyTorch's DDP) | `Lᵣ` |
//! | `Mean` | added (DDP with `Sum`, `ExecutionStrategy::multi` of burn-train) | `Lᵣ` times [`share`](RetrievalBatch::share) |
//! | `Mean` | averaged over W devices, shards differ | `Lᵣ` times W times `share` |
//! | `Sum` | added | `Lᵣ` |
//!
//! # Which losses
//!
//! [`MultipleNegativesRankingLoss`](crate::MultipleNegativesRankingLoss) in all its modes and
//! [`MegaBatchMarginLoss`](crate::MegaBatchMarginLoss) take a gathered [`RetrievalBatch`] like any
//! other. Batch-triplet losses have no rows of their own to sum over: the mean of `BatchAllTripletLoss`
//! divides by the active triplets of the whole batch. Gather rows and labels with
//! [`Shards::gather_rows_with`] and [`Shards::gather_integers_with`] and compute the whole loss on
//! each device: the average of the devices' gradients is that of the whole batch.
//!
//! # Example
//!
//! Two devices, here one twice. A batch of two pairs, one on each:
//!
//! ```
//! use burn::prelude::*;
//! use burn_embedding_losses::MultipleNegativesRankingLossConfig;
//! use burn_embedding_losses::batch::RetrievalBatch;
//!
//! let (first, second) = (Device::flex(), Device::flex());
//! let row = |row, device: &Device| Tensor::<2>::from_floats([row], device);
//! let shards = [
//!     RetrievalBatch::from((row([1.0, 0.0], &first), row([0.6, 0.8], &first))),
//!     RetrievalBatch::from((row([0.0, 1.0], &second), row([0.0, 1.0], &second))),
//! ];
//! let [a, b] = shards;
//! let on_first = RetrievalBatch::gathered(a.clone(), vec![b.clone()]);
//! let on_second = RetrievalBatch::gathered(b, vec![a]);
//!
//! // Alone, a pair has no negatives and loss 0. Gathered, cosines are 0.6 and 0, 1 and 0.8.
//! let loss = MultipleNegativesRankingLossConfig::new().with_scale(1.0).init();
//! let of_first = loss.forward(on_first).into_scalar::<f32>();
//! let of_second = loss.forward(on_second).into_scalar::<f32>();
//! assert!((of_first - (1.0 + (-0.6f32).exp()).ln()).abs() < 1e-6);
//! assert!((of_second - (1.0 + (-0.2f32).exp()).ln()).abs() < 1e-6);
//! ```

mod integers;
mod shards;
#[cfg(test)]
mod tests;

use burn::prelude::*;

use crate::batch::{RetrievalBatch, RowIds};

pub use shards::Shards;

impl RetrievalBatch {
    /// The rows of `own` and behind them those of `others`, moved to the device of `own`, in one graph
    /// with them.
    ///
    /// Add the losses of the devices up, moved to one of them, before `backward`: a graph is used once.
    ///
    /// # Panics
    ///
    /// If a batch has been gathered before, or another has rows of another length, another number of
    /// columns of negatives, or ids where `own` has none.
    #[track_caller]
    pub fn gathered(own: Self, others: Vec<Self>) -> Self {
        let parts = 0..own.negatives.len() + 2;
        check_alike(&own, &others);
        let device = own.anchor.device();
        let shards: Vec<_> = core::iter::once(own.clone()).chain(others).collect();
        let column = |place: usize| {
            let rows = shards.iter().map(|shard| shard.column(place).clone().to_device(&device));
            Tensor::cat(rows.collect(), 0)
        };
        let columns = parts.map(column).collect();
        let ids = own.ids.is_some().then(|| {
            let each = shards.iter().map(|shard| shard.id_columns());
            let each: Vec<Vec<_>> = each.collect();
            let column = |place: usize| {
                // Devices have integers of different width.
                let dtype = each[0][place].dtype();
                let moved =
                    |ids: &Vec<Tensor<1, Int>>| ids[place].clone().to_device(&device).cast(dtype);
                Tensor::cat(each.iter().map(moved).collect(), 0)
            };
            (0..each[0].len()).map(column).collect()
        });
        Self::assembled(columns, ids, own.anchor.dims()[0])
    }

    /// Anchors, positives or a column of negatives.
    fn column(&self, place: usize) -> &Tensor<2> {
        match place {
            0 => &self.anchor,
            1 => &self.positive,
            _ => &self.negatives[place - 2],
        }
    }

    /// The ids of rows, then those of each column of negatives that has any.
    fn id_columns(&self) -> Vec<Tensor<1, Int>> {
        let columns =
            self.ids.iter().flat_map(|ids| core::iter::once(&ids.rows).chain(&ids.negatives));
        columns.cloned().collect()
    }

    /// A batch of all rows of which the first `own` are its own.
    fn assembled(columns: Vec<Tensor<2>>, ids: Option<Vec<Tensor<1, Int>>>, own: usize) -> Self {
        let mut columns = columns.into_iter();
        let mut next = || columns.next().expect("anchors and positives");
        let (anchor, positive) = (next(), next());
        let ids = ids.map(|ids| {
            let mut ids = ids.into_iter();
            RowIds { rows: ids.next().expect("ids of rows"), negatives: ids.collect() }
        });
        let batch = Self { ids, ..Self::new(anchor, positive, columns.collect()) };
        batch.with_own_rows(0..own)
    }
}

/// Panics unless the batches can be put below each other.
#[track_caller]
fn check_alike(own: &RetrievalBatch, others: &[RetrievalBatch]) {
    check_whole("own", own);
    let of = |batch: &RetrievalBatch| {
        (batch.anchor.dims()[1], batch.negatives.len(), batch.id_columns().len())
    };
    let (dim, negatives, ids) = of(own);
    for (k, other) in others.iter().enumerate() {
        let field = format!("others[{k}]");
        check_whole(&field, other);
        let got = of(other);
        assert!(
            got == (dim, negatives, ids),
            "RetrievalBatch: `{field}` must have rows of {dim} numbers, {negatives} columns of \
             negatives and {ids} of ids, got {}, {} and {}",
            got.0,
            got.1,
            got.2
        );
    }
}

/// Panics if the batch has been gathered before.
#[track_caller]
fn check_whole(field: &str, batch: &RetrievalBatch) {
    let (rows, own) = (batch.anchor.dims()[0], &batch.own_rows);
    assert!(
        *own == (0..rows),
        "RetrievalBatch: `{field}` must be gathered once, got one with the own rows {own:?} of {rows}"
    );
}
