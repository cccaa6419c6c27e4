//! A step of AdamW.

use burn::prelude::*;

use crate::kernels::flex;

/// A step of AdamW for one parameter: gradient `g`, moments `m` and `v`, parameter `p`.
///
/// ```text
/// g ← gradient_scale · g
/// m ← beta_1 · m + (1 − beta_1) · g
/// v ← beta_2 · v + (1 − beta_2) · g²
/// p ← (1 − learning_rate · weight_decay) · p
///     − learning_rate · m / (1 − beta_1ᵗ) / (√(v / (1 − beta_2ᵗ)) + epsilon)
/// ```
///
/// On Flex this is one pass in `f32`, in the memory of parameter and moments where nothing else uses it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamStep {
    /// The step size of the parameter.
    pub learning_rate: f64,
    /// The share of the first moment that is kept, from 0 to below 1.
    pub beta_1: f32,
    /// The share of the second moment that is kept, from 0 to below 1.
    pub beta_2: f32,
    /// Keeps the divisor from 0.
    pub epsilon: f32,
    /// The parameter loses this share of itself, times the learning rate.
    pub weight_decay: f64,
    /// The gradient is multiplied with it first, to bound its length.
    pub gradient_scale: f64,
    /// The number `t` of the step, from 1.
    pub time: usize,
}

impl AdamStep {
    /// The parameter after the step, and the moments; these are zero before the first step, or `None`.
    ///
    /// No graph.
    pub fn apply<const D: usize>(
        &self,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        moments: Option<[Tensor<D>; 2]>,
    ) -> (Tensor<D>, [Tensor<D>; 2]) {
        let (parameter, gradient) = (parameter.inner(), gradient.inner());
        let moments = match moments {
            Some(moments) => moments.map(Tensor::inner),
            None => [parameter.zeros_like(), parameter.zeros_like()],
        };
        flex::adam_step(self, parameter, gradient, moments).unwrap_or_else(
            |(parameter, gradient, moments)| self.plain(parameter, gradient, moments),
        )
    }

    fn plain<const D: usize>(
        &self,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        [first, second]: [Tensor<D>; 2],
    ) -> (Tensor<D>, [Tensor<D>; 2]) {
        let gradient = gradient.mul_scalar(self.gradient_scale);
        let square = gradient.clone() * gradient.clone();
        let first = first.mul_scalar(self.beta_1) + gradient.mul_scalar(1.0 - self.beta_1);
        let second = second.mul_scalar(self.beta_2) + square.mul_scalar(1.0 - self.beta_2);
        let [of_first, of_second] = self.corrections();
        let divisor = second.clone().div_scalar(of_second).sqrt().add_scalar(self.epsilon);
        let change = first.clone().div_scalar(of_first) / divisor;
        let kept = parameter.mul_scalar(1.0 - self.learning_rate * self.weight_decay);
        (kept - change.mul_scalar(self.learning_rate), [first, second])
    }

    /// The weight of all gradients so far in each of the moments, by which it is divided.
    pub(in crate::kernels) fn corrections(&self) -> [f32; 2] {
        [self.beta_1, self.beta_2].map(|beta| 1.0 - beta.powi(self.time as i32))
    }
}

/// A parameter, its gradient and its moments.
pub(in crate::kernels) type Given<const D: usize> = (Tensor<D>, Tensor<D>, [Tensor<D>; 2]);

/// A parameter after a step, and its moments.
pub(in crate::kernels) type Moved<const D: usize> = (Tensor<D>, [Tensor<D>; 2]);
