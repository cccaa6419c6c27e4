//! The sum over all triplets of a labelled batch, with its gradient, without building a triplet.

use burn::prelude::*;

use super::{ProductDistance, flex};
use crate::budget::Blocks;

/// The negatives that a positive is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Negatives {
    /// All of them; triplets that are larger than 0 count.
    All,
    /// The closest negative that is farther away than the positive, or else the farthest; all positives
    /// count.
    ///
    /// As in sentence-transformers, a pair whose anchor has no negative is `max(0, d(a, p) + m)`.
    SemiHard {
        /// Whether anchors without a negative are left out.
        only_valid: bool,
    },
}

/// The rule by which triplets are chosen and measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TripletRule {
    pub distance: ProductDistance,
    pub margin: f64,
    pub negatives: Negatives,
}

/// `weight(count) · Σ max(0, d(a, p) − d(a, n) + m)`, `[1]`, in the graph of `x`, a block of anchors at a
/// time; `count` is the number of triplets that count. `None` if there is no kernel for these rows.
pub(crate) fn triplet_sum(
    x: &Tensor<2>,
    labels: &Tensor<1, Int>,
    rule: TripletRule,
    blocks: Blocks,
    weight: impl Fn(usize) -> f64,
) -> Option<Tensor<1>> {
    flex::triplet_sum(x, labels, rule, blocks, &weight)
}
