//! Softmax over the rows of several matrices at once, in place.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;

use super::exponential::exp;
use super::parallel::{LANES, for_rows_with, tensor};
use super::suits;

/// `factor · exp(z) / Σ exp(z)` over the rows of all blocks together, and `ln Σ exp(z)`, `[rows, 1]`;
/// the blocks themselves if they do not suit.
pub(crate) fn softmax(
    blocks: Vec<Tensor<2>>,
    factor: f64,
) -> Result<(Vec<Tensor<2>>, Tensor<2>), Vec<Tensor<2>>> {
    if !blocks.iter().all(suits) {
        return Err(blocks);
    }
    let rows = blocks[0].dims()[0];
    let mut blocks: Vec<_> = blocks.into_iter().map(Block::new).collect();
    let mut totals = vec![Total::default(); rows];
    if let [block] = blocks.as_mut_slice() {
        // All of it while the row is in the cache.
        block.for_rows(&mut totals, |row, total| {
            total.raise(row);
            total.add_exponentials(row);
            total.share(row, factor);
        });
    } else {
        for block in &mut blocks {
            block.for_rows(&mut totals, |row, total| total.raise(row));
        }
        for block in &mut blocks {
            block.for_rows(&mut totals, |row, total| total.add_exponentials(row));
        }
        for block in &mut blocks {
            block.for_rows(&mut totals, |row, total| total.share(row, factor));
        }
    }
    let normalizers = totals.iter().map(|total| total.logarithm() as f32).collect();
    let normalizers = Tensor::from_primitive::<Flex>(tensor(normalizers, [rows, 1]));
    Ok((blocks.into_iter().map(Block::into_tensor).collect(), normalizers))
}

/// Whether [`softmax`] overwrites scores like these.
pub(crate) fn works_in_place(scores: &Tensor<2>) -> bool {
    suits(scores)
}

/// Adds `value` to column `start + i` of each row i.
#[allow(
    clippy::result_large_err,
    reason = "hands its argument back; a tensor is large by some features"
)]
pub(crate) fn add_to_diagonal(
    x: Tensor<2>,
    start: usize,
    value: f64,
) -> Result<Tensor<2>, Tensor<2>> {
    if !suits(&x) {
        return Err(x);
    }
    let mut block = Block::new(x);
    let columns = block.columns;
    for (i, row) in block.tensor.storage_mut::<f32>().chunks_mut(columns).enumerate() {
        row[start + i] += value as f32;
    }
    Ok(block.into_tensor())
}

/// A matrix that is overwritten.
pub(super) struct Block {
    tensor: FlexTensor,
    columns: usize,
}

impl Block {
    pub fn new(x: Tensor<2>) -> Self {
        let [_, columns] = x.dims();
        let tensor = x.try_into_primitive::<Flex>().expect("a tensor of Flex without a graph");
        Self { tensor: tensor.to_contiguous(), columns }
    }

    fn for_rows(&mut self, totals: &mut [Total], f: impl Fn(&mut [f32], &mut Total) + Sync) {
        let numbers = self.tensor.storage_mut::<f32>();
        let work = numbers.len();
        for_rows_with(numbers, self.columns, totals, work, |_, row, total| f(row, total));
    }

    /// Its numbers, row by row.
    pub fn numbers(&mut self) -> &mut [f32] {
        self.tensor.storage_mut::<f32>()
    }

    pub fn into_tensor(self) -> Tensor<2> {
        Tensor::from_primitive::<Flex>(self.tensor)
    }
}

/// The largest number of a row, and the sum of its exponentials relative to it.
#[derive(Clone, Copy)]
pub(super) struct Total {
    largest: f32,
    sum: f64,
}

impl Default for Total {
    fn default() -> Self {
        Self { largest: f32::MIN, sum: 0.0 }
    }
}

impl Total {
    /// The softmax of a row that lies in one piece.
    #[inline(always)]
    pub(super) fn softmax(row: &mut [f32]) {
        let mut total = Self::default();
        total.raise(row);
        total.add_exponentials(row);
        total.share(row, 1.0);
    }

    #[inline(always)]
    fn raise(&mut self, row: &[f32]) {
        let (wide, rest) = row.as_chunks::<LANES>();
        let mut largest = [self.largest; LANES];
        for z in wide {
            for lane in 0..LANES {
                largest[lane] = if z[lane] > largest[lane] { z[lane] } else { largest[lane] };
            }
        }
        self.largest = largest.iter().chain(rest).copied().fold(self.largest, f32::max);
    }

    #[inline(always)]
    fn add_exponentials(&mut self, row: &mut [f32]) {
        let (wide, rest) = row.as_chunks_mut::<LANES>();
        let mut sums = [0f32; LANES];
        for z in wide {
            for lane in 0..LANES {
                z[lane] = exp(z[lane] - self.largest);
                sums[lane] += z[lane];
            }
        }
        self.sum += sums.iter().map(|&sum| f64::from(sum)).sum::<f64>();
        for z in rest {
            *z = exp(*z - self.largest);
            self.sum += f64::from(*z);
        }
    }

    #[inline(always)]
    fn share(&self, row: &mut [f32], factor: f64) {
        let share = (factor / self.sum) as f32;
        row.iter_mut().for_each(|e| *e *= share);
    }

    fn logarithm(&self) -> f64 {
        self.sum.ln() + f64::from(self.largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_blocks_are_one_softmax() {
        let device = Device::flex();
        let left = Tensor::<2>::from_floats([[0.0, 2f32.ln()], [f32::MIN, 1e30]], &device);
        let right = Tensor::<2>::from_floats([[5f32.ln()], [f32::MIN]], &device);
        let (blocks, normalizers) = softmax(vec![left, right], 2.0).expect("rows of f32");
        let numbers = |x: &Tensor<2>| x.clone().into_data().iter::<f32>().collect::<Vec<_>>();
        for (got, expected) in numbers(&blocks[0]).iter().zip([0.25, 0.5, 0.0, 2.0]) {
            assert!((got - expected).abs() < 1e-6);
        }
        assert!((numbers(&blocks[1])[0] - 1.25).abs() < 1e-6 && numbers(&blocks[1])[1] == 0.0);
        assert!((numbers(&normalizers)[0] - 8f32.ln()).abs() < 1e-6);
        assert_eq!(numbers(&normalizers)[1], 1e30);
    }
}
