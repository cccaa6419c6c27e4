//! Squared distances of a block of anchors from all rows, and the rows chosen by them.

use core::ops::Range;
use std::collections::HashMap;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;
use burn::tensor::Element;

use super::estimate::{Estimates, extremes, within};
use super::paired::inverse_length;
use super::parallel::{Matrix, column_sums, for_rows_with, sum, sum_with};
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
    /// Whether a unit row is shorter than 1, but not 0.
    pub fn has_short_rows(&self) -> bool {
        self.shortfalls.iter().any(|&shortfall| shortfall != 0.0 && shortfall != 0.5)
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

/// Rows as they are, or for the cosine scaled to length 1.
pub(super) struct Rows {
    matrix: Matrix,
    /// What each row is multiplied by.
    factors: Vec<f64>,
    /// See [`Centred`].
    shortfalls: Vec<f64>,
}

impl Rows {
    pub fn new(distance: Distance, x: &Tensor<2>) -> Self {
        let primitive = x.clone().try_into_primitive::<Flex>();
        let matrix = Matrix::new(&primitive.expect("a tensor of Flex without a graph"));
        let mut factors = vec![1.0; matrix.rows];
        if distance != Distance::Cosine {
            return Self { matrix, factors, shortfalls: Vec::new() };
        }
        let mut shortfalls = vec![0.0; matrix.rows];
        let work = matrix.rows * matrix.columns;
        for_rows_with(&mut factors, 1, &mut shortfalls, work, |i, factor, shortfall| {
            let row = matrix.row(i);
            let square = sum(row, row, |x, y| x * y);
            factor[0] = inverse_length(square);
            if square < SHORTEST_UNIT * SHORTEST_UNIT {
                *shortfall = 0.5 - 0.5 * square * factor[0] * factor[0];
            }
        });
        Self { matrix, factors, shortfalls }
    }

    /// Whether there is a unit row that is shorter than 1.
    pub fn has_shortfalls(&self) -> bool {
        self.shortfalls.iter().any(|&shortfall| shortfall != 0.0)
    }

    pub fn mean(&self) -> Vec<f64> {
        let mut mean = column_sums(&self.matrix, &self.factors);
        let share = 1.0 / self.matrix.rows as f64;
        mean.iter_mut().for_each(|mean| *mean *= share);
        mean
    }

    /// The rows less `centre`, `[n, dim]`, in a type, and their squared lengths.
    pub fn less<T: Element + Copy + Send>(
        &self,
        centre: &[f64],
        narrow: impl Fn(f64) -> T + Sync,
    ) -> (Tensor<2>, Vec<f64>) {
        let Matrix { rows, columns, .. } = self.matrix;
        let mut numbers = vec![narrow(0.0); rows * columns];
        let mut lengths = vec![0.0; rows];
        for_rows_with(&mut numbers, columns, &mut lengths, rows * columns, |i, out, length| {
            let (row, factor) = (self.matrix.row(i), self.factors[i]);
            for ((out, &x), centre) in out.iter_mut().zip(row).zip(centre) {
                *out = narrow(f64::from(x) * factor - centre);
            }
            *length = sum_with(row, centre, |x, centre| (f64::from(x) * factor - centre).powi(2));
        });
        let data = TensorData::new(numbers, [rows, columns]);
        (Tensor::from_primitive::<Flex>(FlexTensor::from_data(data)), lengths)
    }

    pub fn centred(&self, centre: &[f64]) -> Centred {
        let (rows, lengths) = self.less(centre, |x| x);
        Centred { rows, lengths, shortfalls: self.shortfalls.clone() }
    }

    /// Adds a multiple of row `i` less row `j`.
    #[inline(always)]
    pub fn add_difference(&self, [i, j]: [usize; 2], factor: f64, out: &mut [f32]) {
        let (a, b) = (factor * self.factors[i], factor * self.factors[j]);
        let [x, y] = [i, j].map(|row| self.matrix.row(row));
        for (out, (&x, &y)) in out.iter_mut().zip(x.iter().zip(y)) {
            *out += (f64::from(x) * a - f64::from(y) * b) as f32;
        }
    }

    /// The squared distance of row `i` from row `j` of others.
    #[inline(always)]
    pub fn square(&self, i: usize, others: &Self, j: usize) -> f64 {
        let (a, b) = (self.factors[i], others.factors[j]);
        sum(self.matrix.row(i), others.matrix.row(j), |x, y| (x * a - y * b) * (x * a - y * b))
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
) -> (Chosen, Chosen) {
    let rows = Rows::new(distance, x);
    let centre = rows.mean();
    let mut found = vec![Hardest::default(); labels.len()];
    match Estimates::of_one(&rows, &centre) {
        Some(estimates) => {
            let classes = classes_of(labels);
            let members = members_of(&classes);
            estimates.find(blocks.coarser(2 * LIGHTER), &mut found, |i, row| {
                let members = &members[classes[i] as usize];
                Hardest::by_estimates(i, row, &classes, members, labels, &estimates)
            });
        }
        None => {
            let rows = rows.centred(&centre);
            rows.find(&rows, blocks, &mut found, |i, row| Hardest::of(i, row, labels));
        }
    }
    let positives = found.iter().map(|found| found.positive);
    let negatives = found.iter().map(|found| Some(found.negative));
    (chosen(positives, &x.device()), chosen(negatives, &x.device()))
}

/// Labels by numbers as wide as an `f32`.
pub(super) fn classes_of(labels: &[i64]) -> Vec<u32> {
    let mut known = HashMap::new();
    let class = |label| {
        let next = known.len() as u32;
        *known.entry(label).or_insert(next)
    };
    labels.iter().map(class).collect()
}

/// The rows of each class.
pub(super) fn members_of(classes: &[u32]) -> Vec<Vec<u32>> {
    let mut members = vec![Vec::new(); classes.iter().max().map_or(0, |&most| most as usize + 1)];
    for (i, &class) in classes.iter().enumerate() {
        members[class as usize].push(i as u32);
    }
    members
}

fn chosen(places: impl Iterator<Item = Option<usize>>, device: &Device) -> Chosen {
    let place = |place: Option<usize>| (place.unwrap_or(0) as i64, place.is_some());
    let (index, exists): (Vec<_>, Vec<_>) = places.map(place).unzip();
    let index = Tensor::from_data(index.as_slice(), device);
    Chosen::new(index, Tensor::from_data(exists.as_slice(), device))
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
        members: &[u32],
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
        let is_open = |&&j: &&u32| j as usize != own && row[j as usize] >= positive - reach;
        let positives: Vec<_> = members.iter().filter(is_open).copied().collect();
        let mut negatives = Vec::new();
        within(row, f32::MIN..=negative + reach, &mut negatives);
        negatives.retain(|&j| classes[j as usize] != class);
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

/// For each anchor i, a row of `x`, the first row j ≠ i of `y` with the smallest distance; of another id
/// where there are ids.
pub(crate) fn closest_other(
    distance: Distance,
    [x, y]: [&Tensor<2>; 2],
    ids: Option<&[i64]>,
    blocks: Blocks,
) -> Chosen {
    let device = x.device();
    let classes: Vec<u32> = match ids {
        Some(ids) => classes_of(ids),
        None => (0..y.dims()[0] as u32).collect(),
    };
    let mut found = vec![None; x.dims()[0]];
    let [x, y] = [x, y].map(|rows| Rows::new(distance, rows));
    let centre = y.mean();
    match Estimates::of_two(&x, &y, &centre) {
        Some(estimates) => {
            estimates.find(blocks.coarser(2 * LIGHTER), &mut found, |i, row| {
                let [_, least, _] = extremes(row, &classes, classes[i]);
                let reach = least + 2.0 * estimates.bound(i);
                let mut others = Vec::new();
                within(row, f32::MIN..=reach, &mut others);
                others.retain(|&j| classes[j as usize] != classes[i]);
                estimates.first(i, 1.0, &others)
            });
        }
        None => {
            let [x, y] = [x, y].map(|rows| rows.centred(&centre));
            x.find(&y, blocks, &mut found, |i, row| {
                let others = || {
                    let all = row.iter().copied().zip(&classes).enumerate();
                    all.filter(|&(_, (_, &class))| class != classes[i]).map(|(j, (d, _))| (j, d))
                };
                let least = others().map(|(_, d)| d).reduce(|a, b| if b < a { b } else { a })?;
                let reach = least + slack(least);
                others().find(|&(_, d)| d <= reach).map(|(j, _)| j)
            });
        }
    }
    chosen(found.drain(blocks.all()), &device)
}
