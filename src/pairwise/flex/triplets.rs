//! Triplets of a block of anchors, counted and derived row by row.

use core::ops::Range;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;

use super::parallel::for_rows_with;
use super::search::Centred;
use crate::pairwise::Distance;
use crate::pairwise::blocks::{Accumulated, Blocks};

/// Which negatives a positive is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Negatives {
    /// All.
    All,
    /// The closest that is farther away than the positive, or else the farthest.
    SemiHard {
        /// Whether a positive counts whose anchor has no negative.
        only_valid: bool,
    },
}

/// Rows whose triplets are looked at a block of anchors at a time.
pub(crate) struct TripletRows<'a> {
    rows: Centred,
    labels: &'a [i64],
    distance: Distance,
    margin: f64,
    negatives: Negatives,
}

/// What the triplets of all anchors add up to.
pub(crate) struct TripletSum {
    /// `Σ max(0, d(a, p) − d(a, n) + m)`.
    pub value: f64,
    /// How many of them count.
    pub count: f64,
    /// The derivative by all rows, `[n, dim]` in `f64`, if it was wanted; for the cosine by the unit
    /// rows.
    pub gradient: Option<Tensor<2>>,
}

impl<'a> TripletRows<'a> {
    /// `None` where the plain way has to be taken: rows too short to become unit rows, or a distance
    /// that is no product.
    pub fn new(
        distance: Distance,
        x: &Tensor<2>,
        labels: &'a [i64],
        margin: f64,
        negatives: Negatives,
    ) -> Option<Self> {
        if distance == Distance::Manhattan {
            return None;
        }
        let rows = Centred::new(distance, x);
        let usual = !rows.has_short_rows();
        usual.then_some(Self { rows, labels, distance, margin, negatives })
    }

    /// The triplets of all anchors, a block at a time.
    pub fn sum(&self, blocks: Blocks, gradient: bool) -> TripletSum {
        let (mut value, mut count) = (0.0, 0.0);
        let mut gradients = Gradients::default();
        for range in blocks.coarser(LIGHTER).ranges() {
            let mut products = self.rows.products(&self.rows, &range);
            let mut found = vec![Found::default(); range.len()];
            let numbers = products.storage_mut::<f64>();
            let work = numbers.len();
            for_rows_with(numbers, self.labels.len(), &mut found, work, |offset, row, found| {
                *found = self.weigh(range.start + offset, row);
            });
            value += found.iter().map(|found| found.value).sum::<f64>();
            count += found.iter().map(|found| found.count).sum::<f64>();
            if gradient {
                self.derive(range, products, &found, &mut gradients);
            }
        }
        let gradient = gradient.then(|| gradients.of(&self.rows.rows));
        TripletSum { value, count, gradient }
    }

    /// Replaces the products of an anchor by the derivatives of its sum by half of the squared
    /// distances.
    #[inline(always)]
    fn weigh(&self, anchor: usize, row: &mut [f64]) -> Found {
        self.rows.squares(&self.rows, anchor, row);
        if self.distance == Distance::Euclidean {
            row.iter_mut().for_each(|d| *d = d.sqrt());
        }
        let label = self.labels[anchor];
        let is_positive = |j: usize| j != anchor && self.labels[j] == label;
        let is_negative = |j: usize| self.labels[j] != label;
        let mut positives: Vec<_> =
            (0..row.len()).filter(|&j| is_positive(j)).map(|j| Place { at: row[j], j }).collect();
        positives.sort_unstable_by(|p, q| p.at.total_cmp(&q.at));
        let mut weights = vec![0.0; row.len()];
        let found = match self.negatives {
            Negatives::All => self.all(&positives, row, is_negative, &mut weights),
            Negatives::SemiHard { only_valid } => {
                self.semi_hard(&positives, row, is_negative, &mut weights, only_valid)
            }
        };
        let mut sum = 0.0;
        for (d, weight) in row.iter_mut().zip(weights) {
            *d = match self.distance {
                Distance::Euclidean if *d == 0.0 => 0.0,
                Distance::Euclidean => weight / *d,
                Distance::SquaredEuclidean => 2.0 * weight,
                Distance::Cosine | Distance::Manhattan => weight,
            };
            sum += *d;
        }
        Found { sum, ..found }
    }

    #[inline(always)]
    fn all(
        &self,
        positives: &[Place],
        row: &[f64],
        is_negative: impl Fn(usize) -> bool,
        weights: &mut [f64],
    ) -> Found {
        let mut found = Found::default();
        // How many negatives each positive is violated by, as steps at the first such positive.
        let mut steps = vec![0.0; positives.len() + 1];
        for (j, &d) in row.iter().enumerate() {
            if !is_negative(j) {
                continue;
            }
            let key = |p: &Place| p.at + self.margin;
            // Keys within rounding of the negative touch it, but are not active.
            let touching = positives.partition_point(|p| key(p) + slack(key(p)) < d);
            let active = positives.partition_point(|p| key(p) <= d + slack(d));
            let touched = positives.len() - touching;
            steps[touching] += 1.0;
            weights[j] -= touched as f64;
            found.value -= d * touched as f64;
            found.count += (positives.len() - active.max(touching)) as f64;
        }
        let mut negatives = 0.0;
        for (positive, step) in positives.iter().zip(steps) {
            negatives += step;
            weights[positive.j] += negatives;
            found.value += (positive.at + self.margin) * negatives;
        }
        found
    }

    #[inline(always)]
    fn semi_hard(
        &self,
        positives: &[Place],
        row: &[f64],
        is_negative: impl Fn(usize) -> bool,
        weights: &mut [f64],
        only_valid: bool,
    ) -> Found {
        // For each positive but the nearest ones, the closest negative beyond it and before the next.
        let nowhere = Place { at: f64::MAX, j: usize::MAX };
        let mut beyond = vec![nowhere; positives.len() + 1];
        let mut farthest = Place { at: f64::MIN, j: usize::MAX };
        for (j, &d) in row.iter().enumerate().filter(|&(j, _)| is_negative(j)) {
            let passed = positives.partition_point(|p| p.at + slack(p.at) < d);
            if d < beyond[passed].at {
                beyond[passed] = Place { at: d, j };
            }
            if d > farthest.at + slack(farthest.at) {
                farthest = Place { at: d, j };
            }
        }
        let mut found = Found::default();
        let mut closest = nowhere;
        for (rank, positive) in positives.iter().enumerate().rev() {
            if beyond[rank + 1].at < closest.at {
                closest = beyond[rank + 1];
            }
            let negative = if closest.j == nowhere.j { farthest } else { closest };
            let exists = negative.j != nowhere.j;
            if !exists && only_valid {
                continue;
            }
            found.count += 1.0;
            let value = positive.at - if exists { negative.at } else { 0.0 } + self.margin;
            let share = 0.5 + 0.5 * if value == 0.0 { 0.0 } else { value.signum() };
            found.value += share * value;
            weights[positive.j] += share;
            if exists {
                weights[negative.j] -= share;
            }
        }
        found
    }

    /// Adds `Σ_j h_ij (x_i − x_j)` to the gradient of the anchors, and its opposite to that of all
    /// rows.
    fn derive(
        &self,
        range: Range<usize>,
        slopes: FlexTensor,
        found: &[Found],
        gradients: &mut Gradients,
    ) {
        let rows = &self.rows.rows;
        let slopes = Tensor::<2>::from_primitive::<Flex>(slopes);
        gradients.own.extend(found.iter().map(|found| found.sum));
        gradients.others.add_next(slopes.clone().matmul(rows.clone()));
        let columns = slopes.clone().sum_dim(0);
        gradients.columns = Some(match gradients.columns.take() {
            None => columns,
            Some(sum) => sum + columns,
        });
        gradients.others.add(slopes.transpose().matmul(rows.clone().slice([range])));
    }
}

/// Parts of `Σ_j (h_ij + h_ji) (x_i − x_j)`, the gradient by row i.
#[derive(Default)]
struct Gradients {
    /// `Σ_j h_ij`.
    own: Vec<f64>,
    /// `Σ_j h_ji`, `[1, n]`.
    columns: Option<Tensor<2>>,
    /// `Σ_j (h_ij + h_ji) x_j`.
    others: Accumulated,
}

impl Gradients {
    fn of(self, rows: &Tensor<2>) -> Tensor<2> {
        let Self { own, columns, others } = self;
        let own = TensorData::new(own, [rows.dims()[0], 1]);
        let own = Tensor::<2>::from_primitive::<Flex>(FlexTensor::from_data(own));
        let (columns, others) = columns.zip(others.into_gradient()).expect("at least one block");
        rows.clone() * (own + columns.transpose()) - others
    }
}

/// How many times less memory this takes than the plain way: only products, in `f64`.
const LIGHTER: usize = 10;

/// Distances that differ by less are equal but for rounding.
#[inline(always)]
fn slack(d: f64) -> f64 {
    16.0 * f64::EPSILON * d.abs()
}

/// A row at a distance.
#[derive(Debug, Clone, Copy)]
struct Place {
    at: f64,
    j: usize,
}

/// What the triplets of one anchor add up to.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    value: f64,
    count: f64,
    /// Of the derivatives by its distances.
    sum: f64,
}
