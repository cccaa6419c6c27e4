//! Layer normalisation of a sum in one pass, and all of its gradients in another one.

use burn::backend::flex::FlexTensor;

use crate::kernels::flex::parallel::{
    LANES, for_rows_with, for_stripes, numbers, owned, sum, tensor,
};

/// Options of a layer normalisation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    pub epsilon: f64,
    /// Whether something is added to `x`.
    pub residual: bool,
    /// Whether something is added at the end.
    pub beta: bool,
}

/// The inputs; those that [`Options`] leave out are not looked at.
pub(super) struct Inputs {
    pub x: FlexTensor,
    pub residual: FlexTensor,
    pub gamma: FlexTensor,
    pub beta: FlexTensor,
}

/// Kept from the forward pass for the gradients.
#[derive(Debug, Clone)]
pub(super) struct Normal {
    /// Rows of mean 0 and variance 1.
    rows: FlexTensor,
    /// The factor of each row.
    inverses: Vec<f64>,
    gamma: FlexTensor,
}

/// The result, in the memory of `x` where nothing else uses it.
pub(super) fn value(inputs: Inputs, options: Options) -> FlexTensor {
    let (mut x, others) = split(inputs);
    let parts = Parts::new(&others, options);
    let numbers = x.storage_mut::<f32>();
    let (work, width) = (numbers.len(), parts.width());
    let mut nothing = vec![(); work / width];
    for_rows_with(numbers, width, &mut nothing, work, |i, row, ()| {
        parts.normalise(i, row);
        parts.scale(row);
    });
    x
}

/// The result, and what its gradients need in the memory of `x`.
pub(super) fn value_and_normal(inputs: Inputs, options: Options) -> (FlexTensor, Normal) {
    let (mut rows, others) = split(inputs);
    let parts = Parts::new(&others, options);
    let shape = rows.layout().shape().clone();
    let numbers = rows.storage_mut::<f32>();
    let (work, width) = (numbers.len(), parts.width());
    let (mut value, mut inverses) = (vec![0f32; work], vec![0f64; work / width]);
    let mut found: Vec<_> = value.chunks_mut(width).zip(&mut inverses).collect();
    for_rows_with(numbers, width, &mut found, work, |i, row, (out, inverse)| {
        **inverse = parts.normalise(i, row);
        out.copy_from_slice(row);
        parts.scale(out);
    });
    let [_, gamma, _] = others;
    (tensor(value, shape), Normal { rows, inverses, gamma })
}

/// `x`, to be written to, and residual, gamma and beta.
fn split(Inputs { x, residual, gamma, beta }: Inputs) -> (FlexTensor, [FlexTensor; 3]) {
    (owned(x), [residual, gamma, beta].map(owned))
}

struct Parts<'a> {
    residual: Option<&'a [f32]>,
    gamma: &'a [f32],
    beta: Option<&'a [f32]>,
    epsilon: f64,
    /// A row for what is left out.
    zeros: Vec<f32>,
}

impl<'a> Parts<'a> {
    fn new([residual, gamma, beta]: &'a [FlexTensor; 3], options: Options) -> Self {
        let gamma = numbers(gamma);
        Self {
            residual: options.residual.then(|| numbers(residual)),
            gamma,
            beta: options.beta.then(|| numbers(beta)),
            epsilon: options.epsilon,
            zeros: vec![0.0; gamma.len()],
        }
    }

    fn width(&self) -> usize {
        self.gamma.len()
    }

    /// Gives row `i` mean 0 and variance 1, and returns what it was multiplied with.
    #[inline(always)]
    fn normalise(&self, i: usize, row: &mut [f32]) -> f64 {
        let width = self.width();
        let other = self.residual.map_or(&self.zeros[..], |all| &all[i * width..][..width]);
        let share = 1.0 / width as f64;
        let mean = share * sum(row, other, |x, y| x + y);
        let variance = share * sum(row, other, |x, y| (x + y - mean) * (x + y - mean));
        let inverse = 1.0 / (variance + self.epsilon).sqrt();
        for (x, &y) in row.iter_mut().zip(other) {
            *x = ((f64::from(*x) + f64::from(y) - mean) * inverse) as f32;
        }
        inverse
    }

    #[inline(always)]
    fn scale(&self, row: &mut [f32]) {
        let beta = self.beta.unwrap_or(&self.zeros);
        for ((x, gamma), beta) in row.iter_mut().zip(self.gamma).zip(beta) {
            *x = *x * gamma + beta;
        }
    }
}

/// The gradients with respect to the sum, gamma and beta, given the gradient `slope` of the result.
pub(super) fn gradients(slope: FlexTensor, normal: &Normal) -> [FlexTensor; 3] {
    let (rows, gamma) = (numbers(&normal.rows), numbers(&normal.gamma));
    let width = gamma.len();
    let mut slope = owned(slope);
    // The sums of a stripe are in the place of its first row.
    let mut sums: Vec<[Vec<f32>; 2]> = vec![Default::default(); normal.inverses.len()];
    for_stripes(slope.storage_mut::<f32>(), width, &mut sums, |first, slopes, sums| {
        sums[0] = [vec![0.0; width], vec![0.0; width]];
        for (i, slope) in (first..).zip(slopes.chunks_mut(width)) {
            let row = &rows[i * width..][..width];
            add(&mut sums[0], slope, row);
            row_gradient(slope, row, gamma, normal.inverses[i]);
        }
    });
    let total = |which: usize| {
        let mut total = vec![0f64; width];
        for stripe in &sums {
            total.iter_mut().zip(&stripe[which]).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        tensor(total.into_iter().map(|x| x as f32).collect(), [width])
    };
    let [of_gamma, of_beta] = [0, 1].map(total);
    [slope, of_gamma, of_beta]
}

/// Adds a row to the gradients of gamma and beta.
#[inline(always)]
fn add([of_gamma, of_beta]: &mut [Vec<f32>; 2], slope: &[f32], row: &[f32]) {
    for ((gamma, &slope), &x) in of_gamma.iter_mut().zip(slope).zip(row) {
        *gamma += slope * x;
    }
    for (beta, &slope) in of_beta.iter_mut().zip(slope) {
        *beta += slope;
    }
}

/// Replaces the gradient of a result row by that of the sum: the part of it that changes neither mean nor
/// variance.
#[inline(always)]
fn row_gradient(slope: &mut [f32], row: &[f32], gamma: &[f32], inverse: f64) {
    let share = 1.0 / row.len() as f64;
    let [mean, along] = sums(slope, gamma, row).map(|sum| share * sum);
    for ((slope, &gamma), &x) in slope.iter_mut().zip(gamma).zip(row) {
        let scaled = f64::from(*slope) * f64::from(gamma);
        *slope = (inverse * (scaled - mean - along * f64::from(x))) as f32;
    }
}

/// `Σ xᵢ yᵢ` and `Σ xᵢ yᵢ zᵢ`.
#[inline(always)]
fn sums(x: &[f32], y: &[f32], z: &[f32]) -> [f64; 2] {
    let products = |x: f32, y: f32, z: f32| {
        let product = f64::from(x) * f64::from(y);
        [product, product * f64::from(z)]
    };
    let [(x, x_rest), (y, y_rest), (z, z_rest)] = [x, y, z].map(|row| row.as_chunks::<LANES>());
    let mut lanes = [[0.0; LANES]; 2];
    for ((x, y), z) in x.iter().zip(y).zip(z) {
        for lane in 0..LANES {
            let [two, three] = products(x[lane], y[lane], z[lane]);
            lanes[0][lane] += two;
            lanes[1][lane] += three;
        }
    }
    let mut sums = lanes.map(|lanes| lanes.iter().sum::<f64>());
    for ((&x, &y), &z) in x_rest.iter().zip(y_rest).zip(z_rest) {
        let [two, three] = products(x, y, z);
        sums[0] += two;
        sums[1] += three;
    }
    sums
}
