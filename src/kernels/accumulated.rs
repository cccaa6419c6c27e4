//! A gradient that the blocks of a sum add to.

use burn::prelude::*;

use crate::budget::Blocks;

/// The gradient of a matrix of rows, to which blocks add: to all rows at a time, or to their anchors in
/// order.
#[derive(Debug)]
pub struct Accumulated {
    rows: usize,
    /// The row of the first anchor.
    first: usize,
    all: Option<Tensor<2>>,
    anchors: Vec<Tensor<2>>,
}

impl Accumulated {
    /// An empty gradient of `rows` rows, some of which are the anchors of `blocks`.
    pub(crate) fn new(rows: usize, blocks: Blocks) -> Self {
        Self { rows, first: blocks.all().start, all: None, anchors: Vec::new() }
    }

    /// Adds to the gradient of all rows, `[n, dim]`.
    pub fn add(&mut self, part: Tensor<2>) {
        self.all = Some(match self.all.take() {
            None => part,
            Some(sum) => sum + part,
        });
    }

    /// Adds to the gradient of the next anchors in order; the first call starts at the first anchor.
    pub fn add_next(&mut self, part: Tensor<2>) {
        self.anchors.push(part);
    }

    /// The whole gradient, `[rows, dim]`; `None` if nothing was added.
    pub(crate) fn into_gradient(self) -> Option<Tensor<2>> {
        let Self { rows, first, all, anchors } = self;
        if anchors.is_empty() {
            return all;
        }
        let anchors = Tensor::cat(anchors, 0);
        let [count, dim] = anchors.dims();
        if count == rows {
            return Some(all.into_iter().fold(anchors, |sum, all| all + sum));
        }
        let own = first..first + count;
        let all =
            all.unwrap_or_else(|| Tensor::zeros([rows, dim], (&anchors.device(), anchors.dtype())));
        let sum = all.clone().slice([own.clone()]) + anchors;
        Some(all.slice_assign([own], sum))
    }
}
