//! The rows of an anchor's class among all others.

use core::ops::Range;

use burn::prelude::*;

use super::labeled_pairs::{reduced_in_blocks, terms_in_blocks};
use crate::blocks::{Accumulated, Blocks};
use crate::kernels::{log_sum_exp, matrices_in_memory, softmax};
use crate::numeric::lowest_number;
use crate::reduction::{Reduced, Reduction, Terms};
use crate::select::{LabelMasks, own_row};

/// `ln Σ_{j≠i} exp zᵢⱼ − 1/|Pᵢ| Σ_{p∈Pᵢ} zᵢₚ` for rows with labels; `z` are dot products times a scale, `P` the other
/// rows with the label of the anchor. An anchor without one has no term.
#[derive(Debug, Clone)]
pub struct SharedLabels {
    /// The rows, `[n, dim]`.
    pub rows: Tensor<2>,
    /// The label of each row, `[n]`.
    pub labels: Tensor<1, Int>,
    /// The factor on the dot products.
    pub scale: f64,
}

/// The positives of a block of anchors among all rows.
struct Share {
    /// Whether each row is a positive of each anchor, as 1 and 0, `[anchors, n]`.
    positive: Tensor<2>,
    /// Whether each anchor has a positive, as 1 and 0, `[anchors, 1]`.
    counts: Tensor<2>,
    /// One part of as many as an anchor has positives, `[anchors, 1]`.
    each: Tensor<2>,
}

impl SharedLabels {
    /// Memory for the scores of one anchor, in bytes: scores, positives, their slopes, and comparisons of labels.
    pub fn bytes_per_anchor(&self) -> usize {
        let [n, _] = self.rows.dims();
        let matrices = 3 + matrices_in_memory(&self.rows);
        n * (matrices * self.rows.dtype().size() + size_of::<i64>())
    }

    /// The terms of all rows, `[n]`, 0 for an anchor without a positive.
    pub fn terms(self, blocks: Blocks) -> Terms {
        let part = |range: Range<usize>| {
            let share = self.share(range.clone());
            let logits = self.logits(&self.rows, range);
            let of_positives = (logits.clone() * share.positive).sum_dim(1) * share.each;
            let values = log_sum_exp(vec![logits]) * share.counts.clone() - of_positives;
            (values.squeeze_dim::<1>(1), share.counts.sum())
        };
        terms_in_blocks(self.rows.is_tracked(), blocks, part)
    }

    /// The reduced [`terms`](Self::terms), a block of anchors at a time.
    pub fn reduced(self, reduction: Reduction, blocks: Blocks) -> Reduced {
        let rows = self.rows.clone();
        let fixed = Self { rows: rows.clone().inner(), ..self };
        reduced_in_blocks(rows, reduction, blocks, |range, gradient| fixed.block(range, gradient))
    }

    /// The sum of the terms of some anchors, `[1]`, and their number, `[1]`; adds to the gradient of the rows.
    fn block(
        &self,
        range: Range<usize>,
        gradient: &mut Option<Accumulated>,
    ) -> (Tensor<1>, Tensor<1>) {
        let Share { positive, counts, each } = self.share(range.clone());
        let logits = self.logits(&self.rows, range.clone());
        let of_positives = (logits.clone() * positive.clone()).sum_dim(1) * each.clone();
        let (slopes, normalizers) = softmax(vec![logits], self.scale);
        let values = normalizers * counts.clone() - of_positives;
        if let Some(gradient) = gradient {
            let softmax = slopes.into_iter().next().expect("one for each matrix of scores");
            let slope = softmax * counts.clone() - positive * each.mul_scalar(self.scale);
            let anchors = self.rows.clone().slice([range.clone()]);
            gradient.add(slope.clone().transpose().matmul(anchors));
            gradient.add_anchors(&range, slope.matmul(self.rows.clone()));
        }
        (values.sum(), counts.sum())
    }

    fn share(&self, range: Range<usize>) -> Share {
        let positive = LabelMasks::of_rows(self.labels.clone(), range).positive;
        let positive = positive.float().cast(self.rows.dtype());
        let sizes = positive.clone().sum_dim(1);
        let counts = sizes.clone().clamp_max(1.0);
        let each = counts.clone() / sizes.clamp_min(1.0);
        Share { positive, counts, each }
    }

    /// The scores of some anchors with all rows; the lowest number with themselves.
    fn logits(&self, rows: &Tensor<2>, range: Range<usize>) -> Tensor<2> {
        let anchors = rows.clone().slice([range.clone()]).mul_scalar(self.scale);
        let logits = anchors.matmul(rows.clone().transpose());
        let (own, lowest) =
            (own_row(range, rows.dims()[0], &rows.device()), lowest_number(logits.dtype()));
        logits.mask_fill(own, lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{DType, Distribution};

    /// The sum of all terms and their number, by a loop.
    fn by_all_pairs(rows: &[Vec<f64>], labels: &[i64], scale: f64) -> (f64, usize) {
        let dot = |i: usize, j: usize| {
            scale * rows[i].iter().zip(&rows[j]).map(|(x, y)| x * y).sum::<f64>()
        };
        let (mut sum, mut count) = (0.0, 0);
        for i in 0..rows.len() {
            let others = || (0..rows.len()).filter(move |&j| j != i);
            let positives: Vec<_> = others().filter(|&j| labels[j] == labels[i]).collect();
            if !positives.is_empty() {
                let normalizer = others().map(|j| dot(i, j).exp()).sum::<f64>().ln();
                let mean = positives.iter().map(|&j| dot(i, j)).sum::<f64>();
                sum += normalizer - mean / positives.len() as f64;
                count += 1;
            }
        }
        (sum, count)
    }

    #[test]
    fn every_anchor_is_compared_with_all_of_its_class() {
        let device = Device::flex();
        for (n, classes) in [(1, 1), (2, 1), (5, 5), (9, 3), (17, 4)] {
            device.seed(n as u64);
            let place = (&device, DType::F64);
            let rows = Tensor::<2>::random([n, 3], Distribution::Uniform(-1.0, 1.0), place);
            let labels: Vec<i64> = (0..n as i64).map(|i| i * i % classes).collect();
            let flat: Vec<f64> = rows.clone().try_into_vec_as().unwrap();
            let each: Vec<_> = flat.chunks(3).map(<[f64]>::to_vec).collect();
            let (sum, count) = by_all_pairs(&each, &labels, 4.0);
            let shared = SharedLabels {
                rows,
                labels: Tensor::from_data(labels.as_slice(), &device),
                scale: 4.0,
            };
            let bytes = shared.bytes_per_anchor();
            for blocks in [bytes, 4 * bytes, n * bytes] {
                let blocks = Blocks::within("Test", Some(blocks), &device, [n, 3], bytes);
                let got = |reduction| {
                    let got = shared.clone().reduced(reduction, blocks).into_value();
                    got.into_scalar::<f64>()
                };
                assert!((got(Reduction::Sum) - sum).abs() < 1e-12, "{n} rows");
                let mean = sum / count.max(1) as f64;
                assert!((got(Reduction::Mean) - mean).abs() < 1e-12, "{n} rows");
            }
        }
    }
}
