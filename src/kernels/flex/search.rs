//! The rows chosen for every anchor by their distances.

use burn::prelude::*;

use super::estimate::{Estimates, extremes, within};
use super::rows::{LIGHTER, Rows, classes_of, members_of, slack};
use super::{Chosen, ProductDistance, integers, suits};
use crate::budget::Blocks;

/// For every row the farthest of its class and the negative that sentence-transformers trains on:
/// the closest, or the farthest row where, after Python's handicap, a row of its own class is closest.
pub(in crate::kernels) fn hardest(
    distance: ProductDistance,
    x: &Tensor<2>,
    labels: &Tensor<1, Int>,
    blocks: Blocks,
) -> Option<(Chosen, Chosen)> {
    if !suits(x) {
        return None;
    }
    let labels = integers(labels);
    let rows = Rows::new(distance, x);
    let centre = rows.mean();
    let mut found = vec![Hardest::default(); labels.len()];
    match Estimates::of_one(&rows, &centre) {
        Some(estimates) => {
            let classes = classes_of(&labels);
            let members = members_of(&classes);
            estimates.find(blocks.coarser(2 * LIGHTER), &mut found, |i, row| {
                let members = &members[classes[i] as usize];
                Hardest::by_estimates(i, row, &classes, members, &labels, &estimates)
            });
        }
        None => {
            let rows = rows.centred(&centre);
            rows.find(&rows, blocks, &mut found, |i, row| Hardest::of(i, row, &labels));
        }
    }
    let positives = found.iter().map(|found| found.positive);
    let negatives = found.iter().map(|found| Some(found.negative));
    Some((chosen(positives, x), chosen(negatives, x)))
}

fn chosen(rows: impl Iterator<Item = Option<usize>>, x: &Tensor<2>) -> Chosen {
    let rows = rows.map(|row| row.map_or(Chosen::NOBODY, |row| row as u32));
    Chosen::on_host(rows.collect(), x.device())
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

/// For each anchor i, a row of `x`, the first row j ≠ i of `y` with the smallest distance; with another
/// id if ids are given.
pub(in crate::kernels) fn closest_other(
    distance: ProductDistance,
    [x, y]: [&Tensor<2>; 2],
    ids: Option<&Tensor<1, Int>>,
    blocks: Blocks,
) -> Option<Chosen> {
    if !suits(x) || !suits(y) {
        return None;
    }
    let classes: Vec<u32> = match ids {
        Some(ids) => classes_of(&integers(ids)),
        None => (0..y.dims()[0] as u32).collect(),
    };
    let mut found = vec![None; x.dims()[0]];
    let [rows, candidates] = [x, y].map(|rows| Rows::new(distance, rows));
    let centre = candidates.mean();
    match Estimates::of_two(&rows, &candidates, &centre) {
        Some(estimates) => {
            estimates.find(blocks.coarser(2 * LIGHTER), &mut found, |i, row| {
                closest_by_estimates(i, row, &classes, &estimates)
            });
        }
        None => {
            let [rows, candidates] = [rows, candidates].map(|rows| rows.centred(&centre));
            rows.find(&candidates, blocks, &mut found, |i, row| closest(i, row, &classes));
        }
    }
    Some(chosen(found.drain(blocks.all()), x))
}

#[inline(always)]
fn closest_by_estimates(
    i: usize,
    row: &[f32],
    classes: &[u32],
    estimates: &Estimates,
) -> Option<usize> {
    let [_, least, _] = extremes(row, classes, classes[i]);
    let reach = least + 2.0 * estimates.bound(i);
    let mut others = Vec::new();
    within(row, f32::MIN..=reach, &mut others);
    others.retain(|&j| classes[j as usize] != classes[i]);
    estimates.first(i, 1.0, &others)
}

#[inline(always)]
fn closest(i: usize, row: &[f64], classes: &[u32]) -> Option<usize> {
    let others = || {
        let all = row.iter().copied().zip(classes).enumerate();
        all.filter(|&(_, (_, &class))| class != classes[i]).map(|(j, (d, _))| (j, d))
    };
    let least = others().map(|(_, d)| d).reduce(|a, b| if b < a { b } else { a })?;
    let reach = least + slack(least);
    others().find(|&(_, d)| d <= reach).map(|(j, _)| j)
}
