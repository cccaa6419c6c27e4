//! The triplets of one anchor with few positives, by squared distances in single precision.
//!
//! Positives are compared in `f64`, by difference. Negatives are estimated. Those that an estimate leaves
//! open, and those so close that a product would spoil their gradient, are compared in `f64` too.

use core::sync::atomic::{AtomicBool, Ordering};

use super::estimate::{Estimates, OUT, within};
use super::parallel::LANES;
use super::rows::{half_open_step, slack};
use super::{ProductDistance, TripletRule};
use crate::kernels::triplet_sum::Negatives;

/// Squared distances below this share of the squared lengths are computed by difference.
const NEAR: f32 = 1.0 / 16.0;

/// The triplets of a batch whose classes are all small.
pub(super) struct SmallClassTriplets<'a> {
    pub estimates: Estimates<'a>,
    pub classes: Vec<u32>,
    /// The rows of each class.
    pub members: Vec<Vec<u32>>,
    pub rule: TripletRule,
    /// Set if estimates leave so much open that `f64` throughout is faster.
    pub gave_up: AtomicBool,
}

/// The sums over the triplets of one anchor.
#[derive(Debug, Clone, Default)]
pub(super) struct Anchor {
    pub value: f64,
    pub count: f64,
    /// The sum of the gradients that stay in the row.
    pub sum: f64,
    /// Rows that are compared by difference, with the gradient with respect to half of their squared
    /// distance.
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

impl SmallClassTriplets<'_> {
    /// Replaces row `i` of squared distances by the gradient with respect to half of each; 0 for rows that
    /// are compared by difference.
    #[inline(always)]
    pub fn weigh(&self, i: usize, row: &mut [f32]) -> Anchor {
        if self.gave_up.load(Ordering::Relaxed) {
            return Anchor::default();
        }
        let class = self.classes[i];
        let ends = take_out(row, &self.classes, class);
        match self.rule.negatives {
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
        let mut positives = self.positives(i, self.rule.margin);
        let Some(ends) = ends.filter(|_| !positives.is_empty()) else {
            row.fill(0.0);
            return anchor;
        };
        let always = positives.iter().filter(|p| p.low > ends[1]).count() as f32;
        let mut counts = vec![0.0f32; row.len()];
        let [close, unsure] = self.open_rows(i, row, ends, &mut positives, &mut counts);
        let again = self.look_again(i, row, &mut positives, [&close, &unsure], &mut anchor);

        let left = row.iter().filter(|&&s| s < OUT).count() as f64;
        let touching_all = positives.iter_mut().filter(|p| p.low > ends[1]);
        touching_all.for_each(|p| p.touched += left);
        let [value, touched, sum] = self.derive(row, &counts, always);
        anchor.value -= value;
        anchor.count += touched;
        anchor.sum = sum;
        for (j, slope) in again {
            row[j as usize] = slope as f32;
            anchor.sum += f64::from(slope as f32);
        }
        for p in positives {
            anchor.value += (p.at + self.rule.margin) * p.touched;
            anchor.close.push((p.j, p.touched * self.slope(p.at)));
        }
        anchor
    }

    /// Rows that have to be compared in `f64`: close ones, and those near the end of a violation. Counts
    /// the positives that surely touch each of the other rows.
    #[inline(always)]
    fn open_rows(
        &self,
        i: usize,
        row: &[f32],
        [nearest, farthest]: [f32; 2],
        positives: &mut [Positive],
        counts: &mut [f32],
    ) -> [Vec<u32>; 2] {
        let (mut close, mut unsure) = (Vec::new(), Vec::new());
        let reach = NEAR * self.estimates.largest_lengths(i);
        if nearest < reach {
            within(row, 0.0..=reach, &mut close);
        }
        for p in positives.iter_mut().filter(|p| p.low <= farthest && p.high >= nearest) {
            p.open = true;
            p.touched = count_below(row, counts, p.low);
            within(row, p.low..=p.high, &mut unsure);
        }
        [close, unsure]
    }

    /// [`derive`] for the distance of the rule.
    #[inline(always)]
    fn derive(&self, row: &mut [f32], counts: &[f32], always: f32) -> [f64; 3] {
        match self.rule.distance {
            ProductDistance::Euclidean => derive(row, counts, always, |s| {
                let d = s.sqrt();
                (d, 1.0 / d)
            }),
            ProductDistance::SquaredEuclidean => derive(row, counts, always, |s| (s, 2.0)),
            ProductDistance::Cosine => derive(row, counts, always, |s| (0.5 * s, 1.0)),
        }
    }

    /// Takes rows out and compares them in `f64`; returns the gradients of those that stay in the matrix.
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
                let key = p.at + self.rule.margin;
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
            let value = p.at - negative.map_or(0.0, |(_, d)| d) + self.rule.margin;
            let share = half_open_step(value);
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
            let end = match self.rule.distance {
                ProductDistance::Euclidean => key * key.abs(),
                ProductDistance::SquaredEuclidean => key,
                ProductDistance::Cosine => 2.0 * key,
            };
            let around = bound + 1e-6 * end.abs();
            let (low, high) = ((end - around) as f32, (end + around) as f32);
            Positive { j, at, low, high, open: false, touched: 0.0 }
        };
        others.map(positive).collect()
    }

    #[inline(always)]
    fn at(&self, square: f64) -> f64 {
        match self.rule.distance {
            ProductDistance::Euclidean => square.sqrt(),
            ProductDistance::SquaredEuclidean => square,
            ProductDistance::Cosine => 0.5 * square,
        }
    }

    /// The derivative of a distance with respect to half of its square.
    #[inline(always)]
    fn slope(&self, at: f64) -> f64 {
        match self.rule.distance {
            ProductDistance::Euclidean if at == 0.0 => 0.0,
            ProductDistance::Euclidean => 1.0 / at,
            ProductDistance::SquaredEuclidean => 2.0,
            ProductDistance::Cosine => 1.0,
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

/// Takes the rows of the anchor's class out, and returns the smallest and the largest of the other
/// squares, if there are any.
#[inline(always)]
fn take_out(row: &mut [f32], classes: &[u32], class: u32) -> Option<[f32; 2]> {
    let (mut nearest, mut farthest) = (OUT, 0.0f32);
    for (s, &other) in row.iter_mut().zip(classes) {
        let out = other == class;
        let square = if *s > 0.0 { *s } else { 0.0 };
        farthest = if !out && square > farthest { square } else { farthest };
        *s = if out { OUT } else { square };
        nearest = if *s < nearest { *s } else { nearest };
    }
    (nearest < OUT).then_some([nearest, farthest])
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

/// Replaces squares by gradients. Returns `Σ w d`, the number of touched pairs (by positives that touch
/// all rows and by those counted) and the sum of the gradients.
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
