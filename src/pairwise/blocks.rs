//! A block of anchors at a time: sums over all pairs of rows without a matrix of all pairs.
//!
//! An in-batch loss is a sum over anchors of a function of that anchor's row of scores. Each block
//! gives its value **and its gradient at once** and is let go; what is kept are gradients of the
//! rows, `[n, dim]`.

use core::ops::Range;

use burn::prelude::*;

use super::norm::carry_gradient;

/// What the scores of a block of anchors may take by default, in bytes, for embeddings of this shape:
/// 32 MiB, or as much as the embeddings themselves in `f32` where these take more.
pub fn default_budget([n, dim]: [usize; 2]) -> usize {
    (32 << 20).max(4 * n * dim)
}

/// How anchors are divided into blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks {
    /// The row of the first anchor.
    first: usize,
    anchors: usize,
    rows: usize,
}

impl Blocks {
    /// As few blocks of nearly equal size as keep to `budget` bytes ([`default_budget`] if `None`) for
    /// embeddings `[anchors, dim]`, where an anchor takes `bytes_per_anchor`.
    ///
    /// # Panics
    ///
    /// If not even one anchor fits: ``owner: `memory_budget` must be at least ..``.
    #[track_caller]
    pub fn within(
        owner: &str,
        budget: Option<usize>,
        embeddings: [usize; 2],
        bytes_per_anchor: usize,
    ) -> Self {
        let [anchors, _] = embeddings;
        // What is not asked for cannot be refused.
        let default = || default_budget(embeddings).max(bytes_per_anchor);
        let budget = budget.unwrap_or_else(default);
        assert!(
            budget >= bytes_per_anchor,
            "{owner}: `memory_budget` must be at least {bytes_per_anchor} for a batch of {anchors} \
             rows, got {budget}"
        );
        let count = anchors.div_ceil(budget / bytes_per_anchor.max(1));
        Self { first: 0, anchors, rows: anchors.div_ceil(count) }
    }

    /// The same blocks of anchors that are the rows from `first` on: what a device has of a batch that
    /// is spread over several.
    pub fn starting_at(self, first: usize) -> Self {
        Self { first, ..self }
    }

    /// Blocks of up to `factor` times as many anchors, for what takes as much less memory.
    #[cfg(feature = "flex")]
    pub(crate) fn coarser(self, factor: usize) -> Self {
        let count = self.anchors.div_ceil((self.rows * factor).min(self.anchors));
        Self { rows: self.anchors.div_ceil(count), ..self }
    }

    /// The number of anchors, of all blocks together.
    pub fn anchors(self) -> usize {
        self.anchors
    }

    /// The rows that are anchors.
    pub fn all(self) -> Range<usize> {
        self.first..self.first + self.anchors
    }

    /// The anchors of each block, in order.
    pub fn ranges(self) -> impl Iterator<Item = Range<usize>> {
        let Range { start, end } = self.all();
        let rows = self.rows;
        (start..end).step_by(rows).map(move |start| start..end.min(start + rows))
    }
}

/// The sum of `part` over all blocks, `[1]`, with its gradient with respect to `rows`, and whatever
/// else the parts give.
///
/// `part` takes the anchors of a block and all rows, and gives one number, `[1]`, that is derived
/// by a graph of its own. Without a gradient to compute there is no graph.
pub(crate) fn sum<const K: usize, T>(
    rows: [Tensor<2>; K],
    blocks: Blocks,
    part: impl Fn(Range<usize>, [Tensor<2>; K]) -> (Tensor<1>, T),
) -> (Tensor<1>, Vec<T>) {
    if !rows.iter().any(Tensor::is_tracked) {
        let (values, others): (Vec<_>, _) =
            blocks.ranges().map(|range| part(range, rows.clone())).unzip();
        return (total(values), others);
    }
    let mut gradients = wanted(&rows, blocks);
    let (mut values, mut others) = (Vec::new(), Vec::new());
    for range in blocks.ranges() {
        let leaves = rows.each_ref().map(|rows| {
            let leaf = Tensor::from_inner(rows.clone().inner());
            if rows.is_tracked() { leaf.require_grad() } else { leaf }
        });
        let (value, other) = part(range, leaves.clone());
        let mut found = value.backward();
        for (gradient, leaf) in gradients.iter_mut().zip(&leaves) {
            if let Some((gradient, part)) = gradient.as_mut().zip(leaf.grad_remove(&mut found)) {
                gradient.add(part);
            }
        }
        values.push(value.inner());
        others.push(other);
    }
    (carry_all(total(values), rows, gradients), others)
}

/// The sum over all blocks of values that `part` gives with their gradients, both without a graph.
///
/// `part` takes the anchors of a block, gives its value, `[1]`, and adds to the gradients that are
/// wanted.
pub(crate) fn closed_sum<const K: usize>(
    rows: [Tensor<2>; K],
    blocks: Blocks,
    mut part: impl FnMut(Range<usize>, &mut [Option<Accumulated>; K]) -> Tensor<1>,
) -> Tensor<1> {
    let mut gradients = wanted(&rows, blocks);
    let values = blocks.ranges().map(|range| part(range, &mut gradients)).collect();
    carry_all(total(values), rows, gradients)
}

/// A gradient that blocks add to: all rows at a time, or the anchors in order.
#[derive(Debug)]
pub(crate) struct Accumulated {
    rows: usize,
    /// The row of the first anchor.
    first: usize,
    all: Option<Tensor<2>>,
    anchors: Vec<Tensor<2>>,
}

impl Accumulated {
    /// Nothing yet, for `rows` rows of which some are the anchors of `blocks`.
    pub fn new(rows: usize, blocks: Blocks) -> Self {
        Self { rows, first: blocks.first, all: None, anchors: Vec::new() }
    }

    /// Adds to the gradient of all rows, `[n, dim]`.
    pub fn add(&mut self, part: Tensor<2>) {
        self.all = Some(match self.all.take() {
            None => part,
            Some(sum) => sum + part,
        });
    }

    /// Adds to the gradient of the rows behind those of the last call, from the first anchor on.
    pub fn add_next(&mut self, part: Tensor<2>) {
        self.anchors.push(part);
    }

    /// All of it; `None` if nothing was added.
    pub fn into_gradient(self) -> Option<Tensor<2>> {
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

fn total(values: Vec<Tensor<1>>) -> Tensor<1> {
    values.into_iter().reduce(|sum, value| sum + value).expect("a batch has at least one row")
}

/// A place for the gradient of each of the rows that have one.
fn wanted<const K: usize>(rows: &[Tensor<2>; K], blocks: Blocks) -> [Option<Accumulated>; K] {
    let place = |rows: &Tensor<2>| Accumulated::new(rows.dims()[0], blocks);
    rows.each_ref().map(|rows| rows.is_tracked().then(|| place(rows)))
}

fn carry_all<const K: usize>(
    value: Tensor<1>,
    rows: [Tensor<2>; K],
    gradients: [Option<Accumulated>; K],
) -> Tensor<1> {
    rows.into_iter().zip(gradients).fold(value, |value, (rows, gradient)| {
        match gradient.and_then(Accumulated::into_gradient) {
            Some(gradient) => {
                let dtype = value.dtype();
                value + carry_gradient(rows, gradient).cast(dtype)
            }
            None => value,
        }
    })
}
