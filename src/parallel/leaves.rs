//! The boundary between encoder and loss: embeddings become leaves, and their gradients go back.

use core::ops::Range;

use burn::prelude::*;
use burn::tensor::{GradientCheckpointingStrategy, Gradients};

use super::rows::matrix;
use crate::batch::{ColumnMapper, ColumnVisitor, Columns, Role};

/// Turns embeddings into leaves of a graph of their own.
pub(super) struct Leaves {
    /// What their graph records, like that of the loss's own parameters.
    strategy: GradientCheckpointingStrategy,
    /// The embeddings as constants, `[rows, width]` each.
    embeddings: Vec<Tensor<2>>,
    leaves: Vec<Tensor<2>>,
}

impl ColumnMapper for Leaves {
    fn map<const D: usize>(&mut self, role: Role, _: &str, column: Tensor<D>) -> Tensor<D> {
        if role.is_constant() {
            return column;
        }
        let rows = matrix(&column);
        let leaf = rows.clone().autodiff().with_gradient_checkpointing_strategy(self.strategy);
        let leaf = leaf.require_grad();
        self.embeddings.push(rows);
        self.leaves.push(leaf.clone());
        leaf.reshape(column.dims())
    }
}

/// Embeddings without a graph, and the gradient of the loss with respect to them if it has any,
/// `[rows, width]`.
pub(super) type Embedded = (Tensor<2>, Option<Tensor<2>>);

impl Leaves {
    /// Leaves whose graph records what the encoder's device records.
    pub fn like<E: Module>(encoder: &E) -> Self {
        let devices = encoder.devices();
        let strategy = devices.iter().find_map(Device::gradient_checkpointing_strategy);
        Self { strategy: strategy.unwrap_or_default(), embeddings: Vec::new(), leaves: Vec::new() }
    }

    /// The gradients of `value`: those of everything but the leaves, and those of the leaves.
    pub fn backward(self, value: &Tensor<1>) -> (Option<Gradients>, Vec<Embedded>) {
        let mut others = value.is_tracked().then(|| value.backward());
        let gradient = |leaf: Tensor<2>| leaf.grad_remove(others.as_mut()?);
        let gradients: Vec<_> = self.leaves.into_iter().map(gradient).collect();
        (others, self.embeddings.into_iter().zip(gradients).collect())
    }
}

/// The embeddings of part of a batch, `[rows, width]` each, in the order of [`Leaves`].
#[derive(Default)]
struct Embeddings(Vec<Tensor<2>>);

impl ColumnVisitor for Embeddings {
    fn visit<const D: usize>(&mut self, role: Role, _: &str, column: &Tensor<D>) {
        if !role.is_constant() {
            self.0.push(matrix(column));
        }
    }
}

/// The embeddings of a part of a batch that the loss sees, `[rows, width]` each.
pub(super) fn embeddings<C: Columns>(part: &C) -> Vec<Tensor<2>> {
    let mut embeddings = Embeddings::default();
    part.visit_columns(&mut embeddings);
    embeddings.0
}

/// A number with the gradient that the loss has through `part`, the embeddings of the rows `range` of
/// `whole`; `None` if the loss has none through them.
pub(super) fn through(
    part: Vec<Tensor<2>>,
    whole: &[Embedded],
    range: Range<usize>,
) -> Option<Tensor<1>> {
    let product = |(rows, (_, gradient)): (Tensor<2>, &Embedded)| {
        let gradient = gradient.as_ref().filter(|_| rows.is_tracked())?;
        let gradient = gradient.clone().slice([range.clone()]).to_device(&rows.device().inner());
        Some((rows.clone() * gradient.cast(rows.dtype())).sum())
    };
    part.into_iter().zip(whole).filter_map(product).reduce(|sum, product| sum + product)
}

/// Panics unless the rows `range`, embedded `again`, are those of the first time, up to differences that a kernel may
/// have between runs. Reads from the device, so only in a debug build.
#[track_caller]
pub(super) fn require_same(
    owner: &str,
    again: &[Tensor<2>],
    whole: &[Embedded],
    range: &Range<usize>,
) {
    if !cfg!(debug_assertions) {
        return;
    }
    for (second, (first, _)) in again.iter().zip(whole) {
        let first = first.clone().slice([range.clone()]).to_device(&second.device().inner());
        let apart = (second.clone().inner() - first.clone()).abs().max();
        let allowed = first.abs().max().mul_scalar(1e-3);
        let same = apart.lower_equal(allowed).into_data().iter::<bool>().all(|same| same);
        assert!(
            same,
            "{owner}: `embed` must give the same embeddings both times; does nothing else draw random \
             numbers?"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GradCache, Workers};
    use burn::nn::{Linear, LinearConfig};

    #[test]
    fn a_loss_with_parameters_works_whatever_their_device_records() {
        let device = Device::flex().autodiff().gradient_checkpointing();
        let encoder = LinearConfig::new(2, 3).init(&device);
        let scale = Tensor::<1>::ones([1], &device).require_grad();
        let embed = |encoder: &Linear, rows: Range<usize>| {
            encoder.forward(Tensor::ones([rows.len(), 2], &encoder.weight.device()))
        };
        let loss = |rows: Tensor<2>| rows.sum() * scale.clone();

        let step = GradCache::new(2).step(&encoder, 4, embed, loss);
        let value = step.loss.into_scalar::<f32>();
        let mut parts = step.gradients;
        let of_scale = parts.find_map(|part| scale.grad(&part)).expect("a gradient");
        assert!((of_scale.into_scalar::<f32>() - value).abs() < 1e-6);

        let workers = Workers::threads(2, &device);
        let step = workers.step(&encoder, &[0..2, 2..4], embed, loss);
        let of_scale = step.of_loss.and_then(|rest| scale.grad(&rest)).expect("a gradient");
        assert!((of_scale.into_scalar::<f32>() - step.loss.into_scalar::<f32>()).abs() < 1e-6);
    }
}
