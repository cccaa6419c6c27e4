//! The sum over the triplets of all anchors with few positives, and its gradient.

use core::ops::Range;
use core::sync::atomic::Ordering;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;

use super::parallel::{LANES, Matrix, column_sums, for_rows, for_stripes, tensor};
use super::small_classes::{Anchor, SmallClassTriplets};
use super::triplet_sum::{TripletSum, Weight};
use crate::budget::Blocks;
use crate::kernels::accumulated::Accumulated;
use crate::kernels::triplet_sum::Negatives;

/// The factor by which a block takes less memory than the plain form: derivatives in `f32`, and their sums
/// with those of the opposite direction.
const LIGHTER: usize = 20;

/// Gradients with respect to half of each squared distance, for the pairs that are in a matrix.
struct Slopes {
    /// `Σ_j h_ij x_j + Σ_j h_ji x_j`.
    others: Accumulated,
    /// `Σ_j h_ij + h_ji`.
    sums: Vec<f64>,
}

impl SmallClassTriplets<'_> {
    /// `None` if estimates leave too much open.
    pub fn sum(&self, blocks: Blocks, gradient: bool, weight: Weight) -> Option<TripletSum> {
        let mut anchors = vec![Anchor::default(); self.classes.len()];
        let with_matrix = gradient && self.rule.negatives == Negatives::All;
        let n = anchors.len();
        let mut slopes = Slopes { others: Accumulated::new(n), sums: vec![0.0; n] };
        for range in blocks.coarser(LIGHTER).ranges() {
            let found = &mut anchors[range.clone()];
            let block = self.estimates.block(&range, found, |i, row| self.weigh(i, row));
            if self.gave_up.load(Ordering::Relaxed) {
                return None;
            }
            if with_matrix && range.len() == self.classes.len() {
                slopes.add_all(block, self.estimates.centred());
            } else if with_matrix {
                let own = found.iter().map(|anchor| anchor.sum);
                slopes.sums[range.clone()].iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
                slopes.add_block(block, self.estimates.centred(), &range);
            }
        }
        let count: f64 = anchors.iter().map(|anchor| anchor.count).sum();
        let weight = weight(count as usize);
        let value = weight * anchors.iter().map(|anchor| anchor.value).sum::<f64>();
        let gradient = gradient.then(|| self.gradient(anchors, slopes, weight));
        Some(TripletSum { value, gradient })
    }

    /// `Σ_j (h_ij + h_ji) (x_i − x_j)` for every row i, in `f32`.
    fn gradient(&self, anchors: Vec<Anchor>, slopes: Slopes, weight: f64) -> Tensor<2> {
        let Slopes { others, sums } = slopes;
        let mut close: Vec<_> = anchors.iter().map(|anchor| anchor.close.clone()).collect();
        for (i, anchor) in anchors.iter().enumerate() {
            for &(j, slope) in &anchor.close {
                close[j as usize].push((i as u32, slope));
            }
        }
        let matrix = |rows: Tensor<2>| {
            Matrix::new(&rows.try_into_primitive::<Flex>().expect("a tensor of Flex"))
        };
        let rows = matrix(self.estimates.centred().clone());
        let others = others.into_gradient().map(matrix);
        let (rows, others) = (rows.view(), others.as_ref().map(Matrix::view));
        let mut out = vec![0f32; rows.rows * rows.columns];
        let work = out.len();
        for_rows(&mut out, rows.columns, work, |i, out| {
            if let Some(others) = others {
                let both = rows.row(i).iter().zip(others.row(i));
                for (out, (&x, &other)) in out.iter_mut().zip(both) {
                    *out = (weight * (sums[i] * f64::from(x) - f64::from(other))) as f32;
                }
            }
            for &(j, slope) in &close[i] {
                self.estimates.rows().add_difference([i, j as usize], weight * slope, out);
            }
        });
        let shape = [rows.rows, rows.columns];
        Tensor::from_primitive::<Flex>(tensor(out, shape))
    }
}

impl Slopes {
    /// Adds the gradients of all anchors: both directions by one product.
    fn add_all(&mut self, slopes: FlexTensor, rows: &Tensor<2>) {
        let slopes = Matrix::new(&slopes);
        let slopes = slopes.view();
        let n = slopes.rows;
        let mut both = vec![0.0f32; n * n];
        for_stripes(&mut both, n, &mut self.sums, |start, stripe, sums| {
            let width = sums.len();
            for j in 0..n {
                let opposite = &slopes.row(j)[start..start + width];
                for (offset, &h) in opposite.iter().enumerate() {
                    stripe[offset * n + j] = h;
                }
            }
            for (offset, (both, sum)) in stripe.chunks_mut(n).zip(sums).enumerate() {
                let mut lanes = [0.0f64; LANES];
                for (place, (both, &h)) in
                    both.iter_mut().zip(slopes.row(start + offset)).enumerate()
                {
                    *both += h;
                    lanes[place % LANES] += f64::from(*both);
                }
                *sum = lanes.iter().sum();
            }
        });
        let both = Tensor::<2>::from_primitive::<Flex>(tensor(both, [n, n]));
        self.others.add(both.matmul(rows.clone()));
    }

    /// Adds the gradients of a block of anchors.
    fn add_block(&mut self, slopes: FlexTensor, rows: &Tensor<2>, range: &Range<usize>) {
        let matrix = Matrix::new(&slopes);
        let columns = column_sums(&matrix, &vec![1.0; matrix.rows]);
        self.sums.iter_mut().zip(columns).for_each(|(sum, column)| *sum += column);
        let own = rows.clone().slice([range.clone()]);
        drop(matrix);
        let slopes = Tensor::<2>::from_primitive::<Flex>(slopes);
        self.others.add_anchors(range, slopes.clone().matmul(rows.clone()));
        self.others.add(slopes.transpose().matmul(own));
    }
}
