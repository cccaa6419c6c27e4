//! Squared distances of a block of anchors from all rows, and the rows chosen by them.

use core::ops::Range;
use std::collections::HashMap;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;

use super::estimate::{Estimates, extremes};
use super::paired::inverse_length;
use super::parallel::{Matrix, for_rows_with, sum};
use crate::pairwise::Distance;
use crate::pairwise::blocks::Blocks;
use crate::pairwise::distance::PRODUCT_NOISE;
use crate::pairwise::mining::{Chosen, PRODUCT_SLACK};
use crate::pairwise::norm::SHORTEST_UNIT;

/// Rows that are compared by one product of centred rows in `f64`.
pub(super) struct Centred {
    /// `[n, dim]`.
    pub rows: Tensor<2>,
    /// Squared lengths.
    pub lengths: Vec<f64>,
    /// `½ (1 − ‖row‖²)` of unit rows; empty for rows as they are.
    shortfalls: Vec<f64>,
}

impl Centred {
    /// Rows and candidates, centred on the mean of the candidates; for the cosine their unit rows.
    pub fn both(distance: Distance, x: &Tensor<2>, y: &Tensor<2>) -> [Self; 2] {
        let candidates = Wide::new(distance, y);
        let centre = candidates.mean();
        [Wide::new(distance, x).centred(&centre), candidates.centred(&centre)]
    }

    /// Rows that are also the candidates.
    pub fn new(distance: Distance, x: &Tensor<2>) -> Self {
        let rows = Wide::new(distance, x);
        let centre = rows.mean();
        rows.centred(&centre)
    }

    /// Whether a unit row is shorter than 1, but not 0.
    pub fn has_short_rows(&self) -> bool {
        self.shortfalls.iter().any(|&shortfall| shortfall != 0.0 && shortfall != 0.5)
    }

    /// Whether there is a unit row that is shorter than 1.
    pub fn has_shortfalls(&self) -> bool {
        self.shortfalls.iter().any(|&shortfall| shortfall != 0.0)
    }

    /// Products of some rows with all candidates, `[rows, n]`.
    pub fn products(&self, candidates: &Self, range: &Range<usize>) -> FlexTensor {
        let rows = self.rows.clone().slice([range.clone()]);
        let products = rows.matmul(candidates.rows.clone().transpose());
        products.try_into_primitive::<Flex>().expect("a tensor of Flex without a graph")
    }

    /// What `f` finds in the [`squares`](Self::squares) of each row, a block of rows at a time.
    fn find<U: Send>(
        &self,
        candidates: &Self,
        blocks: Blocks,
        found: &mut [U],
        f: impl Fn(usize, &mut [f64]) -> U + Sync,
    ) {
        for range in blocks.coarser(LIGHTER).ranges() {
            let mut products = self.products(candidates, &range);
            let (numbers, found) = (products.storage_mut::<f64>(), &mut found[range.clone()]);
            let (work, n) = (numbers.len(), candidates.lengths.len());
            for_rows_with(numbers, n, found, work, |offset, row, found| {
                let i = range.start + offset;
                self.squares(candidates, i, row);
                *found = f(i, row);
            });
        }
    }

    /// Turns the products of row `i` with all candidates into what orders their distances: squares,
    /// or cosine distances.
    #[inline(always)]
    pub fn squares(&self, candidates: &Self, i: usize, row: &mut [f64]) {
        let length = self.lengths[i];
        for (product, &other) in row.iter_mut().zip(&candidates.lengths) {
            *product = square_of(length + other, *product);
        }
        if let Some(shortfall) = self.shortfalls.get(i) {
            for (square, other) in row.iter_mut().zip(&candidates.shortfalls) {
                *square = 0.5 * *square + shortfall + other;
            }
        }
    }
}

/// The squared distance of two rows by the sum of their squared lengths and their product; what the
/// product cannot tell from 0 is 0.
#[inline(always)]
pub(super) fn square_of(lengths: f64, product: f64) -> f64 {
    let square = lengths - 2.0 * product;
    if square <= lengths * NOISE { 0.0 } else { square }
}

/// How many times less memory a search takes than the plain one: only products, in `f64`.
const LIGHTER: usize = 4;

/// Rounding of the product, relative to the lengths.
const NOISE: f64 = PRODUCT_NOISE * f64::EPSILON;

/// By how much values may differ that are equal but for rounding.
#[inline(always)]
pub(super) fn slack(value: f64) -> f64 {
    PRODUCT_SLACK * f64::EPSILON * value.abs()
}

/// Rows in `f64`, not yet centred.
struct Wide {
    numbers: Vec<f64>,
    columns: usize,
    shortfalls: Vec<f64>,
}

impl Wide {
    fn new(distance: Distance, x: &Tensor<2>) -> Self {
        let primitive = x.clone().try_into_primitive::<Flex>();
        let x = Matrix::new(&primitive.expect("a tensor of Flex without a graph"));
        let mut numbers = vec![0f64; x.rows * x.columns];
        let mut shortfalls = vec![0f64; x.rows];
        let unit = distance == Distance::Cosine;
        let work = numbers.len();
        for_rows_with(&mut numbers, x.columns, &mut shortfalls, work, |i, out, shortfall| {
            let row = x.row(i);
            let mut factor = 1.0;
            if unit {
                let square = sum(row, row, |x, y| x * y);
                factor = inverse_length(square);
                if square < SHORTEST_UNIT * SHORTEST_UNIT {
                    *shortfall = 0.5 - 0.5 * square * factor * factor;
                }
            }
            out.iter_mut().zip(row).for_each(|(out, &x)| *out = f64::from(x) * factor);
        });
        let shortfalls = if unit { shortfalls } else { Vec::new() };
        Self { numbers, columns: x.columns, shortfalls }
    }

    fn mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.columns];
        for row in self.numbers.chunks(self.columns) {
            mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x);
        }
        let share = self.columns as f64 / self.numbers.len() as f64;
        mean.iter_mut().for_each(|mean| *mean *= share);
        mean
    }

    fn centred(mut self, centre: &[f64]) -> Centred {
        let (count, columns) = (self.numbers.len(), self.columns);
        let mut lengths = vec![0f64; count / columns];
        for_rows_with(&mut self.numbers, columns, &mut lengths, count, |_, row, length| {
            row.iter_mut().zip(centre).for_each(|(x, c)| *x -= c);
            *length = row.iter().map(|x| x * x).sum();
        });
        let data = TensorData::new(self.numbers, [count / columns, columns]);
        let rows = Tensor::from_primitive::<Flex>(FlexTensor::from_data(data));
        Centred { rows, lengths, shortfalls: self.shortfalls }
    }
}

/// For every row the farthest of its class and the negative that sentence-transformers trains on:
/// the closest, but the farthest row where another of its class is found closest by what Python adds
/// to those.
pub(crate) fn hardest(
    distance: Distance,
    x: &Tensor<2>,
    labels: &[i64],
    blocks: Blocks,
) -> (Chosen, Tensor<1, Int>) {
    let rows = Centred::new(distance, x);
    let mut found = vec![Hardest::default(); labels.len()];
    match Estimates::new(&rows, &rows) {
        Some(estimates) => {
            let classes = classes_of(labels);
            estimates.find(blocks.coarser(2 * LIGHTER), &mut found, |i, row| {
                Hardest::by_estimates(i, row, &classes, labels, &estimates)
            });
        }
        None => rows.find(&rows, blocks, &mut found, |i, row| Hardest::of(i, row, labels)),
    }
    let exists = found.iter().map(|found| found.positive.is_some());
    let positive = found.iter().map(|found| found.positive.unwrap_or(0));
    let device = x.device();
    let exists = Tensor::from_data(exists.collect::<Vec<_>>().as_slice(), &device);
    let chosen = Chosen::new(indices(positive, &device), exists);
    (chosen, indices(found.iter().map(|found| found.negative), &device))
}

/// Labels by numbers as wide as an `f32`.
fn classes_of(labels: &[i64]) -> Vec<u32> {
    let mut known = HashMap::new();
    let class = |label| {
        let next = known.len() as u32;
        *known.entry(label).or_insert(next)
    };
    labels.iter().map(class).collect()
}

fn indices(places: impl Iterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let places: Vec<_> = places.map(|place| place as i64).collect();
    Tensor::from_data(places.as_slice(), device)
}

#[derive(Clone, Copy, Default)]
struct Hardest {
    positive: Option<usize>,
    negative: usize,
}

impl Hardest {
    #[inline(always)]
    fn by_estimates(
        own: usize,
        row: &mut [f32],
        classes: &[u32],
        labels: &[i64],
        estimates: &Estimates,
    ) -> Self {
        // Not its own positive, nor the farthest row, nor a negative: the row itself.
        row[own] = f32::MIN;
        let class = classes[own];
        let [positive, negative, farthest] = extremes(row, classes, class);
        // Two estimates may each be off by the bound.
        let reach = 2.0 * estimates.bound(own);
        if negative + reach >= farthest - reach {
            // The closest negative may be as far away as any row, where sentence-transformers
            // takes another.
            let exact: Vec<_> = (0..row.len()).map(|j| estimates.exact(own, j)).collect();
            return Self::of(own, &exact, labels);
        }
        let places = |holds: &dyn Fn(f32, bool) -> bool| -> Vec<usize> {
            let all = row.iter().zip(classes).enumerate();
            let held = all.filter(|&(_, (&d, &other))| holds(d, other == class));
            held.map(|(j, _)| j).filter(|&j| j != own).collect()
        };
        let positives = places(&|d, same| same && d >= positive - reach);
        let negatives = places(&|d, same| !same && d <= negative + reach);
        let negative = estimates.first(own, 1.0, &negatives);
        Self {
            positive: estimates.first(own, -1.0, &positives),
            negative: negative.expect("a closest negative was found"),
        }
    }

    #[inline(always)]
    fn of(own: usize, row: &[f64], labels: &[i64]) -> Self {
        let label = labels[own];
        let (mut farthest, mut positive, mut negative) = (f64::MIN, f64::MIN, f64::MAX);
        let mut nearest_of_class = f64::MAX;
        for (j, (&d, &other)) in row.iter().zip(labels).enumerate() {
            let same = other == label;
            let is_positive = same && j != own;
            farthest = if d > farthest { d } else { farthest };
            positive = if is_positive && d > positive { d } else { positive };
            negative = if !same && d < negative { d } else { negative };
            nearest_of_class = if same && d < nearest_of_class { d } else { nearest_of_class };
        }
        let first = |holds: &dyn Fn(usize, f64, bool) -> bool| {
            let mut places = row.iter().zip(labels).enumerate();
            places.find(|&(j, (&d, &other))| holds(j, d, other == label)).map(|(j, _)| j)
        };
        let reach = positive - slack(positive);
        let positive = match positive > f64::MIN {
            true => first(&|j, d, same| same && j != own && d >= reach),
            false => None,
        };
        // Rows of the anchor's class are as far away as they are, and the farthest row beyond.
        let closest = negative.min(nearest_of_class + farthest);
        let closest = closest + slack(closest);
        let chosen = first(&|_, d, same| if same { d + farthest <= closest } else { d <= closest });
        let negative = match chosen {
            Some(chosen) if labels[chosen] != label => chosen,
            _ => {
                let reach = farthest - slack(farthest);
                first(&|_, d, _| d >= reach).unwrap_or(own)
            }
        };
        Self { positive, negative }
    }
}

/// For row i of `x`, the first row j ≠ i of `y` with the smallest distance.
pub(crate) fn closest_other(
    distance: Distance,
    x: &Tensor<2>,
    y: &Tensor<2>,
    blocks: Blocks,
) -> Chosen {
    let [x, y] = Centred::both(distance, x, y);
    let n = y.lengths.len();
    let mut found = vec![0; n];
    match Estimates::new(&x, &y) {
        Some(estimates) => {
            // All but the row itself are others.
            let others = vec![0; n];
            estimates.find(blocks.coarser(2 * LIGHTER), &mut found, |i, row| {
                row[i] = f32::MAX;
                let [_, least, _] = extremes(row, &others, 1);
                let reach = least + 2.0 * estimates.bound(i);
                let all = row.iter().enumerate();
                let places = all.filter(|&(j, &d)| j != i && d <= reach).map(|(j, _)| j);
                estimates.first(i, 1.0, &places.collect::<Vec<_>>()).unwrap_or(0)
            });
        }
        None => x.find(&y, blocks, &mut found, |i, row| {
            row[i] = f64::MAX;
            let least = row.iter().fold(f64::MAX, |least, &d| if d < least { d } else { least });
            row.iter().position(|&d| d <= least + slack(least)).unwrap_or(0)
        }),
    }
    let device = y.rows.device();
    let exists = Tensor::from_data(vec![n > 1; n].as_slice(), &device);
    Chosen::new(indices(found.into_iter(), &device), exists)
}
