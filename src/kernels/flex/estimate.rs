//! Squared distances in single precision with a bound on their error. Most rows can be ruled out by
//! them; the others are computed in `f64`.

use core::ops::{Range, RangeInclusive};
use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;

use super::parallel::{LANES, for_rows_with};
use super::rows::{Rows, slack};
use crate::budget::Blocks;

/// Rows of both sides of a comparison, as they are and centred in `f32`.
pub(super) struct Estimates<'a> {
    rows: &'a Rows,
    candidates: &'a Rows,
    /// The rows centred, `[n, dim]`, and their squared lengths.
    narrow: Side,
    narrow_candidates: Side,
    /// Rounding of an estimate, relative to the sum of the two squared lengths.
    rounding: f64,
    /// The largest squared length of a candidate.
    longest: f64,
}

#[derive(Clone)]
struct Side {
    rows: Tensor<2>,
    lengths: Arc<[f64]>,
}

impl Side {
    fn new(rows: &Rows, centre: &[f64]) -> Self {
        let (rows, lengths) = rows.less(centre, |x| x as f32);
        Self { rows, lengths: lengths.into() }
    }

    fn longest(&self) -> f64 {
        self.lengths.iter().copied().fold(0.0, f64::max)
    }
}

/// Squared lengths beyond these may not fit `f32` products.
const FITS: (f64, f64) = (1e-20, 1e30);

impl<'a> Estimates<'a> {
    /// For rows that are also the candidates; `None` if single precision is not enough.
    pub fn of_one(rows: &'a Rows, centre: &[f64]) -> Option<Self> {
        let side = (!rows.has_shortfalls()).then(|| Side::new(rows, centre))?;
        Self::new([rows, rows], [side.clone(), side])
    }

    /// For rows and their candidates.
    pub fn of_two(rows: &'a Rows, candidates: &'a Rows, centre: &[f64]) -> Option<Self> {
        let both = [rows, candidates];
        let unusual = both.iter().any(|rows| rows.has_shortfalls());
        let sides = (!unusual).then(|| both.map(|rows| Side::new(rows, centre)))?;
        Self::new(both, sides)
    }

    fn new(
        [rows, candidates]: [&'a Rows; 2],
        [narrow, narrow_candidates]: [Side; 2],
    ) -> Option<Self> {
        let longest = narrow_candidates.longest();
        let fits = longest > FITS.0 && narrow.longest().max(longest) < FITS.1;
        let [_, dim] = narrow.rows.dims();
        // Of a sum of `dim` products, of its terms, and of what is added to it.
        let rounding = (dim + 16) as f64 * f64::from(f32::EPSILON);
        fits.then_some(Self { rows, candidates, narrow, narrow_candidates, rounding, longest })
    }

    /// Products of some rows with all candidates, in `f32`.
    fn products(&self, range: &Range<usize>) -> FlexTensor {
        let rows = self.narrow.rows.clone().slice([range.clone()]);
        let products = rows.matmul(self.narrow_candidates.rows.clone().transpose());
        products.try_into_primitive::<Flex>().expect("a tensor of Flex without a graph")
    }

    /// The largest error of an estimate of row `i`.
    #[inline(always)]
    pub fn bound(&self, i: usize) -> f32 {
        (self.rounding * (self.narrow.lengths[i] + self.longest)) as f32
    }

    /// Stores the result of `f` on the estimated squared distances of each row, a block of rows at a
    /// time.
    pub fn find<U: Send>(
        &self,
        blocks: Blocks,
        found: &mut [U],
        f: impl Fn(usize, &mut [f32]) -> U + Sync,
    ) {
        for range in blocks.ranges() {
            self.block(&range, &mut found[range.clone()], &f);
        }
    }

    /// Stores the result of `f` on the estimates of some rows, and returns the estimates as `f` left
    /// them.
    pub fn block<U: Send>(
        &self,
        range: &Range<usize>,
        found: &mut [U],
        f: impl Fn(usize, &mut [f32]) -> U + Sync,
    ) -> FlexTensor {
        let lengths: Vec<_> = self.narrow_candidates.lengths.iter().map(|&x| x as f32).collect();
        let mut products = self.products(range);
        let numbers = products.storage_mut::<f32>();
        let work = numbers.len();
        for_rows_with(numbers, lengths.len(), found, work, |offset, row, found| {
            let i = range.start + offset;
            let length = self.narrow.lengths[i] as f32;
            for (product, other) in row.iter_mut().zip(&lengths) {
                *product = length + other - 2.0 * *product;
            }
            *found = f(i, row);
        });
        products
    }

    /// The rows centred in `f32`, `[n, dim]`.
    pub fn centred(&self) -> &Tensor<2> {
        &self.narrow.rows
    }

    /// The largest sum of the squared lengths of row `i` and a candidate.
    #[inline(always)]
    pub fn largest_lengths(&self, i: usize) -> f32 {
        (self.narrow.lengths[i] + self.longest) as f32
    }

    /// The rows as they are compared.
    pub fn rows(&self) -> &Rows {
        self.rows
    }

    /// The squared distance of row `i` from candidate `j`, in `f64`.
    #[inline(always)]
    pub fn exact(&self, i: usize, j: usize) -> f64 {
        self.rows.square(i, self.candidates, j)
    }

    /// The first of the candidates whose squared distance from row `i` is the smallest, or, with
    /// `sign` −1, the largest; `places` are those that an estimate has not ruled out.
    #[inline(always)]
    pub fn first(&self, i: usize, sign: f64, places: &[u32]) -> Option<usize> {
        if let [only] = places {
            return Some(*only as usize);
        }
        let exact: Vec<_> = places.iter().map(|&j| sign * self.exact(i, j as usize)).collect();
        let least = exact.iter().copied().reduce(f64::min)?;
        let reach = least + slack(least);
        exact.iter().position(|&d| d <= reach).map(|place| places[place] as usize)
    }
}

/// Replaces the squared distance of a row that was taken out: farther away than any.
pub(super) const OUT: f32 = f32::MAX;

/// Adds the places of values in a range.
#[inline(always)]
pub(super) fn within(row: &[f32], range: RangeInclusive<f32>, places: &mut Vec<u32>) {
    let (&low, &high) = (range.start(), range.end());
    let holds = |s: f32| (s >= low) & (s <= high) & (s < OUT);
    for (chunk, values) in row.chunks(LANES).enumerate() {
        // Most chunks have none: they are passed over as a whole.
        if values.iter().fold(false, |any, &s| any | holds(s)) {
            let held = values.iter().enumerate().filter(|&(_, &s)| holds(s));
            places.extend(held.map(|(lane, _)| (chunk * LANES + lane) as u32));
        }
    }
}

/// The largest of the values where `classes` is `own`, the smallest where it is not, and the largest
/// of all.
#[inline(always)]
pub(super) fn extremes(values: &[f32], classes: &[u32], own: u32) -> [f32; 3] {
    let mut farthest_of_class = [f32::MIN; LANES];
    let mut nearest_of_others = [f32::MAX; LANES];
    let mut farthest = [f32::MIN; LANES];
    let mut look = |lane: usize, d: f32, class: u32| {
        let same = class == own;
        let (positive, negative) = if same { (d, f32::MAX) } else { (f32::MIN, d) };
        let keep = |kept: &mut f32, other: f32, better: bool| {
            *kept = if better { other } else { *kept };
        };
        let better = positive > farthest_of_class[lane];
        keep(&mut farthest_of_class[lane], positive, better);
        let better = negative < nearest_of_others[lane];
        keep(&mut nearest_of_others[lane], negative, better);
        let better = d > farthest[lane];
        keep(&mut farthest[lane], d, better);
    };
    let (wide, rest) = values.as_chunks::<LANES>();
    let (wide_classes, rest_classes) = classes.as_chunks::<LANES>();
    for (values, classes) in wide.iter().zip(wide_classes) {
        for lane in 0..LANES {
            look(lane, values[lane], classes[lane]);
        }
    }
    for (lane, (&d, &class)) in rest.iter().zip(rest_classes).enumerate() {
        look(lane, d, class);
    }
    [
        farthest_of_class.into_iter().fold(f32::MIN, f32::max),
        nearest_of_others.into_iter().fold(f32::MAX, f32::min),
        farthest.into_iter().fold(f32::MIN, f32::max),
    ]
}
