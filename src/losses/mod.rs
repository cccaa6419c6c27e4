//! The losses: one file, one Config and one Module for each.

mod angle;
mod batch_all_triplet;
mod batch_hard_soft_margin_triplet;
mod batch_hard_triplet;
mod batch_semi_hard_triplet;
mod circle;
mod contrastive;
mod contrastive_tension;
mod contrastive_tension_in_batch_negatives;
mod cosent;
mod cosine_similarity;
mod criterion;
mod denoising_auto_encoder;
mod distill_kl_div;
mod embed_distill;
mod gist_embed;
mod global_orthogonal_regularization;
mod margin_mse;
mod mega_batch_margin;
mod mse;
mod multi_similarity;
pub mod multi_vector;
mod multiple_negatives_ranking;
mod online_contrastive;
mod projection;
pub mod reranking;
mod sig_lip;
mod softmax;
pub mod sparse;
mod sup_con;
mod triplet;
mod wrappers;

use burn::prelude::*;
use serde::{Deserialize, Serialize};

#[doc(alias = "AnglELoss")]
pub use angle::AngleLoss;
pub use angle::AngleLossConfig;
pub use batch_all_triplet::{BatchAllTripletLoss, BatchAllTripletLossConfig};
pub use batch_hard_soft_margin_triplet::{
    BatchHardSoftMarginTripletLoss, BatchHardSoftMarginTripletLossConfig,
};
pub use batch_hard_triplet::{BatchHardTripletLoss, BatchHardTripletLossConfig};
pub use batch_semi_hard_triplet::{BatchSemiHardTripletLoss, BatchSemiHardTripletLossConfig};
pub use circle::{CircleLoss, CircleLossConfig};
pub use contrastive::{ContrastiveLoss, ContrastiveLossConfig};
pub use contrastive_tension::{ContrastiveTensionLoss, ContrastiveTensionLossConfig};
pub use contrastive_tension_in_batch_negatives::{
    ContrastiveTensionLossInBatchNegatives, ContrastiveTensionLossInBatchNegativesConfig,
};
#[doc(alias = "CoSENTLoss")]
pub use cosent::CoSentLoss;
pub use cosent::CoSentLossConfig;
pub use cosine_similarity::{
    CosineSimilarityLoss, CosineSimilarityLossConfig, ScoreError, ScoreTransformation,
};
pub use criterion::Criterion;
// Search finds an alias only where an item is exported.
#[doc(alias = "TSDAE")]
pub use denoising_auto_encoder::DenoisingAutoEncoderLoss;
pub use denoising_auto_encoder::DenoisingAutoEncoderLossConfig;
#[doc(alias = "DistillKLDivLoss")]
pub use distill_kl_div::DistillKlDivLoss;
pub use distill_kl_div::DistillKlDivLossConfig;
pub use embed_distill::{EmbedDistillLoss, EmbedDistillLossConfig, TeacherDistance};
#[doc(alias = "GISTEmbedLoss", alias = "CachedGISTEmbedLoss")]
pub use gist_embed::GistEmbedLoss;
pub use gist_embed::{GistEmbedLossConfig, MarginStrategy};
#[doc(alias = "GOR")]
pub use global_orthogonal_regularization::GlobalOrthogonalRegularizationLoss;
pub use global_orthogonal_regularization::GlobalOrthogonalRegularizationLossConfig;
#[doc(alias = "MarginMSELoss")]
pub use margin_mse::MarginMseLoss;
pub use margin_mse::MarginMseLossConfig;
pub use mega_batch_margin::{MegaBatchMarginLoss, MegaBatchMarginLossConfig};
#[doc(alias = "MSELoss")]
pub use mse::MseLoss;
pub use mse::MseLossConfig;
#[doc(alias = "MultiSimilarityMiner")]
pub use multi_similarity::{MultiSimilarityLoss, MultiSimilarityLossConfig};
#[doc(
    alias = "CLIP",
    alias = "InfoNCE",
    alias = "MultipleNegativesSymmetricRankingLoss",
    alias = "NT-Xent",
    alias = "NTXentLoss",
    alias = "SimCSE"
)]
pub use multiple_negatives_ranking::MultipleNegativesRankingLoss;
pub use multiple_negatives_ranking::{
    Direction, FalseNegatives, Hardness, MultipleNegativesRankingLossConfig, PartitionMode,
};
pub use online_contrastive::{OnlineContrastiveLoss, OnlineContrastiveLossConfig};
pub use projection::ProjectionConfig;
#[doc(alias = "SigLIP")]
pub use sig_lip::SigLipLoss;
pub use sig_lip::SigLipLossConfig;
pub use softmax::{SoftmaxLoss, SoftmaxLossConfig};
pub use sup_con::{SupConLoss, SupConLossConfig};
pub use triplet::{TripletLoss, TripletLossConfig};
pub use wrappers::{
    AdaptiveLayerLoss, AdaptiveLayerLossConfig, LayerWeighting, Matryoshka2dLoss,
    Matryoshka2dLossConfig, MatryoshkaLoss, MatryoshkaLossConfig,
};

use crate::config::config;
use criterion::{BatchLoss, PartsLoss, WholeBatchLoss, forward, init};

use crate::blocks::Blocks;
use crate::select::valid_anchors;

/// Which anchors of a labelled batch a batch-triplet loss counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Anchors {
    /// All, as sentence-transformers does: an anchor without a positive still pushes its nearest
    /// negative away, and in a batch of one class the loss is a constant or pulls all rows
    /// together.
    All,
    /// Only anchors that have both a positive and a negative in the batch. A batch with none has
    /// loss 0 and gradient 0. Choose it when batches are not sampled by label, so that lone labels
    /// neither repel for nothing nor dilute the mean.
    Valid,
}

impl Anchors {
    /// The anchors to restrict a loss to; `None` for all.
    fn restrict(self, labels: Tensor<1, Int>, blocks: Blocks) -> Option<Tensor<1, Bool>> {
        match self {
            Self::All => None,
            Self::Valid => Some(valid_anchors(labels, blocks)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classifier_of_a_loss_is_recorded_with_it() {
        let device = Device::flex();
        let saved = SoftmaxLossConfig::new(3, 2).init(&device);
        let other =
            SoftmaxLossConfig::new(3, 2).init(&device).load_record(saved.clone().into_record());
        let weights = |loss: &SoftmaxLoss| loss.classifier.weight.val().into_data();
        assert_eq!(weights(&other), weights(&saved));
        assert_eq!(saved.num_params(), 9 * 2 + 2);
    }

    #[test]
    fn a_criterion_takes_whatever_becomes_its_batch() {
        fn by_criterion<B>(criterion: impl Criterion<B>, batch: B) -> f32 {
            criterion.loss(batch).into_scalar()
        }
        let rows = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0]], &Device::flex());
        let triplet = (rows.clone(), rows.clone(), rows.clone());
        assert_eq!(by_criterion(TripletLossConfig::new().init(), triplet), 5.0);
        let pair = (rows.clone(), rows);
        assert_eq!(by_criterion(MegaBatchMarginLossConfig::new().init(), pair), 0.0);
    }
}
