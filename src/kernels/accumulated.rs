//! A gradient that the blocks of a sum add to.

use core::ops::Range;

use burn::prelude::*;

/// The gradient of a matrix of rows, to which blocks add: to all rows at a time, or to their anchors in
/// order.
#[derive(Debug)]
pub struct Accumulated {
    rows: usize,
    all: Option<Tensor<2>>,
    /// The first row of each block of anchors, and the gradient of the block.
    anchors: Vec<(usize, Tensor<2>)>,
}

impl Accumulated {
    /// An empty gradient of `rows` rows.
    pub(crate) fn new(rows: usize) -> Self {
        Self { rows, all: None, anchors: Vec::new() }
    }

    /// Adds to the gradient of all rows, `[n, dim]`.
    pub fn add(&mut self, part: Tensor<2>) {
        self.all = Some(match self.all.take() {
            None => part,
            Some(sum) => sum + part,
        });
    }

    /// Adds to the gradient of the anchors `range`, `[range, dim]`. Blocks come in order.
    pub fn add_anchors(&mut self, range: &Range<usize>, part: Tensor<2>) {
        match self.anchors.pop() {
            Some((start, sum)) if start == range.start => self.anchors.push((start, sum + part)),
            last => self.anchors.extend(last.into_iter().chain([(range.start, part)])),
        }
    }

    /// The whole gradient, `[rows, dim]`; `None` if nothing was added.
    pub(crate) fn into_gradient(self) -> Option<Tensor<2>> {
        let Self { rows, all, anchors } = self;
        let Some(&(first, _)) = anchors.first() else { return all };
        let anchors = Tensor::cat(anchors.into_iter().map(|(_, part)| part).collect(), 0);
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
