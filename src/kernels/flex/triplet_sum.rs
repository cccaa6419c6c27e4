//! Triplets of a block of anchors, counted and derived row by row.

use core::ops::Range;
use core::sync::atomic::AtomicBool;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;
use burn::tensor::FloatDType;

use super::estimate::Estimates;
use super::parallel::for_rows_with;
use super::rows::{Centred, Rows, classes_of, half_open_step, members_of, slack};
use super::small_classes::SmallClassTriplets;
use super::{ProductDistance, TripletRule, integers, suits};
use crate::budget::Blocks;
use crate::kernels::accumulated::Accumulated;
use crate::kernels::carry_gradient::carry_gradient;
use crate::kernels::triplet_sum::Negatives;
use crate::kernels::unit_rows::unit_rows;

/// The triplets of a labelled batch.
struct TripletRows<'a> {
    rows: Rows,
    labels: &'a [i64],
    rule: TripletRule,
}

/// The result over all anchors.
pub(super) struct TripletSum {
    /// `Σ max(0, d(a, p) − d(a, n) + m)`, times the weight.
    pub value: f64,
    /// Its gradient with respect to all rows, `[n, dim]`, if it was wanted; for the cosine with respect to
    /// the unit rows.
    pub gradient: Option<Tensor<2>>,
}

/// The weight of a triplet, given how many count.
pub(super) type Weight<'a> = &'a dyn Fn(usize) -> f64;

/// The sum over all triplets, `[1]`; `None` for rows of another type or device, or too short to be
/// scaled to unit length.
pub(in crate::kernels) fn triplet_sum(
    x: &Tensor<2>,
    labels: &Tensor<1, Int>,
    rule: TripletRule,
    blocks: Blocks,
    weight: Weight,
) -> Option<Tensor<1>> {
    if !suits(x) {
        return None;
    }
    let labels = integers(&labels.clone().inner());
    let rows = Rows::new(rule.distance, &x.clone().inner());
    let triplets = TripletRows { rows, labels: &labels, rule };
    let sum = triplets.sum(blocks, x.is_tracked(), weight)?;
    let value = Tensor::from_data([sum.value as f32], &x.device());
    let Some(gradient) = sum.gradient else { return Some(value) };
    // The gradient of a cosine distance is that of the unit rows.
    let rows = match rule.distance {
        ProductDistance::Cosine => unit_rows(x.clone()),
        _ => x.clone(),
    };
    Some(value + carry_gradient(rows, gradient))
}

impl TripletRows<'_> {
    fn sum(&self, blocks: Blocks, gradient: bool, weight: Weight) -> Option<TripletSum> {
        let centre = self.rows.mean();
        if let Some(sum) = self.sum_by_estimates(&centre, blocks, gradient, weight) {
            return Some(sum);
        }
        let rows = self.rows.centred(&centre);
        let wide = (!rows.has_short_rows()).then_some(Wide { rows, triplets: self })?;
        Some(wide.sum(blocks, gradient, weight))
    }

    /// [`sum`](Self::sum) if anchors have few positives and single precision is enough.
    fn sum_by_estimates(
        &self,
        centre: &[f64],
        blocks: Blocks,
        gradient: bool,
        weight: Weight,
    ) -> Option<TripletSum> {
        let classes = classes_of(self.labels);
        let members = members_of(&classes);
        let small = members.iter().all(|members| members.len() <= MOST_POSITIVES + 1);
        let estimates = small.then(|| Estimates::of_one(&self.rows, centre)).flatten()?;
        let (rule, gave_up) = (self.rule, AtomicBool::new(false));
        SmallClassTriplets { estimates, classes, members, rule, gave_up }
            .sum(blocks, gradient, weight)
    }
}

/// Triplets by products in `f64`.
struct Wide<'a> {
    rows: Centred,
    triplets: &'a TripletRows<'a>,
}

impl Wide<'_> {
    fn sum(&self, blocks: Blocks, gradient: bool, weight: Weight) -> TripletSum {
        let (mut value, mut count) = (0.0, 0.0);
        let mut gradients = Gradients::new(self.rows.lengths.len());
        for range in blocks.coarser(LIGHTER).ranges() {
            let mut products = self.rows.products(&self.rows, &range);
            let mut found = vec![Found::default(); range.len()];
            let numbers = products.storage_mut::<f64>();
            let (work, n) = (numbers.len(), self.rows.lengths.len());
            for_rows_with(numbers, n, &mut found, work, |offset, row, found| {
                *found = self.weigh(range.start + offset, row);
            });
            value += found.iter().map(|found| found.value).sum::<f64>();
            count += found.iter().map(|found| found.count).sum::<f64>();
            if gradient {
                self.derive(range, products, &found, &mut gradients);
            }
        }
        let weight = weight(count as usize);
        let gradient = gradient
            .then(|| gradients.of(&self.rows.rows).mul_scalar(weight).cast(FloatDType::F32));
        TripletSum { value: value * weight, gradient }
    }

    /// Replaces the products of an anchor by the gradient of its sum with respect to half of each squared
    /// distance.
    #[inline(always)]
    fn weigh(&self, anchor: usize, row: &mut [f64]) -> Found {
        let TripletRows { labels, rule, .. } = *self.triplets;
        let TripletRule { distance, margin, negatives } = rule;
        self.rows.squares(&self.rows, anchor, row);
        if distance == ProductDistance::Euclidean {
            row.iter_mut().for_each(|d| *d = d.sqrt());
        }
        let view = View::new(anchor, row, labels);
        let mut weights = vec![0.0; row.len()];
        let found = match negatives {
            Negatives::All => view.all(margin, &mut weights),
            Negatives::SemiHard { only_valid } => view.semi_hard(margin, only_valid, &mut weights),
        };
        let mut sum = 0.0;
        for (d, weight) in row.iter_mut().zip(weights) {
            *d = match distance {
                ProductDistance::Euclidean if *d == 0.0 => 0.0,
                ProductDistance::Euclidean => weight / *d,
                ProductDistance::SquaredEuclidean => 2.0 * weight,
                ProductDistance::Cosine => weight,
            };
            sum += *d;
        }
        Found { sum, ..found }
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
        gradients.others.add_anchors(&range, slopes.clone().matmul(rows.clone()));
        let columns = slopes.clone().sum_dim(0);
        gradients.columns = Some(match gradients.columns.take() {
            None => columns,
            Some(sum) => sum + columns,
        });
        gradients.others.add(slopes.transpose().matmul(rows.clone().slice([range])));
    }
}

/// The batch as one anchor sees it.
struct View {
    /// By distance.
    positives: Vec<Place>,
    /// By row.
    negatives: Vec<Place>,
}

impl View {
    #[inline(always)]
    fn new(anchor: usize, distances: &[f64], labels: &[i64]) -> Self {
        let (mut positives, mut negatives) = (Vec::new(), Vec::with_capacity(labels.len()));
        for (j, (&at, &label)) in distances.iter().zip(labels).enumerate() {
            if label != labels[anchor] {
                negatives.push(Place { at, j });
            } else if j != anchor {
                positives.push(Place { at, j });
            }
        }
        positives.sort_unstable_by(|p, q| p.at.total_cmp(&q.at));
        Self { positives, negatives }
    }

    /// Every positive with every negative.
    #[inline(always)]
    fn all(&self, margin: f64, weights: &mut [f64]) -> Found {
        let Self { positives, negatives } = self;
        let mut found = Found::default();
        // The number of negatives that violate each positive, as steps at the first such positive.
        let mut steps = vec![0.0; positives.len() + 1];
        for &Place { at: d, j } in negatives {
            let key = |p: &Place| p.at + margin;
            // Keys within rounding of the negative touch it, but are not active.
            let touching = positives.partition_point(|p| key(p) + slack(key(p)) < d);
            let active = positives.partition_point(|p| key(p) <= d + slack(d));
            let touched = positives.len() - touching;
            steps[touching] += 1.0;
            weights[j] -= touched as f64;
            found.value -= d * touched as f64;
            found.count += (positives.len() - active.max(touching)) as f64;
        }
        let mut violating = 0.0;
        for (positive, step) in positives.iter().zip(steps) {
            violating += step;
            weights[positive.j] += violating;
            found.value += (positive.at + margin) * violating;
        }
        found
    }

    /// Every positive with the closest negative beyond it, or else the farthest.
    #[inline(always)]
    fn semi_hard(&self, margin: f64, only_valid: bool, weights: &mut [f64]) -> Found {
        let Self { positives, negatives } = self;
        // The closest negative beyond so many positives but not beyond the next.
        let mut beyond = vec![None; positives.len() + 1];
        let mut farthest: Option<Place> = None;
        for &negative in negatives {
            let passed = positives.partition_point(|p| p.at + slack(p.at) < negative.at);
            let closest: &mut Option<Place> = &mut beyond[passed];
            if closest.is_none_or(|closest| negative.at < closest.at) {
                *closest = Some(negative);
            }
            if farthest.is_none_or(|farthest| negative.at > farthest.at + slack(farthest.at)) {
                farthest = Some(negative);
            }
        }
        let mut found = Found::default();
        let mut closest: Option<Place> = None;
        for (positive, next) in positives.iter().zip(&beyond[1..]).rev() {
            // Rows beyond the next positive are farther away than rows before it.
            closest = next.or(closest);
            let negative = closest.or(farthest);
            if negative.is_none() && only_valid {
                continue;
            }
            found.count += 1.0;
            let value = positive.at - negative.map_or(0.0, |negative| negative.at) + margin;
            let share = half_open_step(value);
            found.value += share * value;
            weights[positive.j] += share;
            if let Some(negative) = negative {
                weights[negative.j] -= share;
            }
        }
        found
    }
}

/// Parts of `Σ_j (h_ij + h_ji) (x_i − x_j)`, the gradient by row i.
struct Gradients {
    /// `Σ_j h_ij`.
    own: Vec<f64>,
    /// `Σ_j h_ji`, `[1, n]`.
    columns: Option<Tensor<2>>,
    /// `Σ_j (h_ij + h_ji) x_j`.
    others: Accumulated,
}

impl Gradients {
    fn new(rows: usize) -> Self {
        Self { own: Vec::new(), columns: None, others: Accumulated::new(rows) }
    }

    fn of(self, rows: &Tensor<2>) -> Tensor<2> {
        let Self { own, columns, others } = self;
        let own = TensorData::new(own, [rows.dims()[0], 1]);
        let own = Tensor::<2>::from_primitive::<Flex>(FlexTensor::from_data(own));
        let (columns, others) = columns.zip(others.into_gradient()).expect("at least one block");
        rows.clone() * (own + columns.transpose()) - others
    }
}

/// With more positives than these, sorting them pays.
const MOST_POSITIVES: usize = 32;

/// The factor by which this takes less memory than the plain form: only products, in `f64`.
const LIGHTER: usize = 10;

/// A row at a distance.
#[derive(Debug, Clone, Copy)]
struct Place {
    at: f64,
    j: usize,
}

/// The sums over the triplets of one anchor.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    value: f64,
    count: f64,
    /// The sum of its gradients with respect to half of each squared distance, `Σ_j h_ij`.
    sum: f64,
}
