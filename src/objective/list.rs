//! Lists of documents whose scores should have the shape, or the ranks, of their labels.

use core::ops::Range;

use burn::prelude::*;

use super::classification::log_softmax;
use super::hinge::sigmoid;
use crate::batch::ListBatch;
use crate::blocks::{self, Blocks};
use crate::numeric::lowest_number;
use crate::reduction::{Reduced, Reduction};

/// `−Σᵢ softmax(y)ᵢ ln softmax(s)ᵢ` over the documents of every list, `[lists]`; 0 for an empty list.
pub fn list_cross_entropy(ListBatch { logits, labels, exists }: ListBatch) -> Tensor<1> {
    let absent = exists.bool_not();
    let lowest = lowest_number(labels.dtype());
    let wanted = log_softmax(labels.mask_fill(absent.clone(), lowest)).exp();
    let log_p = log_softmax(logits.mask_fill(absent.clone(), lowest));
    // A product with what does not exist is 0 · −∞.
    let terms = log_p.mask_fill(absent.clone(), 0.0) * wanted.mask_fill(absent, 0.0);
    terms.sum_dim(1).neg().squeeze_dim(1)
}

/// `Σᵢ (πᵢ − π̂ᵢ)² / log₂(1 + πᵢ) / #{documents}` over all documents of all lists, one number: `πᵢ` is the rank of the
/// label, with the mean for equal labels, and `π̂ᵢ = 1 + Σ_{j ≠ i} σ(α (sⱼ − sᵢ))` that of the score.
///
/// Documents are compared with the others of their list a block at a time.
pub fn rank_error(batch: ListBatch, alpha: f64, blocks: Blocks) -> Reduced {
    let ListBatch { logits, labels, exists } = batch;
    let ([lists, longest], dtype) = (logits.dims(), logits.dtype());
    let number = |flags: Tensor<2, Bool>| flags.float().cast(dtype);
    let part = |range: Range<usize>, [scores]: [Tensor<2>; 1]| {
        let elements = range.start as i64..range.end as i64;
        let list = Tensor::<1, Int>::arange(elements, &scores.device()).div_scalar(longest as i64);
        let own = |x: Tensor<2>| x.reshape([lists * longest, 1]).slice([range.clone(), 0..1]);
        let others = number(exists.clone()).select(0, list.clone());

        let rank = {
            let (own, others_labels) =
                (own(labels.clone()), labels.clone().select(0, list.clone()));
            let above = number(others_labels.clone().greater(own.clone())) * others.clone();
            let equal = number(others_labels.equal(own)) * others.clone();
            above.sum_dim(1) + equal.sum_dim(1).add_scalar(1.0).mul_scalar(0.5)
        };
        let ahead = scores.clone().select(0, list) - own(scores);
        let ahead = sigmoid(ahead.mul_scalar(alpha)) * others;
        // A document is half ahead of itself.
        let soft_rank = ahead.sum_dim(1).add_scalar(0.5);
        let discount = rank.clone().add_scalar(1.0).log().mul_scalar(2f64.ln().recip());
        let error = (soft_rank - rank).square() / discount;
        let absent = exists.clone().bool_not().reshape([lists * longest, 1]);
        let absent = absent.slice([range.clone(), 0..1]);
        error.mask_fill(absent, 0.0).sum()
    };
    let count = number(exists.clone()).sum();
    let sum = blocks::sum([logits], blocks, part);
    Reduced::of_sum(sum, count, Reduction::Mean)
}
