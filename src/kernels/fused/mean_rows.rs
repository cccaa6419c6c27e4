//! Means of rows of a table.

use core::ops::Range;
use std::sync::Arc;

use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;

use crate::kernels::flex;
use crate::numeric::accumulate;

/// The mean of the rows of `table`, `[rows, dim]`, that each bag names, `[bags, dim]`; zeros for an empty bag. A row
/// that a bag names twice counts twice.
///
/// # Panics
///
/// If a bag names a row that the table does not have.
#[track_caller]
pub fn mean_rows(table: Tensor<2>, bags: &Bags) -> Tensor<2> {
    let rows = table.dims()[0];
    if let Some(largest) = bags.ids().iter().max().filter(|&&id| id as usize >= rows) {
        panic!("mean_rows: `bags` must name rows below {rows}, got {largest}");
    }
    flex::mean_rows(table, bags).unwrap_or_else(|table| bags.plain(table))
}

/// Which rows of a table belong together.
#[derive(Debug, Clone)]
pub struct Bags {
    ids: Arc<[u32]>,
    /// Where each bag ends in the ids.
    ends: Arc<[usize]>,
}

impl Bags {
    /// A bag for each list of rows.
    pub fn new<'a>(bags: impl IntoIterator<Item = &'a [u32]>) -> Self {
        let (mut ids, mut ends) = (Vec::new(), Vec::new());
        for bag in bags {
            ids.extend_from_slice(bag);
            ends.push(ids.len());
        }
        Self { ids: ids.into(), ends: ends.into() }
    }

    /// The number of bags.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// The rows of all bags, one bag after the other.
    pub(in crate::kernels) fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Where the rows of a bag are among those of all.
    pub(in crate::kernels) fn range(&self, bag: usize) -> Range<usize> {
        bag.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[bag]
    }

    /// The part that a row of a bag has in its mean.
    pub(in crate::kernels) fn share(&self, bag: usize) -> f64 {
        1.0 / self.range(bag).len().max(1) as f64
    }

    fn plain(&self, table: Tensor<2>) -> Tensor<2> {
        let (device, dtype, [_, dim]) = (table.device(), table.dtype(), table.dims());
        let tokens = self.ids.len();
        if tokens == 0 {
            // Zeros in the graph of the table.
            let all = Tensor::<2, Int>::ones([1, dim], &device).bool();
            return table.narrow(0, 0, 1).mask_fill(all, 0.0).expand([self.count(), dim]);
        }
        let integers = |numbers: Vec<i32>| {
            Tensor::<1, Int>::from_data(TensorData::new(numbers, [tokens]), &device)
        };
        let ids = integers(self.ids.iter().map(|&id| id as i32).collect());
        let bag_of_each =
            (0..self.count()).flat_map(|bag| self.range(bag).map(move |_| bag as i32));
        let vectors = accumulate(table.select(0, ids));
        let place = (&device, vectors.dtype());
        let sums = Tensor::<2>::zeros([self.count(), dim], place).select_assign(
            0,
            integers(bag_of_each.collect()),
            vectors,
            IndexingUpdateOp::Add,
        );
        let shares: Vec<f64> = (0..self.count()).map(|bag| self.share(bag)).collect();
        let shares = TensorData::new(shares, [self.count(), 1]);
        (sums * Tensor::from_data(shares, place)).cast(dtype)
    }
}
