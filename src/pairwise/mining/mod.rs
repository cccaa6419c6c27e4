//! Who is compared with whom: label masks and selections.
//!
//! A selection is a mask or one index a row, never a list whose length depends on the data, and
//! carries no gradient. Score the chosen rows again with
//! [`Distance::paired`](super::Distance::paired) to train on them.

mod online;
mod sorted;

use core::ops::Range;

use burn::prelude::*;
use burn::tensor::{DType, FloatDType};
use derive_new::new;

use super::norm::machine_epsilon;

pub use online::{OnlineSelection, online_selection};
pub use sorted::{TripletCounts, semi_hard_negatives, violated_triplets};

/// Which pairs of a labelled batch may attract and which may repel, both `[n, n]`.
#[derive(Debug, Clone)]
pub struct LabelMasks {
    /// Same label, different row.
    pub positive: Tensor<2, Bool>,
    /// Different label.
    pub negative: Tensor<2, Bool>,
}

impl LabelMasks {
    /// The masks of the labels `[n]`.
    pub fn new(labels: Tensor<1, Int>) -> Self {
        let [n] = labels.dims();
        Self::of_rows(labels, 0..n)
    }

    /// Some rows of the masks of the labels `[n]`: `[rows, n]`.
    pub fn of_rows(labels: Tensor<1, Int>, rows: Range<usize>) -> Self {
        let [n] = labels.dims();
        let other_row = own_row(rows.clone(), n, &labels.device()).bool_not();
        let anchors = labels.clone().slice([rows]).unsqueeze_dim::<2>(1);
        let same = anchors.equal(labels.unsqueeze_dim::<2>(0));
        Self { positive: same.clone().bool_and(other_row), negative: same.bool_not() }
    }

    /// Anchors that have a positive as well as a negative, `[n]`.
    pub fn valid_anchors(&self) -> Tensor<1, Bool> {
        any_in_row(self.positive.clone()).bool_and(any_in_row(self.negative.clone()))
    }
}

/// One chosen row for every anchor.
#[derive(Debug, Clone, new)]
pub struct Chosen {
    /// Index of the chosen row, `[n]`; meaningless where none exists.
    pub index: Tensor<1, Int>,
    /// Whether there was anything to choose from, `[n]`.
    pub exists: Tensor<1, Bool>,
}

impl Chosen {
    /// Choices for one row after another.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn cat(choices: Vec<Self>) -> Self {
        let (index, exists) = choices.into_iter().map(|c| (c.index, c.exists)).unzip();
        Self::new(Tensor::cat(index, 0), Tensor::cat(exists, 0))
    }

    /// The chosen rows of `x`, with its gradient: `[m, dim] → [n, dim]`.
    pub fn rows(&self, x: Tensor<2>) -> Tensor<2> {
        x.select(0, self.index.clone())
    }
}

/// For every row of `values`, the first of the largest among `candidates`.
///
/// # Shapes
///
/// `[n, m]`, `[n, m]` → indices `[n]`
///
/// # Numerical behavior
///
/// Values within rounding error of the largest count as equal to it, so that ties (duplicate
/// rows) are broken the same way on every backend: the first wins, as in PyTorch on the CPU.
pub fn farthest(values: Tensor<2>, candidates: Tensor<2, Bool>) -> Chosen {
    let values = values.inner();
    let lowest = lowest_number(&values);
    let top = values.clone().mask_fill(candidates.clone().bool_not(), lowest).max_dim(1);
    let slack = rounding_slack(&top);
    first_of(values.greater_equal(top - slack).bool_and(candidates))
}

/// For every row of `values`, the first of the smallest among `candidates`; see [`farthest`].
///
/// # Shapes
///
/// `[n, m]`, `[n, m]` → indices `[n]`
pub fn closest(values: Tensor<2>, candidates: Tensor<2, Bool>) -> Chosen {
    farthest(values.neg(), candidates)
}

/// The farthest row of the same label, by a matrix of distances `[n, n]`.
pub fn hardest_positives(distances: Tensor<2>, masks: &LabelMasks) -> Chosen {
    farthest(distances, masks.positive.clone())
}

/// The closest row of another label, by a matrix of distances `[n, n]`.
pub fn hardest_negatives(distances: Tensor<2>, masks: &LabelMasks) -> Chosen {
    closest(distances, masks.negative.clone())
}

/// The negatives that a positive is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Negatives {
    /// All of them; triplets that are larger than 0 count.
    All,
    /// The closest that is farther away than the positive, or else the farthest; all positives count.
    ///
    /// As in sentence-transformers, a pair whose anchor has no negative is `max(0, d(a, p) + m)`.
    SemiHard {
        /// Whether anchors without a negative are left out.
        only_valid: bool,
    },
}

/// For some rows of a batch of `n`, true in the column of the row itself, `[rows, n]`.
pub(crate) fn own_row(rows: Range<usize>, n: usize, device: &Device) -> Tensor<2, Bool> {
    // `diag_mask` is false on the diagonal.
    Tensor::<2, Bool>::diag_mask([rows.len(), n], rows.start as i64, device).bool_not()
}

/// The first index of each row at which the mask holds.
fn first_of(mask: Tensor<2, Bool>) -> Chosen {
    let [n, m] = mask.dims();
    let columns = Tensor::<1, Int>::arange(0..m as i64, &mask.device());
    // As `f32`, exact up to 2²⁴ columns: searching floats is many times faster than integers.
    let columns = columns.cast(FloatDType::F32).unsqueeze_dim::<2>(0).expand([n, m]);
    let first = columns.mask_fill(mask.bool_not(), m as f64).min_dim(1).squeeze_dim::<1>(1);
    let exists = first.clone().lower_elem(m as f64);
    Chosen::new(first.clamp_max(m as f64 - 1.0).int(), exists)
}

fn any_in_row(mask: Tensor<2, Bool>) -> Tensor<1, Bool> {
    mask.any_dim(1).squeeze_dim(1)
}

/// By how much distances may differ that come from products summed in another order, relative to the
/// larger, in steps of the type.
pub(crate) const PRODUCT_SLACK: f64 = 16.0;

/// How far apart two values may be that differ by rounding only.
fn rounding_slack(values: &Tensor<2>) -> Tensor<2> {
    // Distances in `f64` come from a matrix product, whose sums differ in order; those in `f32`
    // from differences, where equal rows give equal numbers.
    let steps = if values.dtype() == DType::F64 { PRODUCT_SLACK } else { 2.0 };
    values.clone().abs().mul_scalar(steps * machine_epsilon(values.dtype()))
}

fn lowest_number<const D: usize>(values: &Tensor<D>) -> f64 {
    values.dtype().finfo().map_or(f64::MIN, |info| info.min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices(chosen: &Chosen) -> (Vec<i64>, Vec<bool>) {
        let index = chosen.index.clone().into_data().iter::<i64>().collect();
        (index, chosen.exists.clone().into_data().iter::<bool>().collect())
    }

    #[test]
    fn masks_leave_the_row_itself_out() {
        let masks = LabelMasks::new(Tensor::from_ints([4, 7, 4], &Device::flex()));
        let flags = |mask: Tensor<2, Bool>| mask.into_data().iter::<bool>().collect::<Vec<_>>();
        let (t, f) = (true, false);
        assert_eq!(flags(masks.positive.clone()), [f, f, t, f, f, f, t, f, f]);
        assert_eq!(flags(masks.negative.clone()), [f, t, f, t, f, t, f, t, f]);
        let valid = masks.valid_anchors().into_data().iter::<bool>().collect::<Vec<_>>();
        assert_eq!(valid, [t, f, t]);
    }

    #[test]
    fn ties_go_to_the_first_and_nothing_is_chosen_from_nothing() {
        let device = Device::flex();
        let values = Tensor::<2>::from_floats([[2.0, 3.0, 3.0], [9.0, 1.0, 1.0]], &device);
        let candidates = Tensor::<2, Int>::from_ints([[1, 1, 1], [0, 0, 0]], &device).bool();
        assert_eq!(indices(&farthest(values.clone(), candidates.clone())).0[0], 1);
        assert_eq!(indices(&closest(values.clone(), candidates.clone())).0[0], 0);
        assert_eq!(indices(&farthest(values, candidates)).1, [true, false]);
    }

    #[test]
    fn values_that_differ_by_rounding_are_a_tie() {
        let values = [[1.0, 1.0 + f32::EPSILON, 0.5]];
        let values = Tensor::<2>::from_floats(values, &Device::flex());
        let candidates = values.clone().greater_elem(0.0);
        assert_eq!(indices(&farthest(values, candidates)).0, [0]);
    }
}
