//! Batches spread over devices: in-batch losses that see the candidates of all of them.
//!
//! Data-parallel training embeds a shard of the batch on each device. A loss of the shard alone has
//! only its own candidates; gathered, each device ranks its own anchors among the rows of all:
//!
//! ```text
//! Lᵣ = 1/nᵣ Σᵢ ℓ(aᵢ; all candidates), i of device r          L = Σᵣ nᵣ/N Lᵣ
//! ```
//!
//! `L` is the loss of the whole batch on one device, and its gradients are the same too: rows that
//! came from another device get the gradients of this device's loss back. A gathered batch has the
//! device's own rows first, then those of the others in the order of devices; of equally hard
//! negatives the first in this order counts. If the rows are in another order already, name the own
//! ones with [`RetrievalBatch::with_own_rows`].
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
//! run. The sum must be differentiable, with the same sum over the gradients as its backward pass. That
//! of Burn is, and so this is the `all_gather` with gradients of PyTorch.
//!
//! # Scaling
//!
//! A shard's loss is reduced over its own rows, as in sentence-transformers. Which loss to call
//! `backward` on depends on what becomes of the gradients of the devices:
//!
//! | `Reduction` | gradients are | call `backward` on |
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

use crate::batch::RetrievalBatch;
use crate::parallel::rows::Rows;

pub use shards::Shards;

impl RetrievalBatch {
    /// The rows of `own` and behind them those of `others`, moved to the device of `own`, in one graph
    /// with them.
    ///
    /// Add the losses of the devices up, moved to one of them, before `backward`: a graph is used once.
    ///
    /// # Panics
    ///
    /// If a batch has been gathered before, or another has rows of another length or type, another
    /// number of columns of negatives, or ids, a mask or weights where `own` has none.
    #[track_caller]
    pub fn gathered(own: Self, others: Vec<Self>) -> Self {
        let (of_own, rows) = (Rows::of(&own), own.anchor.dims()[0]);
        require_whole("own", &own);
        for (k, other) in others.iter().enumerate() {
            require_alike(&format!("others[{k}]"), &own, other);
        }
        let others = others.iter().map(Rows::of);
        let all = Rows::cat(core::iter::once(of_own).chain(others).collect());
        all.put_into(own).with_own_rows(0..rows)
    }
}

/// Panics unless the rows of `other` can be put below those of `own`.
#[track_caller]
fn require_alike(field: &str, own: &RetrievalBatch, other: &RetrievalBatch) {
    require_whole(field, other);
    let (got, expected) = (other.parts(), own.parts());
    assert!(got == expected, "RetrievalBatch: `{field}` must have {expected}, got {got}");
    let (got, expected) = (other.anchor.dtype(), own.anchor.dtype());
    assert!(
        got == expected,
        "RetrievalBatch: `{field}` must have the type {expected:?} of `own`, got {got:?}"
    );
}

/// Panics if the batch has been gathered before.
#[track_caller]
fn require_whole(field: &str, batch: &RetrievalBatch) {
    let (rows, own) = (batch.anchor.dims()[0], &batch.own_rows);
    assert!(
        *own == (0..rows),
        "RetrievalBatch: `{field}` must be gathered once, got one with the own rows {own:?} of {rows}"
    );
}

impl RetrievalBatch {
    /// The parts that batches must have in common to be gathered, in words.
    fn parts(&self) -> String {
        let ids = self.ids.as_ref().map_or(0, |ids| 1 + ids.negatives.len());
        let mut parts = format!(
            "rows of {} numbers, {} columns of negatives, {ids} of ids",
            self.anchor.dims()[1],
            self.negatives.len()
        );
        if self.negative_mask.is_some() {
            parts.push_str(", a mask of negatives");
        }
        if self.weights.is_some() {
            parts.push_str(", weights");
        }
        parts
    }
}
