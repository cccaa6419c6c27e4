//! Sums of a function of the dot products that each row has with the same row of other matrices.

use burn::prelude::*;

use super::flex;

/// The loss of one row: from its targets and its dot products it computes a value, and replaces each product by the
/// derivative with respect to it.
pub(crate) type OfProducts<'a> = &'a (dyn Fn(&[f32], &mut [f64]) -> f64 + Sync);

/// `weight · Σᵢ f(targetsᵢ, [xᵢ·yᵢ, xᵢ·zᵢ, …])`, `[1]`, for rows `[n, dim]` of `x` and of `others`, and targets
/// `[n, m]`; `plain` computes the same.
///
/// # Numerical behavior
///
/// On the CPU value and gradients come from one pass, with all sums in `f64`.
pub(crate) fn row_products_sum(
    [x, targets]: [&Tensor<2>; 2],
    others: &[Tensor<2>],
    weight: f64,
    f: OfProducts,
    plain: impl FnOnce() -> Tensor<1>,
) -> Tensor<1> {
    flex::row_products_sum([x, targets], others, weight, f).unwrap_or_else(plain)
}
