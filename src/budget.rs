//! The crate's one memory budget, and the blocks of anchors that keep to it.

use core::ops::Range;

use burn::prelude::*;

/// Bytes that intermediate results of a block may take on a CPU where nothing else is asked for: 32 MiB, about
/// what its caches hold.
pub const DEFAULT_BUDGET: usize = 32 << 20;

/// The same on any other device: 256 MiB, of which no tensor takes more than 128 MiB, the most that every WebGPU
/// device allows. A larger budget makes a large batch faster where buffers may be larger: each block costs dozens of
/// kernel starts, and products of few rows are slow.
pub const DEFAULT_GPU_BUDGET: usize = 256 << 20;

/// The default budget for a batch of embeddings with this shape on `device`, in bytes: [`DEFAULT_BUDGET`] on a CPU,
/// [`DEFAULT_GPU_BUDGET`] elsewhere, or the size of the embeddings in `f32` if that is larger.
///
/// Flex, ndarray and libtorch count as a CPU if the feature of this crate is on (`flex`, `ndarray`, `tch`); turned on
/// by Burn's feature alone, they count as any other device. So does libtorch on a card.
pub fn default_budget(device: &Device, [n, dim]: [usize; 2]) -> usize {
    budget_of(device).max(size_of::<f32>() * n * dim)
}

/// The default budget for a block on `device`, whatever the batch.
#[allow(
    deprecated,
    reason = "Burn is about to drop ndarray and libtorch; their tensors are still taken"
)]
pub(crate) fn budget_of(device: &Device) -> usize {
    let cpus: &[Device] = &[
        #[cfg(feature = "flex")]
        Device::flex(),
        #[cfg(feature = "ndarray")]
        Device::ndarray(),
        #[cfg(feature = "tch")]
        Device::libtorch(),
    ];
    if cpus.contains(device) { DEFAULT_BUDGET } else { DEFAULT_GPU_BUDGET }
}

/// The anchors of a batch, known before its tensors move into the scores.
#[derive(Debug, Clone)]
pub(crate) struct AnchorRows {
    pub device: Device,
    pub rows: Range<usize>,
    /// Numbers of an anchor.
    pub dim: usize,
}

impl AnchorRows {
    /// Their blocks, as [`Blocks::within`] divides them.
    #[track_caller]
    pub fn blocks(&self, owner: &str, budget: Option<usize>, bytes_per_anchor: usize) -> Blocks {
        let shape = [self.rows.len(), self.dim];
        Blocks::within(owner, budget, &self.device, shape, bytes_per_anchor)
            .starting_at(self.rows.start)
    }
}

/// The division of anchors into blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks {
    /// The row of the first anchor.
    first: usize,
    anchors: usize,
    rows: usize,
}

impl Blocks {
    /// The fewest blocks of nearly equal size that keep to `budget` bytes for embeddings
    /// `[anchors, dim]` on `device`, where an anchor takes `bytes_per_anchor`.
    ///
    /// Without a budget, [`default_budget`] applies; it always fits one anchor.
    ///
    /// # Panics
    ///
    /// If not even one anchor fits: ``owner: `memory_budget` must be at least ..``.
    #[track_caller]
    pub fn within(
        owner: &str,
        budget: Option<usize>,
        device: &Device,
        embeddings: [usize; 2],
        bytes_per_anchor: usize,
    ) -> Self {
        let [anchors, _] = embeddings;
        let default = || default_budget(device, embeddings).max(bytes_per_anchor);
        let budget = budget.unwrap_or_else(default);
        assert!(
            budget >= bytes_per_anchor,
            "{owner}: `memory_budget` must be at least {bytes_per_anchor} for a batch of {anchors} \
             rows, got {budget}"
        );
        let count = anchors.div_ceil(budget / bytes_per_anchor.max(1));
        Self { first: 0, anchors, rows: anchors.div_ceil(count) }
    }

    /// The same blocks for anchors that start at row `first`: the share of one device in a batch that
    /// is spread over several.
    pub fn starting_at(self, first: usize) -> Self {
        Self { first, ..self }
    }

    /// Blocks of up to `factor` times as many anchors, for an operation that needs less memory by
    /// that factor.
    pub fn coarser(self, factor: usize) -> Self {
        let count = self.anchors.div_ceil((self.rows * factor).min(self.anchors));
        Self { rows: self.anchors.div_ceil(count), ..self }
    }

    /// The number of anchors in all blocks.
    pub fn anchors(self) -> usize {
        self.anchors
    }

    /// The rows that are anchors.
    pub fn all(self) -> Range<usize> {
        self.first..self.first + self.anchors
    }

    /// The anchors of each block, in order.
    pub fn ranges(self) -> impl Iterator<Item = Range<usize>> {
        let Range { start, end } = self.all();
        let rows = self.rows;
        (start..end).step_by(rows).map(move |start| start..end.min(start + rows))
    }
}
