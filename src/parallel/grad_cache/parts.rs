//! Gradients, a mini-batch at a time.

use core::any::Any;
use core::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use burn::prelude::*;
use burn::tensor::Gradients;

use super::pass::Pass;
use crate::batch::Columns;
use crate::parallel::leaves::{Embedded, Leaves, embeddings, require_same, through};

/// The parts of the gradients, each computed when it is taken.
pub(super) struct Parts<'a, E, F, C> {
    of_loss: Option<Gradients>,
    pass: Pass<F, C>,
    encoder: &'a E,
    /// The mini-batches that are left, with their numbers.
    ranges: core::iter::Enumerate<std::vec::IntoIter<Range<usize>>>,
    /// The embeddings of the first pass.
    whole: Vec<Embedded>,
}

impl<'a, E, F, C> Parts<'a, E, F, C> {
    pub fn of(
        value: &Tensor<1>,
        leaves: Leaves,
        pass: Pass<F, C>,
        (encoder, ranges): (&'a E, Vec<Range<usize>>),
    ) -> Self {
        let (of_loss, whole) = leaves.backward(value);
        let reached = whole.iter().any(|(_, gradient)| gradient.is_some());
        let ranges = if reached { ranges } else { Vec::new() };
        Self { of_loss, pass, encoder, ranges: ranges.into_iter().enumerate(), whole }
    }

    /// A number with the gradient that the loss has through one mini-batch, if it has any.
    #[track_caller]
    fn through(&self, index: usize, range: Range<usize>) -> Option<Tensor<1>>
    where
        F: Fn(&E, Range<usize>) -> C,
        C: Columns,
    {
        let again = embeddings(&self.pass.embed(self.encoder, index, range.clone()));
        require_same("GradCache", &again, &self.whole, &range);
        through(again, &self.whole, range)
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
