//! One anchor with few positives, by squared distances in single precision.
//!
//! Positives are compared in `f64`, by difference. Negatives are estimated; those that an estimate
//! leaves open, and those so close that a product would spoil their slope, are compared in `f64` too.

use core::sync::atomic::{AtomicBool, Ordering};

use super::estimate::{Estimates, OUT, within};
use super::parallel::LANES;
use super::search::slack;
use crate::pairwise::Distance;
use crate::pairwise::mining::Negatives;

/// Squared distances below this share of the squared lengths are computed by difference.
const NEAR: f32 = 1.0 / 16.0;

/// What all anchors share.
pub(super) struct Few<'a> {
    pub estimates: Estimates<'a>,
    pub classes: Vec<u32>,
    /// The rows of each class.
    pub members: Vec<Vec<u32>>,
    pub distance: Distance,
    pub margin: f64,
    pub negatives: Negatives,
    /// Set where estimates leave so much open that `f64` throughout is faster.
    pub gave_up: AtomicBool,
}

/// What the triplets of one anchor add up to.
#[derive(Debug, Clone, Default)]
pub(super) struct Anchor {
    pub value: f64,
    pub count: f64,
    /// The sum of the derivatives that are left in the row.
    pub sum: f64,
    /// Derivatives by half of the squared distances of rows that are derived by difference.
    pub close: Vec<(u32, f64)>,
}

/// A positive, and the squared distances around which its violation ends.
struct Positive {
    j: u32,
    at: f64,
    /// Below this, surely violated; above the other, surely not.
    low: f32,
    high: f32,
    /// Whether it touches some of the negatives.
    open: bool,
    touched: f64,
}

impl Few<'_> {
    /// Replaces the estimated squares of row `i` by the derivatives by half of them, 0 for what is
    /// derived by difference.
    #[inline(always)]
    pub fn weigh(&self, i: usize, row: &mut [f32]) -> Anchor {
        if self.gave_up.load(Ordering::Relaxed) {
            return Anchor::default();
        }
        let class = self.classes[i];
        let (mut nearest, mut farthest) = (OUT, 0.0f32);
        for (s, &other) in row.iter_mut().zip(&self.classes) {
            let out = other == class;
            let square = if *s > 0.0 { *s } else { 0.0 };
            farthest = if !out && square > farthest { square } else { farthest };
            *s = if out { OUT } else { square };
            nearest = if *s < nearest { *s } else { nearest };
        }
        let ends = if nearest < OUT { Some([nearest, farthest]) } else { None };
        match self.negatives {
            Negatives::All => self.all(i, row, ends),
            Negatives::SemiHard { only_valid } => {
                let anchor = self.semi_hard(i, row, ends, only_valid);
                row.fill(0.0);
                anchor
            }
        }
    }

    /// Every positive with every negative.
    #[inline(always)]
    fn all(&self, i: usize, row: &mut [f32], ends: Option<[f32; 2]>) -> Anchor {
        let mut anchor = Anchor::default();
        let mut positives = self.positives(i, self.margin);
        let Some([nearest, farthest]) = ends.filter(|_| !positives.is_empty()) else {
            row.fill(0.0);
            return anchor;
        };
        let mut open = Vec::new();
        let reach = NEAR * self.estimates.largest_lengths(i);
        if nearest < reach {
            within(row, 0.0..=reach, &mut open);
        }
        let close = open.len();
        let mut counts = vec![0.0f32; row.len()];
        let always = positives.iter().filter(|p| p.low > farthest).count() as f32;
        for p in positives.iter_mut().filter(|p| p.low <= farthest && p.high >= nearest) {
            p.open = true;
            p.touched = count_below(row, &mut counts, p.low);
            within(row, p.low..=p.high, &mut open);
        }
        let unsure = open.split_off(close);
        let again = self.look_again(i, row, &mut positives, [&open, &unsure], &mut anchor);

        let left = row.iter().filter(|&&s| s < OUT).count() as f64;
        for p in &mut positives {
            if p.low > farthest {
                p.touched += left;
            }
        }
        let found = match self.distance {
            Distance::Euclidean => derive(row, &counts, always, |s| {
                let d = s.sqrt();
                (d, 1.0 / d)
            }),
            Distance::SquaredEuclidean => derive(row, &counts, always, |s| (s, 2.0)),
            Distance::Cosine | Distance::Manhattan => {
                derive(row, &counts, always, |s| (0.5 * s, 1.0))
            }
        };
        let [value, touched, sum] = found;
        anchor.value -= value;
        anchor.count += touched;
        anchor.sum = sum;
        for (j, slope) in again {
            row[j as usize] = slope as f32;
            anchor.sum += f64::from(slope as f32);
        }
        for p in positives {
            anchor.value += (p.at + self.margin) * p.touched;
            anchor.close.push((p.j, p.touched * self.slope(p.at)));
        }
        anchor
    }

    /// Takes rows out and compares them in `f64`; gives the derivatives of those that stay in the
    /// matrix.
    #[inline(always)]
    fn look_again(
        &self,
        i: usize,
        row: &mut [f32],
        positives: &mut [Positive],
        [close, unsure]: [&[u32]; 2],
        anchor: &mut Anchor,
    ) -> Vec<(u32, f64)> {
        let mut again = Vec::new();
        if self.too_many(close.len() + unsure.len(), row.len()) {
            return again;
        }
        let all = close.iter().map(|j| (j, true)).chain(unsure.iter().map(|j| (j, false)));
        for (&j, close) in all {
            let square = core::mem::replace(&mut row[j as usize], OUT);
            if square == OUT {
                continue;
            }
            let d = self.at(self.estimates.exact(i, j as usize));
            let (mut touched, mut active) = (0.0, 0.0);
            for p in positives.iter_mut() {
                let key = p.at + self.margin;
                let counted = p.open && square < p.low;
                p.touched -= f64::from(u8::from(counted));
                if key + slack(key) >= d {
                    p.touched += 1.0;
                    touched += 1.0;
                    active += f64::from(u8::from(key > d + slack(d)));
                }
            }
            anchor.value -= touched * d;
            anchor.count += active;
            let list = if close { &mut anchor.close } else { &mut again };
            list.push((j, -touched * self.slope(d)));
        }
        again
    }

    /// Every positive with the closest negative beyond it, or else the farthest.
    #[inline(always)]
    fn semi_hard(&self, i: usize, row: &[f32], ends: Option<[f32; 2]>, only_valid: bool) -> Anchor {
        let mut anchor = Anchor::default();
        if ends.is_none() && only_valid {
            return anchor;
        }
        let mut farthest = None;
        for p in self.positives(i, 0.0) {
            let negative = ends.and_then(|[_, last]| {
                let beyond = self.closest_beyond(i, row, &p);
                beyond.or_else(|| *farthest.get_or_insert_with(|| self.farthest(i, row, last)))
            });
            anchor.count += 1.0;
            let value = p.at - negative.map_or(0.0, |(_, d)| d) + self.margin;
            let share = 0.5 + 0.5 * if value == 0.0 { 0.0 } else { value.signum() };
            anchor.value += share * value;
            anchor.close.push((p.j, share * self.slope(p.at)));
            if let Some((j, d)) = negative {
                anchor.close.push((j, -share * self.slope(d)));
            }
        }
        anchor
    }

    #[inline(always)]
    fn closest_beyond(&self, i: usize, row: &[f32], p: &Positive) -> Option<(u32, f64)> {
        let least = least_above(row, p.high);
        let reach = if least < OUT { least + 2.0 * self.estimates.bound(i) } else { p.high };
        let mut open = Vec::new();
        within(row, p.low..=reach, &mut open);
        if self.too_many(open.len(), row.len()) {
            return None;
        }
        let exact = open.into_iter().map(|j| (j, self.at(self.estimates.exact(i, j as usize))));
        let beyond = exact.filter(|&(_, d)| p.at + slack(p.at) < d);
        beyond.reduce(|closest, other| if other.1 < closest.1 { other } else { closest })
    }

    #[inline(always)]
    fn farthest(&self, i: usize, row: &[f32], last: f32) -> Option<(u32, f64)> {
        let mut open = Vec::new();
        within(row, last - 2.0 * self.estimates.bound(i)..=last, &mut open);
        if self.too_many(open.len(), row.len()) {
            return None;
        }
        let exact = open.into_iter().map(|j| (j, self.at(self.estimates.exact(i, j as usize))));
        exact.reduce(|top, other| if other.1 > top.1 + slack(top.1) { other } else { top })
    }

    /// The positives of row `i`, with the squared distance that `extra` beyond each has.
    #[inline(always)]
    fn positives(&self, i: usize, extra: f64) -> Vec<Positive> {
        let bound = 1.000_001 * f64::from(self.estimates.bound(i));
        let others = self.members[self.classes[i] as usize].iter().filter(|&&j| j as usize != i);
        let positive = |&j: &u32| {
            let at = self.at(self.estimates.exact(i, j as usize));
            let key = at + extra;
            let end = match self.distance {
                Distance::Euclidean => key * key.abs(),
                Distance::SquaredEuclidean => key,
                Distance::Cosine | Distance::Manhattan => 2.0 * key,
            };
            let around = bound + 1e-6 * end.abs();
            let (low, high) = ((end - around) as f32, (end + around) as f32);
            Positive { j, at, low, high, open: false, touched: 0.0 }
        };
        others.map(positive).collect()
    }

    #[inline(always)]
    fn at(&self, square: f64) -> f64 {
        match self.distance {
            Distance::Euclidean => square.sqrt(),
            Distance::SquaredEuclidean => square,
            Distance::Cosine | Distance::Manhattan => 0.5 * square,
        }
    }

    /// The derivative of a distance by half of its square.
    #[inline(always)]
    fn slope(&self, at: f64) -> f64 {
        match self.distance {
            Distance::Euclidean if at == 0.0 => 0.0,
            Distance::Euclidean => 1.0 / at,
            Distance::SquaredEuclidean => 2.0,
            Distance::Cosine | Distance::Manhattan => 1.0,
        }
    }

    /// Whether so many comparisons of one anchor with `n` rows are more than a product is worth.
    fn too_many(&self, open: usize, n: usize) -> bool {
        let too_many = open > 16 + n / 8;
        if too_many {
            self.gave_up.store(true, Ordering::Relaxed);
        }
        too_many
    }
}

/// Adds 1 to the count of all squares below `low`, and gives their number.
#[inline(always)]
fn count_below(row: &[f32], counts: &mut [f32], low: f32) -> f64 {
    let mut below = 0.0f64;
    for (squares, counts) in row.chunks(256).zip(counts.chunks_mut(256)) {
        let mut here = 0.0f32;
        for (&s, count) in squares.iter().zip(counts) {
            let one = if s < low { 1.0 } else { 0.0 };
            *count += one;
            here += one;
        }
        below += f64::from(here);
    }
    below
}

/// The smallest square above `high`.
#[inline(always)]
fn least_above(row: &[f32], high: f32) -> f32 {
    let mut least = [OUT; LANES];
    let (wide, rest) = row.as_chunks::<LANES>();
    for squares in wide {
        for (least, &s) in least.iter_mut().zip(squares) {
            *least = if s > high && s < *least { s } else { *least };
        }
    }
    let least = least.into_iter().fold(OUT, f32::min);
    rest.iter().fold(least, |least, &s| if s > high && s < least { s } else { least })
}

/// Replaces squares by derivatives, and gives `Σ w d`, how often rows are touched by positives that
/// touch all or were counted, and the sum of the derivatives.
#[inline(always)]
fn derive(
    row: &mut [f32],
    counts: &[f32],
    always: f32,
    distance: impl Fn(f32) -> (f32, f32),
) -> [f64; 3] {
    let mut sums = [[0.0f64; LANES]; 3];
    let mut look = |lane: usize, s: &mut f32, count: f32| {
        let out = *s == OUT;
        let (d, slope) = distance(if out { 1.0 } else { *s });
        let weight = if out { 0.0 } else { always + count };
        let derivative = -weight * slope;
        sums[0][lane] += f64::from(weight) * f64::from(d);
        sums[1][lane] += f64::from(weight);
        sums[2][lane] += f64::from(derivative);
        *s = derivative;
    };
    let (wide, rest) = row.as_chunks_mut::<LANES>();
    let (wide_counts, rest_counts) = counts.as_chunks::<LANES>();
    for (squares, counts) in wide.iter_mut().zip(wide_counts) {
        for lane in 0..LANES {
            look(lane, &mut squares[lane], counts[lane]);
        }
    }
    for (lane, (s, &count)) in rest.iter_mut().zip(rest_counts).enumerate() {
        look(lane, s, count);
    }
    sums.map(|lanes| lanes.iter().sum())
}
