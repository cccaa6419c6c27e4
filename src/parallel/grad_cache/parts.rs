//! Gradients, a mini-batch at a time.

use core::any::Any;
use core::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use burn::prelude::*;
use burn::tensor::Gradients;

use super::pass::Pass;
use crate::batch::{ColumnMapper, ColumnVisitor, Columns, Role};
use crate::parallel::rows::matrix;

/// Turns embeddings into leaves of a graph of their own.
#[derive(Default)]
pub(super) struct Leaves {
    /// The embeddings as constants, `[rows, width]` each.
    embeddings: Vec<Tensor<2>>,
    leaves: Vec<Tensor<2>>,
}

impl ColumnMapper for Leaves {
    fn map<const D: usize>(&mut self, role: Role, _: &str, column: Tensor<D>) -> Tensor<D> {
        if role == Role::Target {
            return column;
        }
        let rows = matrix(&column);
        let leaf = Tensor::from_inner(rows.clone()).require_grad();
        self.embeddings.push(rows);
        self.leaves.push(leaf.clone());
        leaf.reshape(column.dims())
    }
}

/// The embeddings of a mini-batch, `[rows, width]` each, in the order of [`Leaves`].
#[derive(Default)]
struct Embeddings(Vec<Tensor<2>>);

impl ColumnVisitor for Embeddings {
    fn visit<const D: usize>(&mut self, role: Role, _: &str, column: &Tensor<D>) {
        if role != Role::Target {
            self.0.push(matrix(column));
        }
    }
}

/// The parts of the gradients, each computed when it is taken.
pub(super) struct Parts<'a, E, F, C> {
    of_loss: Option<Gradients>,
    pass: Pass<F, C>,
    encoder: &'a E,
    /// The mini-batches that are left, with their numbers.
    ranges: core::iter::Enumerate<std::vec::IntoIter<Range<usize>>>,
    /// The embeddings of the first pass, and the gradient of the loss with respect to them.
    embeddings: Vec<(Tensor<2>, Option<Tensor<2>>)>,
}

impl<'a, E, F, C> Parts<'a, E, F, C> {
    pub fn of(
        value: &Tensor<1>,
        Leaves { embeddings, leaves }: Leaves,
        pass: Pass<F, C>,
        (encoder, ranges): (&'a E, Vec<Range<usize>>),
    ) -> Self {
        let mut of_loss = value.is_tracked().then(|| value.backward());
        let gradient = |leaf: Tensor<2>| leaf.grad_remove(of_loss.as_mut()?);
        let gradients: Vec<_> = leaves.into_iter().map(gradient).collect();
        let ranges = if gradients.iter().any(Option::is_some) { ranges } else { Vec::new() };
        let embeddings = embeddings.into_iter().zip(gradients).collect();
        Self { of_loss, pass, encoder, ranges: ranges.into_iter().enumerate(), embeddings }
    }

    /// A number with the gradient that the loss has through one mini-batch, if it has any.
    #[track_caller]
    fn through(&self, index: usize, range: Range<usize>) -> Option<Tensor<1>>
    where
        F: Fn(&E, Range<usize>) -> C,
        C: Columns,
    {
        let mut again = Embeddings::default();
        self.pass.embed(self.encoder, index, range.clone()).visit_columns(&mut again);
        let mut sum = None;
        for (rows, (first, gradient)) in again.0.into_iter().zip(&self.embeddings) {
            // Reads from the device, so only in a debug build.
            if cfg!(debug_assertions) {
                require_same(&rows, first.clone().slice([range.clone()]));
            }
            if let (Some(gradient), true) = (gradient, rows.is_tracked()) {
                let gradient = gradient.clone().slice([range.clone()]).cast(rows.dtype());
                let product = (rows * gradient).sum();
                sum = Some(sum.map_or(product.clone(), |sum: Tensor<1>| sum + product));
            }
        }
        sum
    }
}

impl<E, F: Fn(&E, Range<usize>) -> C, C: Columns> Iterator for Parts<'_, E, F, C> {
    type Item = Gradients;

    #[track_caller]
    fn next(&mut self) -> Option<Gradients> {
        if let Some(of_loss) = self.of_loss.take() {
            return Some(of_loss);
        }
        while let Some((index, range)) = self.ranges.next() {
            if let Some(value) = self.through(index, range) {
                return Some(backward(&value));
            }
        }
        None
    }
}

/// The gradients of a mini-batch.
#[track_caller]
fn backward(value: &Tensor<1>) -> Gradients {
    match catch_unwind(AssertUnwindSafe(|| value.backward())) {
        Ok(gradients) => gradients,
        Err(panic) if is_about_consumed_graph(&*panic) => panic!(
            "GradCache: `embed` must not use a tracked tensor that was computed outside it: the \
             first mini-batch consumed its graph. Compute it inside `embed`, or pass it detached"
        ),
        Err(panic) => resume_unwind(panic),
    }
}

fn is_about_consumed_graph(panic: &(dyn Any + Send)) -> bool {
    let literal = panic.downcast_ref::<&str>().copied();
    let message = panic.downcast_ref::<String>().map(String::as_str).or(literal);
    message.is_some_and(|message| message.contains("already been consumed"))
}

/// Panics unless the two are equal, up to differences that a kernel may have between runs.
#[track_caller]
fn require_same(second: &Tensor<2>, first: Tensor<2>) {
    let apart = (second.clone().inner() - first.clone()).abs().max();
    let allowed = first.abs().max().mul_scalar(1e-3);
    let same = apart.lower_equal(allowed).into_data().iter::<bool>().all(|same| same);
    assert!(
        same,
        "GradCache: `embed` must give the same embeddings both times; does nothing else draw random \
         numbers?"
    );
}
