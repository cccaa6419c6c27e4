//! Gathering by a sum over devices.

use core::ops::Range;

use burn::prelude::*;
use burn::tensor::IntDType;
use burn::tensor::distributed::{ReduceOperation, all_reduce};

use super::{integers, require_whole};
use crate::batch::RetrievalBatch;
use crate::parallel::rows::Rows;

/// The number of rows of a batch on each device, seen from one of them.
///
/// # Example
///
/// The second of two devices, which has one row beside two; what the first has comes by a sum over
/// devices:
///
/// ```
/// use burn::prelude::*;
/// use burn_embedding_losses::gather::Shards;
///
/// let device = Device::flex();
/// let rows = Tensor::<2>::from_floats([[5.0, 6.0]], &device);
/// let of_first = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]], &device);
///
/// let shards = Shards::new(vec![2, 1], 1);
/// let all = shards.gather_rows_with(rows, |own| own + of_first);
/// let own_first = TensorData::from([[5.0f32, 6.0], [1.0, 2.0], [3.0, 4.0]]);
/// assert_eq!(all.into_data(), own_first);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shards {
    rows: Vec<usize>,
    own: usize,
}

impl Shards {
    /// `rows` of every device, in the same order everywhere, of which `own` is this one.
    ///
    /// # Panics
    ///
    /// If there is no such device, or a device has no row.
    #[track_caller]
    pub fn new(rows: Vec<usize>, own: usize) -> Self {
        let devices = rows.len();
        assert!(own < devices, "Shards: `own` must be one of {devices} devices, got {own}");
        assert!(
            rows.iter().all(|&rows| rows > 0),
            "Shards: `rows` must be at least 1 on every device, got {rows:?}"
        );
        Self { rows, own }
    }

    /// The rows of all devices, those of this one first, by Burn's `all_reduce`.
    ///
    /// All devices call it at the same time, each from a thread of its own, with batches of the same
    /// parts, and all call `backward` then. Burn 0.22 has it for CUDA only. One device needs none.
    ///
    /// # Panics
    ///
    /// As [`gather_with`](Self::gather_with); if there are not as many `devices` as shards; and in
    /// Burn, if its backend cannot do it.
    #[track_caller]
    pub fn gather(&self, devices: &[Device], batch: RetrievalBatch) -> RetrievalBatch {
        let (got, expected) = (devices.len(), self.rows.len());
        assert!(got == expected, "Shards: `devices` must be {expected}, got {got}");
        self.gather_with(batch, |rows| match expected {
            1 => rows,
            _ => all_reduce(rows, ReduceOperation::Sum, devices.to_vec()).resolve(),
        })
    }

    /// The rows of all devices, those of this one first.
    ///
    /// `sum` adds up what it is called with on all devices, `[N, columns]`, with gradients: once for
    /// all embeddings, and once more if there are ids.
    ///
    /// # Panics
    ///
    /// If the batch has been gathered before or has not the rows of this device, or `sum` gives
    /// another shape.
    #[track_caller]
    pub fn gather_with(
        &self,
        batch: RetrievalBatch,
        mut sum: impl FnMut(Tensor<2>) -> Tensor<2>,
    ) -> RetrievalBatch {
        require_whole("batch", &batch);
        let Rows { floats, integers, flags } = Rows::of(&batch);
        let (dtype, masks) = (batch.anchor.dtype(), flags.len());
        // All at once: one exchange, and no order of several that devices might not agree on.
        let flags = flags.into_iter().map(|flags| flags.float().cast(dtype));
        let floats: Vec<_> = floats.into_iter().chain(flags).collect();
        let mut floats = self.gather_side_by_side(floats, &mut sum);
        let flags = floats.split_off(floats.len() - masks);
        let integers = match integers.is_empty() {
            true => integers,
            false => self.gather_integers(integers.into(), &mut sum).into(),
        };
        let flags = flags.into_iter().map(|flags| flags.greater_elem(0.5)).collect();
        let all = Rows { floats: floats.into(), integers, flags };
        all.put_into(batch).with_own_rows(0..self.rows[self.own])
    }

    /// Rows of all devices, those of this one first: `[n, columns] → [N, columns]`, given a `sum` over
    /// devices.
    ///
    /// # Panics
    ///
    /// If there are not the `n` rows of this device, or `sum` gives another shape.
    #[track_caller]
    pub fn gather_rows_with(
        &self,
        rows: Tensor<2>,
        sum: impl FnOnce(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        let padded = self.padded(rows);
        let expected = padded.dims();
        let all = sum(padded);
        let got = all.dims();
        assert!(got == expected, "Shards: `sum` must give the shape {expected:?}, got {got:?}");
        self.own_first(all)
    }

    /// Integers of all devices, those of this one first: `[n] → [N]`, given a `sum` over devices.
    ///
    /// # Panics
    ///
    /// As [`gather_rows_with`](Self::gather_rows_with).
    #[track_caller]
    pub fn gather_integers_with(
        &self,
        integers: Tensor<1, Int>,
        sum: impl FnOnce(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<1, Int> {
        self.gather_integers(vec![integers.unsqueeze_dim(1)], sum).remove(0).squeeze_dim(1)
    }

    /// Several matrices of floats in one exchange.
    #[track_caller]
    fn gather_side_by_side(
        &self,
        matrices: Vec<Tensor<2>>,
        sum: impl FnOnce(Tensor<2>) -> Tensor<2>,
    ) -> Vec<Tensor<2>> {
        let widths = matrices.iter().map(|matrix| matrix.dims()[1]).collect();
        self.gather_rows_with(Tensor::cat(matrices, 1), sum).split_with_sizes(widths, 1)
    }

    /// Several matrices of integers in one exchange.
    #[track_caller]
    fn gather_integers(
        &self,
        matrices: Vec<Tensor<2, Int>>,
        sum: impl FnOnce(Tensor<2>) -> Tensor<2>,
    ) -> Vec<Tensor<2, Int>> {
        let dtypes: Vec<IntDType> = matrices.iter().map(|m| m.dtype().into()).collect();
        let floats = matrices.into_iter().map(integers::to_floats).collect();
        let all = self.gather_side_by_side(floats, sum).into_iter().zip(dtypes);
        all.map(|(floats, dtype)| integers::from_floats(floats, dtype)).collect()
    }

    /// The places of this device's rows among all.
    fn places(&self) -> Range<usize> {
        let start = self.rows[..self.own].iter().sum();
        start..start + self.rows[self.own]
    }

    /// The rows in their places, zeros in the places of other devices.
    #[track_caller]
    fn padded(&self, rows: Tensor<2>) -> Tensor<2> {
        let [got, columns] = rows.dims();
        let (places, expected) = (self.places(), self.rows[self.own]);
        assert!(got == expected, "Shards: the device must have {expected} rows, got {got}");
        let all = [self.rows.iter().sum(), columns];
        Tensor::zeros(all, (&rows.device(), rows.dtype())).slice_assign([places], rows)
    }

    /// All rows, those of this device first.
    fn own_first(&self, all: Tensor<2>) -> Tensor<2> {
        let Range { start, end } = self.places();
        let parts = [start..end, 0..start, end..all.dims()[0]];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        Tensor::cat(parts.map(|part| all.clone().slice([part])).collect(), 0)
    }
}
