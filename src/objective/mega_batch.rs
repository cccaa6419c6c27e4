//! Pairs that attract, each anchor against the most similar positive of another one.

use burn::prelude::*;

use super::hinge::hinge;
use crate::budget::Blocks;
use crate::geometry::Distance;
use crate::kernels::{Partner, RowMetric};
use crate::select::closest_other;

/// `max(0, m⁺ − cos(aᵢ, pᵢ)) + max(0, maxⱼ≠ᵢ cos(aᵢ, pⱼ) − m⁻)` for the anchors of `blocks`, `[anchors]`.
///
/// A batch of one row has no negative and only the first half.
pub fn mega_batch_margin(
    anchors: Tensor<2>,
    positives: Tensor<2>,
    ids: Option<Tensor<1, Int>>,
    [positive_margin, negative_margin]: [f64; 2],
    blocks: Blocks,
) -> Tensor<1> {
    let rows = [anchors.clone(), positives.clone()];
    let negative = closest_other(Distance::Cosine, rows, ids, blocks);
    let nobody = negative.exists().bool_not();
    let own = |rows: &Tensor<2>| match blocks.all() == (0..rows.dims()[0]) {
        true => rows.clone(),
        false => rows.clone().slice([blocks.all()]),
    };
    let own_anchors = own(&anchors);
    let cosine = |candidates, others| {
        let sources = [own_anchors.clone(), candidates];
        RowMetric::Cosine.compare(sources, others, None)
    };
    let attract = cosine(own(&positives), Partner::SameRow(1));
    let attract = hinge(attract.neg().add_scalar(positive_margin));
    let repel = cosine(positives, Partner::Chosen(1, negative));
    let repel = hinge(repel.sub_scalar(negative_margin));
    attract + repel.mask_fill(nobody, 0.0)
}
