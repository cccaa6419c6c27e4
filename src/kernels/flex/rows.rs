//! Rows prepared for comparison with all others: scaled for the cosine, centred for products in `f64`.

use core::ops::Range;
use std::collections::HashMap;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;
use burn::tensor::Element;

use super::ProductDistance;
use super::parallel::{Matrix, View, column_sums, for_rows_with, sum, sum_with};
use super::row_comparison::inverse_length;
use crate::budget::Blocks;
use crate::numeric::{PRODUCT_NOISE, PRODUCT_SLACK, SHORTEST_UNIT};

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

    /// Stores the result of `f` on the [`squares`](Self::squares) of each row, a block of rows at a time.
    pub fn find<U: Send>(
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

    /// Turns the products of row `i` with all candidates into squared distances or, for unit rows,
    /// cosine distances.
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

/// The factor by which a search takes less memory than the plain form: only products, in `f64`.
pub(super) const LIGHTER: usize = 4;

/// Rounding of the product, relative to the lengths.
const NOISE: f64 = PRODUCT_NOISE * f64::EPSILON;

/// The largest difference of two values that are equal except for rounding.
#[inline(always)]
pub(super) fn slack(value: f64) -> f64 {
    PRODUCT_SLACK * f64::EPSILON * value.abs()
}

/// Derivative of the hinge `max(0, t)` of a semi-hard triplet: 0 below 0, ½ at 0 and 1 above.
#[inline(always)]
pub(super) fn half_open_step(t: f64) -> f64 {
    if t == 0.0 { 0.5 } else { f64::from(u8::from(t > 0.0)) }
}

/// Rows as they were given or, for the cosine, scaled to length 1.
pub(super) struct Rows {
    matrix: Matrix,
    /// The factor of each row.
    factors: Vec<f64>,
    /// See [`Centred`].
    shortfalls: Vec<f64>,
}

impl Rows {
    pub fn new(distance: ProductDistance, x: &Tensor<2>) -> Self {
        let primitive = x.clone().try_into_primitive::<Flex>();
        let matrix = Matrix::new(&primitive.expect("a tensor of Flex without a graph"));
        let mut factors = vec![1.0; matrix.rows];
        if distance != ProductDistance::Cosine {
            return Self { matrix, factors, shortfalls: Vec::new() };
        }
        let mut shortfalls = vec![0.0; matrix.rows];
        let (work, rows) = (matrix.rows * matrix.columns, matrix.view());
        for_rows_with(&mut factors, 1, &mut shortfalls, work, |i, factor, shortfall| {
            let row = rows.row(i);
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
        let view = self.matrix.view();
        let View { rows, columns, .. } = view;
        let mut numbers = vec![narrow(0.0); rows * columns];
        let mut lengths = vec![0.0; rows];
        for_rows_with(&mut numbers, columns, &mut lengths, rows * columns, |i, out, length| {
            let (row, factor) = (view.row(i), self.factors[i]);
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

/// Labels as consecutive numbers, as wide as an `f32`.
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
