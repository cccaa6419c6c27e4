//! A linear layer on the features of two rows, without building the features.

use burn::backend::flex::FlexTensor;
use rayon::prelude::*;

use super::PairFeatures;
use super::parallel::{
    LANES, Matrix, View, for_rows, for_rows_with, numbers, tensor, with_wide_registers,
};

/// The weights of each class, one vector for each part of the features.
struct Weights {
    /// For each class, `parts` vectors of `dim` numbers.
    numbers: Vec<f32>,
    dim: usize,
    classes: usize,
    features: PairFeatures,
}

/// A vector of weights for each of the four parts; empty for parts that are not included.
type Parts<'a> = [&'a [f32]; 4];

impl Weights {
    /// From the layer's `[features, classes]`.
    fn new(weight: &FlexTensor, dim: usize, features: PairFeatures) -> Self {
        let weight = Matrix::new(weight);
        let (rows, classes) = (weight.rows, weight.columns);
        let mut by_class = Vec::with_capacity(rows * classes);
        for class in 0..classes {
            by_class.extend(weight.numbers()[class..].iter().step_by(classes));
        }
        Self { numbers: by_class, dim, classes, features }
    }

    fn parts(&self, class: usize) -> Parts<'_> {
        let width = self.numbers.len() / self.classes;
        let mut rest = &self.numbers[class * width..(class + 1) * width];
        self.features.included().map(|included| {
            let (part, others) = rest.split_at(if included { self.dim } else { 0 });
            rest = others;
            part
        })
    }
}

/// Logits, `[n, classes]`.
pub(super) fn forward(
    [u, v]: [&FlexTensor; 2],
    weight: &FlexTensor,
    bias: &FlexTensor,
    features: PairFeatures,
) -> FlexTensor {
    let (u, v) = (Matrix::new(u), Matrix::new(v));
    let (u, v) = (u.view(), v.view());
    let weights = Weights::new(weight, u.columns, features);
    let bias = bias.to_contiguous();
    let bias = numbers(&bias);
    let mut out = vec![0f32; u.rows * weights.classes];
    for_rows(&mut out, weights.classes, u.rows * u.columns, |i, logits| {
        let (u, v) = (u.row(i), v.row(i));
        for (class, logit) in logits.iter_mut().enumerate() {
            *logit = (score(u, v, weights.parts(class)) + f64::from(bias[class])) as f32;
        }
    });
    tensor(out, [u.rows, weights.classes])
}

#[inline(always)]
fn score(u: &[f32], v: &[f32], [of_u, of_v, of_difference, of_product]: Parts) -> f64 {
    let mut sums = [0f32; LANES];
    let rest = add_products(&mut sums, of_u, u, v, |u, _| u)
        + add_products(&mut sums, of_v, u, v, |_, v| v)
        + add_products(&mut sums, of_difference, u, v, |u, v| (u - v).abs())
        + add_products(&mut sums, of_product, u, v, |u, v| u * v);
    sums.into_iter().map(f64::from).sum::<f64>() + f64::from(rest)
}

/// Adds to the lanes and returns the sum of the numbers that fill no lane.
#[inline(always)]
fn add_products(
    sums: &mut [f32; LANES],
    weights: &[f32],
    u: &[f32],
    v: &[f32],
    feature: impl Fn(f32, f32) -> f32,
) -> f32 {
    let (weights, rest_of_weights) = weights.as_chunks::<LANES>();
    let ((u, rest_of_u), (v, rest_of_v)) = (u.as_chunks::<LANES>(), v.as_chunks::<LANES>());
    for ((weights, u), v) in weights.iter().zip(u).zip(v) {
        for lane in 0..LANES {
            sums[lane] += weights[lane] * feature(u[lane], v[lane]);
        }
    }
    let rest = rest_of_weights.iter().zip(rest_of_u).zip(rest_of_v);
    rest.map(|((&weight, &u), &v)| weight * feature(u, v)).sum()
}

/// Gradients with respect to `u`, `v`, weight and bias, given the gradient `slope` of the logits.
pub(super) fn backward(
    [u, v]: [&FlexTensor; 2],
    weight: &FlexTensor,
    slope: &FlexTensor,
    features: PairFeatures,
) -> [FlexTensor; 4] {
    let (u, v, slopes) = (Matrix::new(u), Matrix::new(v), Matrix::new(slope));
    let (u, v, slope) = (u.view(), v.view(), slopes.view());
    let weights = Weights::new(weight, u.columns, features);
    let shape = [u.rows, u.columns];
    let work = u.rows * u.columns;
    let (mut by_u, mut by_v) = (vec![0f32; work], vec![0f32; work]);
    let mut rows: Vec<_> = by_v.chunks_mut(u.columns).collect();
    for_rows_with(&mut by_u, u.columns, &mut rows, work, |i, by_u, by_v| {
        for (class, &slope) in slope.row(i).iter().enumerate() {
            let parts = weights.parts(class);
            derive_rows([u.row(i), v.row(i)], slope, parts, [&mut *by_u, &mut **by_v]);
        }
    });
    let by_weight = derive_weights([u, v], slope, features);
    let mut by_bias = vec![0f64; weights.classes];
    for row in slopes.numbers().chunks(weights.classes) {
        by_bias.iter_mut().zip(row).for_each(|(sum, &slope)| *sum += f64::from(slope));
    }
    let by_bias = by_bias.into_iter().map(|sum| sum as f32).collect();
    [tensor(by_u, shape), tensor(by_v, shape), by_weight, tensor(by_bias, [weights.classes])]
}

#[inline(always)]
fn derive_rows(
    [u, v]: [&[f32]; 2],
    slope: f32,
    [of_u, of_v, of_difference, of_product]: Parts,
    [by_u, by_v]: [&mut [f32]; 2],
) {
    by_u.iter_mut().zip(of_u).for_each(|(out, w)| *out += slope * w);
    by_v.iter_mut().zip(of_v).for_each(|(out, w)| *out += slope * w);
    let both = by_u.iter_mut().zip(by_v.iter_mut()).zip(u.iter().zip(v));
    for (((by_u, by_v), (&u, &v)), &w) in both.zip(of_difference) {
        let towards = slope * w * sign(u - v);
        *by_u += towards;
        *by_v -= towards;
    }
    let both = by_u.iter_mut().zip(by_v.iter_mut()).zip(u.iter().zip(v));
    for (((by_u, by_v), (&u, &v)), &w) in both.zip(of_product) {
        *by_u += slope * w * v;
        *by_v += slope * w * u;
    }
}

#[inline(always)]
fn sign(x: f32) -> f32 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        0.0
    }
}

/// Rows whose share of the gradient one core adds up at a time.
const ROWS_AT_ONCE: usize = 128;

/// `Σᵢ featuresᵢ slopeᵢ`, `[features, classes]`.
fn derive_weights([u, v]: [View; 2], slope: View, features: PairFeatures) -> FlexTensor {
    let (dim, classes) = (u.columns, slope.columns);
    let width = dim * features.parts();
    let share = |start: usize| {
        let mut sums = vec![0f32; width * classes];
        with_wide_registers(
            #[inline(always)]
            || {
                for i in start..u.rows.min(start + ROWS_AT_ONCE) {
                    for (sums, &slope) in sums.chunks_mut(width).zip(slope.row(i)) {
                        add_features([u.row(i), v.row(i)], slope, features, sums);
                    }
                }
            },
        );
        sums
    };
    let starts: Vec<_> = (0..u.rows).step_by(ROWS_AT_ONCE).collect();
    let shares: Vec<_> = starts.into_par_iter().map(share).collect();
    let mut out = vec![0f32; width * classes];
    for (place, out) in out.iter_mut().enumerate() {
        let (feature, class) = (place / classes, place % classes);
        let sum: f64 = shares.iter().map(|sums| f64::from(sums[class * width + feature])).sum();
        *out = sum as f32;
    }
    tensor(out, [width, classes])
}

#[inline(always)]
fn add_features([u, v]: [&[f32]; 2], slope: f32, features: PairFeatures, sums: &mut [f32]) {
    let mut parts = sums.chunks_mut(u.len());
    let mut next = |included: bool| if included { parts.next() } else { None };
    add_feature(next(features.rows), u, v, |u, _| slope * u);
    add_feature(next(features.rows), u, v, |_, v| slope * v);
    add_feature(next(features.difference), u, v, |u, v| slope * (u - v).abs());
    add_feature(next(features.product), u, v, |u, v| slope * u * v);
}

#[inline(always)]
fn add_feature(sums: Option<&mut [f32]>, u: &[f32], v: &[f32], feature: impl Fn(f32, f32) -> f32) {
    for ((sum, &u), &v) in sums.unwrap_or_default().iter_mut().zip(u).zip(v) {
        *sum += feature(u, v);
    }
}
