//! Layer normalisation of a sum.

use burn::prelude::*;
use burn::tensor::module;

use crate::kernels::flex;
use crate::numeric::accumulate;

/// `gamma · (s − mean(s)) / √(var(s) + epsilon) + beta` with `s = x + residual`, over the last dimension.
///
/// `x` and `residual` have the same shape, `gamma` and `beta` are `[size]` for a last dimension of that size.
///
/// # Numerical behavior
///
/// On Flex mean and variance are summed up in `f64`, and neither the sum nor a difference from the mean is
/// rounded on the way. Half precision is widened to `f32`; the result has the type of `x`.
///
/// # Panics
///
/// If `gamma` does not have the size of the last dimension.
#[track_caller]
pub fn layer_norm<const D: usize>(
    x: Tensor<D>,
    residual: Option<Tensor<D>>,
    gamma: Tensor<1>,
    beta: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<D> {
    let ([expected], got) = (gamma.dims(), x.dims()[D - 1]);
    assert!(
        expected == got,
        "layer_norm: the last dimension of `x` must be {expected}, as `gamma` is, got {got}"
    );
    let given = LayerNorm { x, residual, gamma, beta, epsilon };
    flex::layer_norm(given).unwrap_or_else(LayerNorm::plain)
}

/// The inputs of a layer normalisation.
pub(in crate::kernels) struct LayerNorm<const D: usize> {
    pub x: Tensor<D>,
    pub residual: Option<Tensor<D>>,
    pub gamma: Tensor<1>,
    pub beta: Option<Tensor<1>>,
    pub epsilon: f64,
}

impl<const D: usize> LayerNorm<D> {
    fn plain(self) -> Tensor<D> {
        let dtype = self.x.dtype();
        let x = accumulate(self.x);
        let sum = match self.residual {
            Some(residual) => x + accumulate(residual),
            None => x,
        };
        let [gamma, beta] = [Some(self.gamma), self.beta].map(|x| x.map(accumulate));
        let gamma = gamma.expect("it was there before");
        module::layer_norm(sum, gamma, beta, self.epsilon).cast(dtype)
    }
}
