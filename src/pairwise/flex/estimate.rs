//! Squared distances in single precision with a bound of their error: most rows can be ruled out by
//! them, and what is left is computed in `f64`.

use core::ops::Range;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;
use burn::tensor::DType;

use super::parallel::{LANES, for_rows_with, sum};
use super::search::{Centred, slack, square_of};
use crate::pairwise::blocks::Blocks;

/// Rows of both sides of a comparison, in both precisions.
pub(super) struct Estimates<'a> {
    rows: Side<'a>,
    candidates: Side<'a>,
    /// Rounding of an estimate, relative to the sum of the two squared lengths.
    rounding: f64,
    /// The largest squared length of a candidate.
    longest: f64,
}

struct Side<'a> {
    lengths: &'a [f64],
    wide: FlexTensor,
    narrow: Tensor<2>,
}

impl<'a> Side<'a> {
    fn new(rows: &'a Centred) -> Self {
        let wide = rows.rows.clone().try_into_primitive::<Flex>();
        Self {
            lengths: &rows.lengths,
            wide: wide.expect("a tensor of Flex without a graph").to_contiguous(),
            narrow: rows.rows.clone().cast(DType::F32),
        }
    }

    #[inline(always)]
    fn row(&self, i: usize, dim: usize) -> &[f64] {
        &self.wide.as_slice::<f64>().expect("contiguous rows of f64")[i * dim..(i + 1) * dim]
    }
}

/// Squared lengths beyond these may not fit `f32` products.
const FITS: (f64, f64) = (1e-20, 1e30);

impl<'a> Estimates<'a> {
    /// `None` where single precision does not do.
    pub fn new(rows: &'a Centred, candidates: &'a Centred) -> Option<Self> {
        let longest = candidates.lengths.iter().copied().fold(0.0, f64::max);
        let largest = rows.lengths.iter().copied().fold(longest, f64::max);
        let fits = longest > FITS.0 && largest < FITS.1;
        if !fits || rows.has_shortfalls() || candidates.has_shortfalls() {
            return None;
        }
        let [_, dim] = rows.rows.dims();
        // Of a sum of `dim` products, of its terms, and of what is added to it.
        let rounding = (dim + 16) as f64 * f64::from(f32::EPSILON);
        let (rows, candidates) = (Side::new(rows), Side::new(candidates));
        Some(Self { rows, candidates, rounding, longest })
    }

    /// Products of some rows with all candidates, in `f32`.
    fn products(&self, range: &Range<usize>) -> FlexTensor {
        let rows = self.rows.narrow.clone().slice([range.clone()]);
        let products = rows.matmul(self.candidates.narrow.clone().transpose());
        products.try_into_primitive::<Flex>().expect("a tensor of Flex without a graph")
    }

    /// By how much an estimate of row `i` may be off.
    #[inline(always)]
    pub fn bound(&self, i: usize) -> f32 {
        (self.rounding * (self.rows.lengths[i] + self.longest)) as f32
    }

    /// What `f` finds in the estimates of each row's squared distances, a block of rows at a time.
    pub fn find<U: Send>(
        &self,
        blocks: Blocks,
        found: &mut [U],
        f: impl Fn(usize, &mut [f32]) -> U + Sync,
    ) {
        let lengths: Vec<_> = self.candidates.lengths.iter().map(|&length| length as f32).collect();
        for range in blocks.ranges() {
            let mut products = self.products(&range);
            let (numbers, found) = (products.storage_mut::<f32>(), &mut found[range.clone()]);
            let work = numbers.len();
            for_rows_with(numbers, lengths.len(), found, work, |offset, row, found| {
                let i = range.start + offset;
                let length = self.rows.lengths[i] as f32;
                for (product, other) in row.iter_mut().zip(&lengths) {
                    *product = length + other - 2.0 * *product;
                }
                *found = f(i, row);
            });
        }
    }

    /// The squared distance of row `i` from candidate `j`, in `f64`.
    #[inline(always)]
    pub fn exact(&self, i: usize, j: usize) -> f64 {
        let [_, dim] = self.rows.narrow.dims();
        let (x, y) = (self.rows.row(i, dim), self.candidates.row(j, dim));
        let lengths = self.rows.lengths[i] + self.candidates.lengths[j];
        square_of(lengths, sum(x, y, |x, y| x * y))
    }

    /// The first of the candidates whose squared distance from row `i` is the smallest, or, with
    /// `sign` −1, the largest; `places` are those that an estimate has not ruled out.
    #[inline(always)]
    pub fn first(&self, i: usize, sign: f64, places: &[usize]) -> Option<usize> {
        if let [only] = places {
            return Some(*only);
        }
        let exact: Vec<_> = places.iter().map(|&j| sign * self.exact(i, j)).collect();
        let least = exact.iter().copied().reduce(f64::min)?;
        let reach = least + slack(least);
        exact.iter().position(|&d| d <= reach).map(|place| places[place])
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
