//! Row i of one matrix compared with row i of another.

use burn::backend::flex::FlexTensor;

use super::parallel::{Matrix, for_rows, numbers, products, sum, tensor};
use crate::pairwise::norm::SHORTEST_UNIT;

/// What is computed of two rows. An offset is added to every coordinate difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Comparison {
    /// `‖x − y‖`.
    Euclidean { offset: f64 },
    /// `‖x − y‖²`.
    SquaredEuclidean { offset: f64 },
    /// `Σ |xᵢ − yᵢ|`.
    Manhattan { offset: f64 },
    /// `1 − cos(x, y)`.
    CosineDistance,
    /// `cos(x, y)`.
    Cosine,
    /// `x·y`.
    Dot,
}

/// Cosines closer to 1 than this are found by the difference of the unit rows.
const CLOSE: f64 = 1e-6;

/// All comparisons, `[n]`.
pub(super) fn forward(x: &FlexTensor, y: &FlexTensor, comparison: Comparison) -> FlexTensor {
    let (x, y) = (Matrix::new(x), Matrix::new(y));
    let mut out = vec![0f32; x.rows];
    for_rows(&mut out, 1, x.rows * x.columns, |i, out| {
        out[0] = compare(x.row(i), y.row(i), comparison) as f32;
    });
    tensor(out, [x.rows])
}

#[inline(always)]
fn compare(x: &[f32], y: &[f32], comparison: Comparison) -> f64 {
    let squares = |o: f64| sum(x, y, |x, y| (x - y + o) * (x - y + o));
    match comparison {
        Comparison::Euclidean { offset } => squares(offset).sqrt(),
        Comparison::SquaredEuclidean { offset } => squares(offset),
        Comparison::Manhattan { offset } => sum(x, y, |x, y| (x - y + offset).abs()),
        Comparison::Cosine => Angle::new(x, y).cosine,
        Comparison::Dot => sum(x, y, |x, y| x * y),
        Comparison::CosineDistance => {
            let angle = Angle::new(x, y);
            let [a, b] = angle.inverse;
            match angle.of_unit_rows() && 1.0 - angle.cosine < CLOSE {
                true => 0.5 * sum(x, y, |x, y| (x * a - y * b) * (x * a - y * b)),
                false => 1.0 - angle.cosine,
            }
        }
    }
}

/// The cosine of two rows, and what its derivative needs.
struct Angle {
    cosine: f64,
    /// `1 / ‖x‖` and `1 / ‖y‖`: of a shorter row than [`SHORTEST_UNIT`] the inverse of that, 0 of a
    /// zero row.
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
}

/// `1 / ‖x‖` of a squared length, with the floor of unit rows; 0 for a zero row.
#[inline(always)]
pub(super) fn inverse_length(square: f64) -> f64 {
    match square == 0.0 {
        true => 0.0,
        false => square.sqrt().max(SHORTEST_UNIT).recip(),
    }
}

/// Derivatives by `x` and `y`, as far as they are `wanted`, of comparisons whose own are `slope`.
pub(super) fn backward(
    [x, y]: [&FlexTensor; 2],
    slope: &FlexTensor,
    comparison: Comparison,
    wanted: [bool; 2],
) -> [Option<FlexTensor>; 2] {
    let (x, y, slope) = (Matrix::new(x), Matrix::new(y), slope.to_contiguous());
    let (shape, work) = ([x.rows, x.columns], x.rows * x.columns);
    let slope = numbers(&slope);
    let by = |from: &Matrix, to: &Matrix, sign: f64| {
        let mut out = vec![0f32; work];
        for_rows(&mut out, x.columns, work, |i, out| {
            derive(from.row(i), to.row(i), slope[i].into(), comparison, sign, out);
        });
        tensor(out, shape)
    };
    [wanted[0].then(|| by(&x, &y, 1.0)), wanted[1].then(|| by(&y, &x, -1.0))]
}

/// The derivative by `x`, times `slope`; `sign` is −1 where `x` is the row that is subtracted.
#[inline(always)]
fn derive(x: &[f32], y: &[f32], slope: f64, comparison: Comparison, sign: f64, out: &mut [f32]) {
    match comparison {
        Comparison::Euclidean { offset } => {
            let offset = sign * offset;
            let length = sum(x, y, |x, y| (x - y + offset) * (x - y + offset)).sqrt();
            let factor = if length == 0.0 { 0.0 } else { slope / length };
            differences(x, y, out, factor, offset);
        }
        Comparison::SquaredEuclidean { offset } => {
            let offset = sign * offset;
            differences(x, y, out, 2.0 * slope, offset);
        }
        Comparison::Manhattan { offset } => {
            let offset = sign * offset;
            fill(x, y, out, |x, y| {
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
        Comparison::Dot => fill(x, y, out, |_, y| slope * y),
        Comparison::Cosine => cosine(x, y, slope, out),
        Comparison::CosineDistance => cosine(x, y, -slope, out),
    }
}

/// `slope · ∂ cos(x, y) / ∂x`: what is left of `y / ‖y‖` beside the direction of `x`, over `‖x‖`.
#[inline(always)]
fn cosine(x: &[f32], y: &[f32], slope: f64, out: &mut [f32]) {
    let angle = Angle::new(x, y);
    let [a, b] = angle.inverse;
    // A row below the floor is only scaled: all of it counts.
    let along = if angle.unit[0] { angle.cosine } else { 0.0 };
    fill(x, y, out, |x, y| slope * a * (b * y - along * a * x));
}

/// `factor · (x − y + offset)`: nothing cancels that `f32` did not round before.
#[inline(always)]
fn differences(x: &[f32], y: &[f32], out: &mut [f32], factor: f64, offset: f64) {
    let usual = factor.abs() < f64::from(f32::MAX) && factor.abs() > f64::from(f32::MIN_POSITIVE);
    if !usual {
        return fill(x, y, out, |x, y| factor * (x - y + offset));
    }
    let (factor, offset) = (factor as f32, offset as f32);
    for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
        *out = factor * (x - y + offset);
    }
}

#[inline(always)]
fn fill(x: &[f32], y: &[f32], out: &mut [f32], f: impl Fn(f64, f64) -> f64) {
    for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
        *out = f(x.into(), y.into()) as f32;
    }
}
