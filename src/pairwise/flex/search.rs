//! Squared distances of a block of anchors from all rows, and the rows chosen by them.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;

use super::paired::inverse_length;
use super::parallel::{Matrix, for_rows_with, sum};
use crate::pairwise::Distance;
use crate::pairwise::blocks::Blocks;
use crate::pairwise::mining::Chosen;
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

    /// Products of some rows with all candidates, `[rows, n]`.
    pub fn products(&self, candidates: &Self, range: &core::ops::Range<usize>) -> FlexTensor {
        let rows = self.rows.clone().slice([range.clone()]);
        let products = rows.matmul(candidates.rows.clone().transpose());
        products.try_into_primitive::<Flex>().expect("a tensor of Flex without a graph")
    }

    /// Turns the products of row `i` with all candidates into what orders their distances: squares,
    /// or cosine distances.
    #[inline(always)]
    pub fn squares(&self, candidates: &Self, i: usize, row: &mut [f64]) {
        let length = self.lengths[i];
        for (product, &other) in row.iter_mut().zip(&candidates.lengths) {
            let sum = length + other;
            let square = sum - 2.0 * *product;
            // What the product cannot tell from 0 is 0.
            *product = if square <= sum * NOISE { 0.0 } else { square };
        }
        if let Some(shortfall) = self.shortfalls.get(i) {
            for (square, other) in row.iter_mut().zip(&candidates.shortfalls) {
                *square = 0.5 * *square + shortfall + other;
            }
        }
    }
}

/// How many times less memory a search takes than the plain one: only products, in `f64`.
const LIGHTER: usize = 4;

/// Rounding of the product, relative to the lengths.
const NOISE: f64 = 8.0 * f64::EPSILON;

/// By how much values may differ that come from sums in another order, relative to the larger.
const SLACK: f64 = 16.0 * f64::EPSILON;

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
    for range in blocks.coarser(LIGHTER).ranges() {
        let mut products = rows.products(&rows, &range);
        let numbers = products.storage_mut::<f64>();
        let work = numbers.len();
        let found = &mut found[range.clone()];
        for_rows_with(numbers, labels.len(), found, work, |offset, row, found| {
            let i = range.start + offset;
            rows.squares(&rows, i, row);
            *found = Hardest::of(i, row, labels);
        });
    }
    let exists = found.iter().map(|found| found.positive.is_some());
    let positive = found.iter().map(|found| found.positive.unwrap_or(0));
    let device = x.device();
    let exists = Tensor::from_data(exists.collect::<Vec<_>>().as_slice(), &device);
    let chosen = Chosen::new(indices(positive, &device), exists);
    (chosen, indices(found.iter().map(|found| found.negative), &device))
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
        let reach = positive - positive.abs() * SLACK;
        let positive = match positive > f64::MIN {
            true => first(&|j, d, same| same && j != own && d >= reach),
            false => None,
        };
        // Rows of the anchor's class are as far away as they are, and the farthest row beyond.
        let closest = negative.min(nearest_of_class + farthest);
        let closest = closest + closest.abs() * SLACK;
        let chosen = first(&|_, d, same| if same { d + farthest <= closest } else { d <= closest });
        let negative = match chosen {
            Some(chosen) if labels[chosen] != label => chosen,
            _ => {
                let reach = farthest - farthest.abs() * SLACK;
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
    for range in blocks.coarser(LIGHTER).ranges() {
        let mut products = x.products(&y, &range);
        let numbers = products.storage_mut::<f64>();
        let (work, found) = (numbers.len(), &mut found[range.clone()]);
        for_rows_with(numbers, n, found, work, |offset, row, found| {
            let i = range.start + offset;
            x.squares(&y, i, row);
            row[i] = f64::MAX;
            let least = row.iter().fold(f64::MAX, |least, &d| if d < least { d } else { least });
            let reach = least + least.abs() * SLACK;
            *found = row.iter().position(|&d| d <= reach).unwrap_or(0);
        });
    }
    let device = y.rows.device();
    let exists = Tensor::from_data(vec![n > 1; n].as_slice(), &device);
    Chosen::new(indices(found.into_iter(), &device), exists)
}
