//! Rows compared with one or two rows each: of other matrices, or chosen from them.

use std::sync::Arc;

use burn::backend::flex::FlexTensor;

use super::parallel::{
    Matrix, View, for_rows, for_rows_with, numbers, products, sum, sum_with, tensor,
};
use super::{Chosen, Partner, RowMetric};
use crate::numeric::SHORTEST_UNIT;

/// Cosines closer to 1 than this are found by the difference of the unit rows.
const CLOSE: f64 = 1e-6;

/// Rows that the rows of the first matrix are compared with.
#[derive(Debug, Clone)]
struct Partners {
    /// Which of the matrices they are rows of.
    source: usize,
    /// The partner of every row, [`Chosen::NOBODY`] for none; row i is the partner of row i if this is `None`.
    index: Option<Arc<[u32]>>,
}

impl Partners {
    fn new(partner: &Partner) -> Self {
        match partner {
            Partner::SameRow(source) => Self { source: *source, index: None },
            Partner::Chosen(source, chosen) => {
                Self { source: *source, index: Some(chosen.to_host()) }
            }
        }
    }

    #[inline(always)]
    fn of(&self, row: usize) -> Option<usize> {
        match &self.index {
            None => Some(row),
            Some(index) => (index[row] != Chosen::NOBODY).then_some(index[row] as usize),
        }
    }

    /// Which rows have `0`, `1`, … as their partner.
    fn inverse(&self, count: usize) -> Option<Inverse> {
        let index = self.index.as_ref()?;
        let mut starts = vec![0; count + 1];
        let known = || index.iter().enumerate().filter(|&(_, &partner)| partner != Chosen::NOBODY);
        known().for_each(|(_, &partner)| starts[partner as usize + 1] += 1);
        (0..count).for_each(|partner| starts[partner + 1] += starts[partner]);
        let (mut rows, mut next) = (vec![0; starts[count]], starts.clone());
        for (row, &partner) in known() {
            let place = &mut next[partner as usize];
            rows[*place] = row;
            *place += 1;
        }
        Some(Inverse { starts, rows })
    }
}

struct Inverse {
    starts: Vec<usize>,
    rows: Vec<usize>,
}

impl Inverse {
    /// The rows whose partner is the one of the index `own`: itself where nothing was chosen.
    fn of<'a>(chosen: Option<&'a Self>, own: &'a [usize; 1]) -> &'a [usize] {
        match chosen {
            None => own,
            Some(Self { starts, rows }) => &rows[starts[own[0]]..starts[own[0] + 1]],
        }
    }
}

/// A comparison of each row with one or two rows; the second is subtracted from the first.
#[derive(Debug, Clone)]
pub(super) struct RowComparison {
    metric: RowMetric,
    first: Partners,
    second: Option<Partners>,
}

impl RowComparison {
    pub fn new(metric: RowMetric, first: &Partner, second: Option<&Partner>) -> Self {
        Self { metric, first: Partners::new(first), second: second.map(Partners::new) }
    }

    fn partners(&self) -> impl Iterator<Item = (f64, &Partners)> {
        [(1.0, Some(&self.first)), (-1.0, self.second.as_ref())]
            .into_iter()
            .filter_map(|(sign, partners)| Some((sign, partners?)))
    }
}

/// All comparisons, `[n]`, and the intermediate results that the backward pass needs.
pub(super) fn forward(
    sources: [&FlexTensor; 3],
    comparison: &RowComparison,
) -> (FlexTensor, Vec<[Found; 2]>) {
    let sources = sources.map(Matrix::new);
    let sources = sources.each_ref().map(Matrix::view);
    let View { rows, columns, .. } = sources[0];
    let (mut out, mut found) = (vec![0f32; rows], vec![[Found::default(); 2]; rows]);
    for_rows_with(&mut out, 1, &mut found, rows * columns, |i, out, found| {
        let mut total = 0.0;
        for ((sign, partners), found) in comparison.partners().zip(found) {
            if let Some(partner) = partners.of(i) {
                let other = sources[partners.source].row(partner);
                *found = compare(sources[0].row(i), other, comparison.metric);
                total += sign * found.value;
            }
        }
        out[0] = total as f32;
    });
    (tensor(out, [rows]), found)
}

/// The value of a comparison, and the angle that its gradient needs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    value: f64,
    /// Zeros if the metric is no cosine.
    angle: Angle,
}

#[inline(always)]
fn compare(x: &[f32], y: &[f32], metric: RowMetric) -> Found {
    let value = match metric {
        RowMetric::Euclidean { offset } => squares(x, y, offset).sqrt(),
        RowMetric::SquaredEuclidean { offset } => squares(x, y, offset),
        RowMetric::Manhattan { offset } => sum(x, y, |x, y| (x - y + offset).abs()),
        RowMetric::Dot => sum(x, y, |x, y| x * y),
        RowMetric::Cosine => {
            let angle = Angle::new(x, y);
            return Found { value: angle.cosine, angle };
        }
        RowMetric::CosineDistance => {
            let angle = Angle::new(x, y);
            let [a, b] = angle.inverse;
            let value = match angle.of_unit_rows() && 1.0 - angle.cosine < CLOSE {
                true => 0.5 * sum(x, y, |x, y| (x * a - y * b) * (x * a - y * b)),
                false => 1.0 - angle.cosine,
            };
            return Found { value, angle };
        }
    };
    Found { value, angle: Angle::default() }
}

/// `Σ (x − y + offset)²`: of differences in `f32`, which are exact for close numbers.
#[inline(always)]
fn squares(x: &[f32], y: &[f32], offset: f64) -> f64 {
    let offset = offset as f32;
    sum_with(x, y, |x, y| {
        let difference = f64::from(x - y + offset);
        difference * difference
    })
}

/// The cosine of two rows, and the lengths that its gradient needs.
#[derive(Debug, Clone, Copy, Default)]
struct Angle {
    cosine: f64,
    /// `1 / ‖x‖` and `1 / ‖y‖`; for a row shorter than [`SHORTEST_UNIT`] the inverse of that, for a
    /// zero row 0.
    inverse: [f64; 2],
    /// Whether the rows reach that length.
    unit: [bool; 2],
}

impl Angle {
    #[inline(always)]
    fn new(x: &[f32], y: &[f32]) -> Self {
        let [xx, yy, xy] = products(x, y);
        let inverse = [xx, yy].map(inverse_length);
        let unit = [xx, yy].map(|square| square >= SHORTEST_UNIT * SHORTEST_UNIT);
        Self { cosine: xy * inverse[0] * inverse[1], inverse, unit }
    }

    fn of_unit_rows(&self) -> bool {
        self.unit == [true; 2]
    }

    /// The same, seen from `y`.
    fn flipped(self) -> Self {
        let ([a, b], [x, y]) = (self.inverse, self.unit);
        Self { inverse: [b, a], unit: [y, x], ..self }
    }
}

/// `1 / ‖x‖` of a squared length, with the floor of unit rows; 0 for a zero row.
#[inline(always)]
pub(super) fn inverse_length(square: f64) -> f64 {
    match square == 0.0 {
        true => 0.0,
        false => square.sqrt().max(SHORTEST_UNIT).recip(),
    }
}

/// Gradients with respect to each requested matrix, given the gradient `slope` of the comparisons.
pub(super) fn backward(
    sources: [&FlexTensor; 3],
    slope: &FlexTensor,
    comparison: &RowComparison,
    found: &[[Found; 2]],
    wanted: [bool; 3],
) -> [Option<FlexTensor>; 3] {
    let (sources, slope) = (sources.map(Matrix::new), slope.to_contiguous());
    let (sources, slope) = (sources.each_ref().map(Matrix::view), numbers(&slope));
    core::array::from_fn(|of| {
        let gradient = Gradient { sources: &sources, slope, comparison, found, of };
        wanted[of].then(|| gradient.all_rows())
    })
}

/// The gradient with respect to one of the matrices.
struct Gradient<'a> {
    sources: &'a [View<'a>; 3],
    slope: &'a [f32],
    comparison: &'a RowComparison,
    found: &'a [[Found; 2]],
    /// The place of the matrix among the sources.
    of: usize,
}

/// One of the two comparisons of every row.
struct Term<'a> {
    nth: usize,
    sign: f64,
    partners: &'a Partners,
    /// The anchors of each row of the matrix that the gradient is for.
    anchors: Option<Inverse>,
}

impl Gradient<'_> {
    fn all_rows(&self) -> FlexTensor {
        let View { rows, columns, .. } = self.sources[self.of];
        let terms: Vec<_> = self.terms(rows).collect();
        let mut out = vec![0f32; rows * columns];
        for_rows(&mut out, columns, rows * columns, |row, out| {
            let mut sum = Sum { out, started: false };
            if let Some([y, z]) = self.dot_partners(row) {
                // Bilinear: no difference of two products that may both be infinite.
                let slope = self.slope[row];
                return sum.add(y, z, |y, z| slope * (y - z));
            }
            for term in &terms {
                self.add_as_anchor(term, row, &mut sum);
                self.add_as_partner(term, row, &mut sum);
            }
        });
        tensor(out, [rows, columns])
    }

    fn terms(&self, rows: usize) -> impl Iterator<Item = Term<'_>> {
        self.comparison.partners().enumerate().map(move |(nth, (sign, partners))| {
            // Matrices may differ in length, and only partners in this one have a place in it.
            let anchors = match partners.source == self.of {
                true => partners.inverse(rows),
                false => None,
            };
            Term { nth, sign, partners, anchors }
        })
    }

    /// Adds the gradient of the comparison of `row` itself.
    #[inline(always)]
    fn add_as_anchor(&self, term: &Term, row: usize, sum: &mut Sum) {
        if self.of != 0 {
            return;
        }
        if let Some(partner) = term.partners.of(row) {
            let others = self.sources[term.partners.source];
            let (x, y) = (self.sources[0].row(row), others.row(partner));
            let slope = term.sign * f64::from(self.slope[row]);
            derive([x, y], slope, self.comparison.metric, self.found[row][term.nth], 1.0, sum);
        }
    }

    /// Adds the gradients of the comparisons of other rows with `row`.
    #[inline(always)]
    fn add_as_partner(&self, term: &Term, row: usize, sum: &mut Sum) {
        if term.partners.source != self.of {
            return;
        }
        for &anchor in Inverse::of(term.anchors.as_ref(), &[row]) {
            let rows = [self.sources[self.of].row(row), self.sources[0].row(anchor)];
            let Found { value, angle } = self.found[anchor][term.nth];
            let found = Found { value, angle: angle.flipped() };
            let slope = term.sign * f64::from(self.slope[anchor]);
            derive(rows, slope, self.comparison.metric, found, -1.0, sum);
        }
    }

    /// The two rows that the gradient of `row` of the first matrix is made of if it is compared by
    /// two dot products.
    #[inline(always)]
    fn dot_partners(&self, row: usize) -> Option<[&[f32]; 2]> {
        let RowComparison { metric, first, second } = self.comparison;
        let second = second.as_ref().filter(|_| *metric == RowMetric::Dot && self.of == 0)?;
        let chosen = first.source == 0 || second.source == 0;
        let [first, second] = [first, second].map(|partners| {
            partners.of(row).map(|partner| self.sources[partners.source].row(partner))
        });
        first.zip(second).filter(|_| !chosen).map(|(first, second)| [first, second])
    }
}

/// A row of the result: the first term overwrites it, the others are added.
struct Sum<'a> {
    out: &'a mut [f32],
    started: bool,
}

impl Sum<'_> {
    #[inline(always)]
    fn add(&mut self, x: &[f32], y: &[f32], f: impl Fn(f32, f32) -> f32) {
        let pairs = self.out.iter_mut().zip(x).zip(y);
        match self.started {
            true => pairs.for_each(|((out, &x), &y)| *out += f(x, y)),
            false => pairs.for_each(|((out, &x), &y)| *out = f(x, y)),
        }
        self.started = true;
    }

    #[inline(always)]
    fn add_wide(&mut self, x: &[f32], y: &[f32], f: impl Fn(f64, f64) -> f64) {
        self.add(x, y, |x, y| f(x.into(), y.into()) as f32);
    }
}

/// Adds the gradient with respect to `x`, times `slope`; `sign` is −1 if `x` is the row that is
/// subtracted.
#[inline(always)]
fn derive(
    [x, y]: [&[f32]; 2],
    slope: f64,
    metric: RowMetric,
    found: Found,
    sign: f64,
    sum: &mut Sum,
) {
    if slope == 0.0 {
        return;
    }
    match metric {
        RowMetric::Euclidean { offset } => {
            let factor = if found.value == 0.0 { 0.0 } else { slope / found.value };
            differences(x, y, sum, factor, sign * offset);
        }
        RowMetric::SquaredEuclidean { offset } => {
            differences(x, y, sum, 2.0 * slope, sign * offset);
        }
        RowMetric::Manhattan { offset } => {
            let offset = sign * offset;
            sum.add_wide(x, y, |x, y| {
                let difference = x - y + offset;
                if difference > 0.0 {
                    slope
                } else if difference < 0.0 {
                    -slope
                } else {
                    0.0
                }
            });
        }
        RowMetric::Dot => {
            let slope = slope as f32;
            sum.add(x, y, |_, y| slope * y);
        }
        RowMetric::Cosine => cosine(x, y, slope, found.angle, sum),
        RowMetric::CosineDistance => cosine(x, y, -slope, found.angle, sum),
    }
}

/// Adds `slope · ∂ cos(x, y) / ∂x`: the part of `y / ‖y‖` orthogonal to `x`, divided by `‖x‖`.
#[inline(always)]
fn cosine(x: &[f32], y: &[f32], slope: f64, angle: Angle, sum: &mut Sum) {
    let [a, b] = angle.inverse;
    // A row below the floor is only scaled: all of it counts.
    let along = if angle.unit[0] { angle.cosine } else { 0.0 };
    let (own, other) = (slope * a * along * a, slope * a * b);
    sum.add_wide(x, y, |x, y| other * y - own * x);
}

/// Adds `factor · (x − y + offset)`. The difference is taken in `f32`, which is exact for close rows.
#[inline(always)]
fn differences(x: &[f32], y: &[f32], sum: &mut Sum, factor: f64, offset: f64) {
    let usual = factor.abs() < f64::from(f32::MAX) && factor.abs() > f64::from(f32::MIN_POSITIVE);
    if !usual {
        return sum.add_wide(x, y, |x, y| factor * (x - y + offset));
    }
    let (factor, offset) = (factor as f32, offset as f32);
    sum.add(x, y, |x, y| factor * (x - y + offset));
}
