//! Logits of rows that are answered one by one.

use burn::prelude::*;

use super::flex;

/// Slopes, `[rows, columns]`, and terms, `[rows, 1]`.
type Answers = (Tensor<2>, Tensor<2>);

/// `factor · σ(z)`, and `ln(1 + exp(−zᵢₖ)) + Σ_{j≠k} ln(1 + exp(zᵢⱼ))` for every row i, whose own column k is
/// `start + i`; no graph. `plain` computes the same.
///
/// # Numerical behavior
///
/// On the CPU in one pass, in the memory of the logits, with sums in `f64`.
pub(crate) fn answers(
    z: Tensor<2>,
    start: usize,
    factor: f64,
    plain: impl FnOnce(Tensor<2>) -> Answers,
) -> Answers {
    flex::answers(z, start, factor).unwrap_or_else(plain)
}
