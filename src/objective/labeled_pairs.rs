//! Sums over anchors of a function of their similarities with all rows of a labelled batch.

use core::ops::Range;

use burn::prelude::*;

use crate::blocks::{self, Accumulated, Blocks};
use crate::kernels::{matrices_in_memory, softmax};
use crate::numeric::{lowest_number, zero};
use crate::reduction::{Reduced, Reduction, Terms};
use crate::select::LabelMasks;

/// The terms of some anchors and their slopes; no graph.
#[derive(Debug, Clone)]
pub struct PairTerms {
    /// The term of each anchor, 0 for one that does not count, `[anchors, 1]`.
    pub values: Tensor<2>,
    /// The derivative of each term with respect to the similarities of its anchor, `[anchors, n]`.
    pub slopes: Tensor<2>,
    /// Whether each anchor counts in a mean, as 1 and 0, `[anchors, 1]`.
    pub counts: Tensor<2>,
}

/// The term of an anchor, given its similarities with all rows.
pub trait PairFormula {
    /// The terms of some anchors, given their similarities, `[anchors, n]`, and which of them are with
    /// positives and which with negatives.
    fn terms(&self, similarities: Tensor<2>, masks: LabelMasks) -> PairTerms;
}

/// A formula on rows with labels, whose similarities are dot products.
#[derive(Debug, Clone)]
pub struct LabeledPairs<F> {
    /// The rows, `[n, dim]`.
    pub rows: Tensor<2>,
    /// The label of each row, `[n]`.
    pub labels: Tensor<1, Int>,
    /// The formula.
    pub formula: F,
}

impl<F: PairFormula> LabeledPairs<F> {
    /// Memory for the pairs of one anchor, in bytes: similarities, their slopes, the exponentials of positives and of
    /// negatives, masks, and comparisons of labels.
    pub fn bytes_per_anchor(&self) -> usize {
        let [n, _] = self.rows.dims();
        let matrices = 4 + 2 * matrices_in_memory(&self.rows);
        n * (matrices * self.rows.dtype().size() + size_of::<i64>() + 4)
    }

    /// The terms of all rows, `[n]`, 0 for an anchor that does not count.
    pub fn terms(self, blocks: Blocks) -> Terms {
        let part = |range: Range<usize>| {
            let similarities = self.similarities(&range);
            let PairTerms { values, slopes, counts } =
                self.formula.terms(similarities.clone().inner(), self.masks(range));
            let values = match similarities.is_tracked() {
                true => (zero(similarities) * slopes).sum_dim(1) + values,
                false => values,
            };
            (values.squeeze_dim::<1>(1), counts.sum())
        };
        terms_in_blocks(self.rows.is_tracked(), blocks, part)
    }

    /// The reduced [`terms`](Self::terms), a block of anchors at a time.
    pub fn reduced(self, reduction: Reduction, blocks: Blocks) -> Reduced {
        let rows = self.rows.clone();
        let fixed = Self { rows: rows.clone().inner(), ..self };
        reduced_in_blocks(rows, reduction, blocks, |range, gradient| fixed.block(range, gradient))
    }

    /// The sum of the terms of some anchors, `[1]`, and the number of those that count, `[1]`; adds to the gradient of
    /// the rows.
    fn block(
        &self,
        range: Range<usize>,
        gradient: &mut Option<Accumulated>,
    ) -> (Tensor<1>, Tensor<1>) {
        let masks = self.masks(range.clone());
        let PairTerms { values, slopes, counts } =
            self.formula.terms(self.similarities(&range), masks);
        if let Some(gradient) = gradient {
            let anchors = self.rows.clone().slice([range.clone()]);
            gradient.add(slopes.clone().transpose().matmul(anchors));
            gradient.add_anchors(&range, slopes.matmul(self.rows.clone()));
        }
        (values.sum(), counts.sum())
    }

    fn similarities(&self, range: &Range<usize>) -> Tensor<2> {
        self.rows.clone().slice([range.clone()]).matmul(self.rows.clone().transpose())
    }

    fn masks(&self, range: Range<usize>) -> LabelMasks {
        LabelMasks::of_rows(self.labels.clone(), range)
    }
}

/// The terms of all anchors, given those of a block and how many of them count: all at once if there is a graph.
pub(super) fn terms_in_blocks(
    tracked: bool,
    blocks: Blocks,
    part: impl Fn(Range<usize>) -> (Tensor<1>, Tensor<1>),
) -> Terms {
    let ranges: Vec<_> = if tracked { vec![blocks.all()] } else { blocks.ranges().collect() };
    let (values, counts): (Vec<_>, Vec<_>) = ranges.into_iter().map(part).unzip();
    Terms::new(Tensor::cat(values, 0), Tensor::cat(counts, 0).sum())
}

/// The reduced terms of all anchors, given the sum of a block's terms and how many of them count; `block` adds to the
/// gradient of `rows`.
pub(super) fn reduced_in_blocks(
    rows: Tensor<2>,
    reduction: Reduction,
    blocks: Blocks,
    block: impl Fn(Range<usize>, &mut Option<Accumulated>) -> (Tensor<1>, Tensor<1>),
) -> Reduced {
    let mut counts = Vec::new();
    let sum = blocks::closed_sum([rows], blocks, |range, [gradient]| {
        let (value, count) = block(range, gradient);
        counts.push(count);
        value
    });
    Reduced::of_sum(sum, Tensor::cat(counts, 0).sum(), reduction)
}

/// `ln Σ exp(z)` over the pairs of each row, `[anchors, 1]`, and its derivative, `[anchors, n]`; with `one`, the
/// logarithm of another summand, `[anchors, 1]`. Without any summand it is the lowest number.
pub(super) fn log_sum_exp_of_pairs(
    z: Tensor<2>,
    pairs: Tensor<2, Bool>,
    one: Option<Tensor<2>>,
) -> (Tensor<2>, Tensor<2>) {
    let lowest = lowest_number(z.dtype());
    let z = z.mask_fill(pairs.bool_not(), lowest);
    let matrices = core::iter::once(z).chain(one).collect();
    let (slopes, normalizers) = softmax(matrices, 1.0);
    (normalizers, slopes.into_iter().next().expect("one for each matrix"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use burn::tensor::{DType, Distribution};

    /// A batch by hand: rows, labels, similarities of an anchor with positives and negatives.
    struct Example {
        rows: Vec<Vec<f64>>,
        labels: Vec<i64>,
    }

    impl Example {
        fn similarities(&self, i: usize, positive: bool) -> Vec<f64> {
            let dot =
                |j: usize| self.rows[i].iter().zip(&self.rows[j]).map(|(x, y)| x * y).sum::<f64>();
            let others = (0..self.rows.len()).filter(|&j| j != i);
            others.filter(|&j| (self.labels[j] == self.labels[i]) == positive).map(dot).collect()
        }
    }

    /// Compares a formula with one by hand, which takes the similarities of an anchor with its positives and with its
    /// negatives; `None` for an anchor that does not count.
    pub fn agrees_with<F: PairFormula + Clone>(
        formula: &F,
        by_hand: impl Fn(&[f64], &[f64]) -> Option<f64>,
    ) {
        let device = Device::flex();
        for (n, classes) in [(1, 1), (2, 1), (4, 1), (5, 5), (9, 3), (17, 4)] {
            device.seed(n as u64);
            let place = (&device, DType::F64);
            let rows = Tensor::<2>::random([n, 3], Distribution::Uniform(-0.8, 0.8), place);
            let labels: Vec<i64> = (0..n as i64).map(|i| i * i % classes).collect();
            let flat: Vec<f64> = rows.clone().try_into_vec_as().unwrap();
            let rows_by_hand = flat.chunks(3).map(<[f64]>::to_vec).collect();
            let example = Example { rows: rows_by_hand, labels: labels.clone() };
            let term = |i| by_hand(&example.similarities(i, true), &example.similarities(i, false));
            let counted: Vec<f64> = (0..n).filter_map(term).collect();
            let sum: f64 = counted.iter().sum();
            let labels = Tensor::from_data(labels.as_slice(), &device);
            let pairs = LabeledPairs { rows, labels, formula: formula.clone() };
            let bytes = pairs.bytes_per_anchor();
            for budget in [bytes, 4 * bytes, n * bytes] {
                let blocks = Blocks::within("Test", Some(budget), &device, [n, 3], bytes);
                let got = |reduction| {
                    let got = pairs.clone().reduced(reduction, blocks).into_value();
                    got.into_scalar::<f64>()
                };
                assert!((got(Reduction::Sum) - sum).abs() < 1e-12, "{n} rows");
                let mean = sum / counted.len().max(1) as f64;
                assert!((got(Reduction::Mean) - mean).abs() < 1e-12, "{n} rows");
            }
        }
    }
}
