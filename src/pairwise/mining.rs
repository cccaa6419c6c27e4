//! Who is compared with whom: label masks and selections.
//!
//! A selection is a mask or one index a row, never a list whose length depends on the data, and
//! carries no gradient. Score the chosen rows again with
//! [`Distance::paired`](super::Distance::paired) to train on them.

use burn::prelude::*;
use derive_new::new;

use super::norm::machine_epsilon;

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
        let device = labels.device();
        let same = labels
            .clone()
            .unsqueeze_dim::<2>(1)
            .equal(labels.unsqueeze_dim::<2>(0));
        // `diag_mask` is false on the diagonal.
        let other_row = Tensor::<2, Bool>::diag_mask([n, n], 0, &device);
        Self {
            positive: same.clone().bool_and(other_row),
            negative: same.bool_not(),
        }
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
    let values = values.detach();
    let lowest = lowest_number(&values);
    let top = values
        .clone()
        .mask_fill(candidates.clone().bool_not(), lowest)
        .max_dim(1);
    let slack = rounding_slack(&top);
    first_of(values.greater_equal(top - slack).bool_and(candidates))
}

/// For every row of `values`, the first of the smallest among `candidates`; see [`farthest`].
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

/// The semi-hard negative of every ordered positive pair: the closest negative of the anchor that
/// is farther away than the positive; where there is none, the anchor's farthest negative.
///
/// # Shapes
///
/// distances `[n, n]` → column indices `[n, n]`, meaningful where `masks.positive` holds and the
/// anchor has a negative
///
/// # Numerical behavior
///
/// One sort of each row, `n² log n` in all. "Farther" is strict.
pub fn semi_hard_negatives(distances: Tensor<2>, masks: &LabelMasks) -> Tensor<2, Int> {
    let distances = distances.detach();
    let farthest_negative = farthest(distances.clone(), masks.negative.clone()).index;
    let sorted = SortedRows::new(distances, masks);
    let next = sorted.next_negative();
    let none = next.clone().greater_equal_elem(sorted.n as i64);
    let column = sorted
        .order
        .clone()
        .gather(1, next.mask_fill(none.clone(), 0));
    let fallback = farthest_negative
        .unsqueeze_dim::<2>(1)
        .expand([sorted.n, sorted.n]);
    let column = column.mask_where(none, fallback);
    sorted.restore_int(column)
}

/// How often each pair of rows takes part in a violated triplet, and how many are violated.
#[derive(Debug, Clone)]
pub struct TripletCounts {
    /// `[n, n]`: for a positive pair, the number of negatives with
    /// `d(a, p) − d(a, n) + margin ≥ 0`; for a negative pair, minus the number of such positives.
    /// It is the derivative of the sum of all violations with respect to the distances.
    pub weights: Tensor<2>,
    /// For every anchor, the number of triplets with `d(a, p) − d(a, n) + margin ≥ 0`, `[n]`:
    /// `Σ weights · distances + margin · touched` is the sum of its violations.
    pub touched: Tensor<1>,
    /// For every anchor, the number of triplets with `d(a, p) − d(a, n) + margin > 0`, `[n]`.
    pub active: Tensor<1>,
}

/// Counts the triplets that violate the margin, without building them.
///
/// A triplet that lies exactly on the margin is touched but not active: its value is 0, and its
/// derivative is 1 by the convention of sentence-transformers. Keys that differ by rounding error
/// only count as equal.
///
/// # Shapes
///
/// distances `[n, n]`
///
/// # Numerical behavior
///
/// One sort of each row and running sums, `n² log n` in all.
pub fn violated_triplets(distances: Tensor<2>, masks: &LabelMasks, margin: f64) -> TripletCounts {
    let distances = distances.detach();
    let shifted = distances.clone().add_scalar(margin);
    let keys = distances.mask_where(masks.positive.clone(), shifted);
    let sorted = SortedRows::new(keys, masks);

    let negatives_up_to = sorted.count_up_to_ties(sorted.negative.clone());
    let negatives_below = sorted.count_below_ties(sorted.negative.clone());
    let positives_below = sorted.count_below_ties(sorted.positive.clone());
    let positives = sorted.positive.clone().sum_dim(1);

    let attract = negatives_up_to * sorted.positive.clone();
    let repel = (positives - positives_below) * sorted.negative.clone();
    TripletCounts {
        touched: attract.clone().sum_dim(1).squeeze_dim(1),
        active: (negatives_below * sorted.positive.clone())
            .sum_dim(1)
            .squeeze_dim(1),
        weights: sorted.restore(attract - repel),
    }
}

/// Rows sorted in ascending order, with runs of equal keys ("ties") marked.
struct SortedRows {
    n: usize,
    /// Original column of each sorted place.
    order: Tensor<2, Int>,
    /// 1 where the sorted place holds a positive, else 0.
    positive: Tensor<2>,
    /// 1 where the sorted place holds a negative, else 0.
    negative: Tensor<2>,
    /// Whether the next place holds a larger key, or there is none.
    ends_tie: Tensor<2, Bool>,
}

impl SortedRows {
    fn new(keys: Tensor<2>, masks: &LabelMasks) -> Self {
        let [n, _] = keys.dims();
        let device = keys.device();
        let dtype = keys.dtype();
        let (sorted, order) = keys.sort_with_indices(1);
        let flag =
            |mask: &Tensor<2, Bool>| mask.clone().float().cast(dtype).gather(1, order.clone());
        let (positive, negative) = (flag(&masks.positive), flag(&masks.negative));
        let last = Tensor::<2, Bool>::from_data(TensorData::new(vec![true; n], [n, 1]), &device);
        let ends_tie = match n {
            1 => last,
            _ => {
                let slack = rounding_slack(&sorted);
                let reach = (sorted.clone() + slack).slice([0..n, 0..n - 1]);
                Tensor::cat(vec![reach.lower(sorted.slice([0..n, 1..n])), last], 1)
            }
        };
        Self {
            n,
            order,
            positive,
            negative,
            ends_tie,
        }
    }

    /// For each place, how many of `flags` lie at or before the end of its tie.
    fn count_up_to_ties(&self, flags: Tensor<2>) -> Tensor<2> {
        let running = flags.cumsum(1);
        let inside = self.ends_tie.clone().bool_not();
        // Running counts never fall, so the smallest one at a later end is the nearest one.
        running
            .mask_fill(inside, (self.n + 1) as f64)
            .flip([1])
            .cummin(1)
            .flip([1])
    }

    /// For each place, how many of `flags` lie before the start of its tie.
    fn count_below_ties(&self, flags: Tensor<2>) -> Tensor<2> {
        if self.n == 1 {
            return flags.zeros_like();
        }
        let n = self.n;
        let inside = self.ends_tie.clone().bool_not();
        let at_ends = flags.cumsum(1).mask_fill(inside, 0.0);
        let before = at_ends.slice([0..n, 0..n - 1]);
        let first = Tensor::zeros([n, 1], (&before.device(), before.dtype()));
        Tensor::cat(vec![first, before], 1).cummax(1)
    }

    /// For each place, the nearest later place behind its tie that holds a negative; `n` if none.
    fn next_negative(&self) -> Tensor<2, Int> {
        let n = self.n;
        let device = self.order.device();
        let places = Tensor::<1, Int>::arange(0..n as i64, &device).unsqueeze_dim::<2>(0);
        let places = places.expand([n, n]);
        let not_negative = self.negative.clone().equal_elem(0.0);
        let nearest = places
            .mask_fill(not_negative, n as i64)
            .flip([1])
            .cummin(1)
            .flip([1]);
        let none = Tensor::<2, Int>::full([n, 1], n as i64, &device);
        let behind = match n {
            1 => none,
            _ => Tensor::cat(vec![nearest.slice([0..n, 1..n]), none], 1),
        };
        let inside = self.ends_tie.clone().bool_not();
        behind
            .mask_fill(inside, n as i64)
            .flip([1])
            .cummin(1)
            .flip([1])
    }

    /// From sorted places back to original columns.
    fn restore(&self, values: Tensor<2>) -> Tensor<2> {
        values.gather(1, self.order.clone().argsort(1))
    }

    /// [`restore`](Self::restore) for indices.
    fn restore_int(&self, values: Tensor<2, Int>) -> Tensor<2, Int> {
        values.gather(1, self.order.clone().argsort(1))
    }
}

/// The pairs that OnlineContrastiveLoss keeps, both `[n]`.
#[derive(Debug, Clone)]
pub struct OnlineSelection {
    /// Positive pairs farther apart than the closest negative pair.
    pub hard_positive: Tensor<1, Bool>,
    /// Negative pairs closer than the farthest positive pair.
    pub hard_negative: Tensor<1, Bool>,
}

/// Hard positive and hard negative pairs by their distances and labels, both `[n]`.
///
/// A label 1 is a positive pair, 0 a negative one, anything else is left out. Without a negative
/// pair the positive ones are measured against their own mean distance, and the other way round.
///
/// # Numerical behavior
///
/// Comparisons are strict, and the mean of equal distances is exactly that distance.
pub fn online_selection(distances: Tensor<1>, labels: Tensor<1>) -> OnlineSelection {
    let d = distances.detach();
    let (positive, negative) = (labels.clone().equal_elem(1.0), labels.equal_elem(0.0));
    let nearest_negative = extreme_or_mean(d.clone().neg(), &negative, &positive).neg();
    let farthest_positive = extreme_or_mean(d.clone(), &positive, &negative);
    OnlineSelection {
        hard_positive: d.clone().greater(nearest_negative).bool_and(positive),
        hard_negative: d.lower(farthest_positive).bool_and(negative),
    }
}

/// The largest of the values in `of`; if there are none, the mean of those in `otherwise`. `[1]`.
fn extreme_or_mean(v: Tensor<1>, of: &Tensor<1, Bool>, otherwise: &Tensor<1, Bool>) -> Tensor<1> {
    let lowest = lowest_number(&v);
    let largest = v.clone().mask_fill(of.clone().bool_not(), lowest).max();

    let left_out = otherwise.clone().bool_not();
    let base = v.clone().mask_fill(left_out.clone(), lowest).max();
    let base = base.clone().mask_fill(base.equal_elem(lowest), 0.0);
    let count = otherwise
        .clone()
        .float()
        .cast(v.dtype())
        .sum()
        .clamp_min(1.0);
    // Summed as distances from one of them, so that equal values have exactly that mean.
    let mean = base.clone() + (v - base).mask_fill(left_out, 0.0).sum() / count;
    largest.mask_where(of.clone().any().bool_not(), mean)
}

/// The first index of each row at which the mask holds.
fn first_of(mask: Tensor<2, Bool>) -> Chosen {
    let [n, m] = mask.dims();
    let device = mask.device();
    let columns = Tensor::<1, Int>::arange(0..m as i64, &device).unsqueeze_dim::<2>(0);
    let first = columns
        .expand([n, m])
        .mask_fill(mask.clone().bool_not(), m as i64)
        .min_dim(1);
    let exists = any_in_row(mask);
    Chosen::new(first.clamp_max(m as i64 - 1).squeeze_dim(1), exists)
}

fn any_in_row(mask: Tensor<2, Bool>) -> Tensor<1, Bool> {
    mask.any_dim(1).squeeze_dim(1)
}

fn rounding_slack(values: &Tensor<2>) -> Tensor<2> {
    values
        .clone()
        .abs()
        .mul_scalar(16.0 * machine_epsilon(values.dtype()))
}

fn lowest_number<const D: usize>(values: &Tensor<D>) -> f64 {
    values.dtype().finfo().map_or(f64::MIN, |info| info.min)
}
