//! Functions of the dot products of rows, with their gradients, in one pass.

use burn::backend::Flex;
use burn::prelude::*;

use super::parallel::{LANES, Matrix, View, for_rows_with, sum, tensor};
use super::suits;
use crate::kernels::carry_gradient::carry_gradient;
use crate::kernels::row_products::OfProducts;

/// Rows whose gradients are handed out together.
const STRIPE: usize = 4;

/// `weight · Σᵢ f(targetsᵢ, products)`, `[1]`; `None` for rows of another type or device.
pub(in crate::kernels) fn row_products_sum(
    [x, targets]: [&Tensor<2>; 2],
    others: &[Tensor<2>],
    weight: f64,
    f: OfProducts,
) -> Option<Tensor<1>> {
    if ![x, targets].into_iter().chain(others).all(suits) {
        return None;
    }
    let matrix = |rows: &Tensor<2>| {
        let rows = rows.clone().inner().try_into_primitive::<Flex>();
        Matrix::new(&rows.expect("a tensor of Flex without a graph"))
    };
    let all: Vec<_> = std::iter::once(x).chain(others).collect();
    let (rows, targets): (Vec<_>, _) = (all.iter().copied().map(matrix).collect(), matrix(targets));
    let rows: Vec<_> = rows.iter().map(Matrix::view).collect();
    let tracked = all.iter().any(|rows| rows.is_tracked());
    let products = RowProducts { rows: &rows, targets: targets.view(), weight, f };
    let (value, gradients) =
        if tracked { products.derived() } else { (products.value(), Vec::new()) };
    let value = Tensor::from_data([(weight * value) as f32], &x.device());
    let carried = all.into_iter().zip(gradients).filter(|(rows, _)| rows.is_tracked());
    Some(
        carried
            .fold(value, |value, (rows, gradient)| value + carry_gradient(rows.clone(), gradient)),
    )
}

struct RowProducts<'a> {
    /// The first matrix and the others.
    rows: &'a [View<'a>],
    targets: View<'a>,
    weight: f64,
    f: OfProducts<'a>,
}

impl RowProducts<'_> {
    /// The number of rows, and of numbers that are read.
    fn size(&self) -> (usize, usize) {
        let View { rows, columns, .. } = self.rows[0];
        (rows, rows * columns * self.rows.len())
    }

    fn value(&self) -> f64 {
        let (n, work) = self.size();
        let (mut values, mut nothing) = (vec![0f64; n], vec![(); n]);
        for_rows_with(&mut values, 1, &mut nothing, work, |i, value, ()| {
            value[0] = self.of_row(i, &mut vec![0.0; self.rows.len() - 1]);
        });
        values.iter().sum()
    }

    /// The value and the gradient of each matrix, `[n, dim]`.
    fn derived(&self) -> (f64, Vec<Tensor<2>>) {
        let ((n, work), dim) = (self.size(), self.rows[0].columns);
        let mut gradients: Vec<_> = self.rows.iter().map(|_| vec![0f32; n * dim]).collect();
        let mut stripes: Vec<Vec<&mut [f32]>> = Vec::new();
        stripes.resize_with(n.div_ceil(STRIPE), || Vec::with_capacity(self.rows.len()));
        for gradient in &mut gradients {
            let parts = gradient.chunks_mut(STRIPE * dim);
            stripes.iter_mut().zip(parts).for_each(|(stripe, part)| stripe.push(part));
        }
        let mut values = vec![0f64; stripes.len()];
        for_rows_with(&mut values, 1, &mut stripes, work, |stripe, value, gradients| {
            let mut products = vec![0.0; self.rows.len() - 1];
            let first = stripe * STRIPE;
            for i in first..n.min(first + STRIPE) {
                value[0] += self.of_row(i, &mut products);
                products.iter_mut().for_each(|slope| *slope *= self.weight);
                self.derive(i, &products, gradients, (i - first) * dim);
            }
        });
        let gradient = |numbers| Tensor::from_primitive::<Flex>(tensor(numbers, [n, dim]));
        (values.iter().sum(), gradients.into_iter().map(gradient).collect())
    }

    /// The value of a row; its products become their derivatives.
    #[inline(always)]
    fn of_row(&self, i: usize, products: &mut [f64]) -> f64 {
        let x = self.rows[0].row(i);
        for (product, others) in products.iter_mut().zip(&self.rows[1..]) {
            *product = sum(x, others.row(i), |x, y| x * y);
        }
        (self.f)(self.targets.row(i), products)
    }

    /// Writes the gradients of row `i` to the place `start`.
    #[inline(always)]
    fn derive(&self, i: usize, slopes: &[f64], gradients: &mut [&mut [f32]], start: usize) {
        let (x, others) = (self.rows[0].row(i), &self.rows[1..]);
        let (of_x, of_others) = gradients.split_first_mut().expect("a gradient for each matrix");
        for (gradient, &slope) in of_others.iter_mut().zip(slopes) {
            multiples(x, slope, &mut gradient[start..start + x.len()]);
        }
        weighted_sum(others, i, slopes, &mut of_x[start..start + x.len()]);
    }
}

/// `slope · x`.
#[inline(always)]
fn multiples(x: &[f32], slope: f64, out: &mut [f32]) {
    let narrow = slope as f32;
    match narrow.is_normal() || slope == 0.0 {
        true => out.iter_mut().zip(x).for_each(|(out, &x)| *out = narrow * x),
        false => out.iter_mut().zip(x).for_each(|(out, &x)| *out = (slope * f64::from(x)) as f32),
    }
}

/// The sum of row `i` of all matrices, each times its slope. In `f64`: terms of opposite signs may be infinite in `f32`,
/// or leave none of their digits.
#[inline(always)]
fn weighted_sum(matrices: &[View], i: usize, slopes: &[f64], out: &mut [f32]) {
    let (wide, rest) = out.as_chunks_mut::<LANES>();
    for (part, out) in wide.iter_mut().enumerate() {
        let mut sums = [0f64; LANES];
        for (matrix, &slope) in matrices.iter().zip(slopes) {
            let row: &[f32; LANES] = &matrix.row(i).as_chunks::<LANES>().0[part];
            for lane in 0..LANES {
                sums[lane] += slope * f64::from(row[lane]);
            }
        }
        *out = sums.map(|sum| sum as f32);
    }
    let first = LANES * wide.len();
    for (place, out) in rest.iter_mut().enumerate() {
        let term = |(matrix, slope): (&View, &f64)| slope * f64::from(matrix.row(i)[first + place]);
        *out = matrices.iter().zip(slopes).map(term).sum::<f64>() as f32;
    }
}
