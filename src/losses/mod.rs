//! One file a loss: one Config, one Module.

mod batch_all_triplet;
mod batch_hard_soft_margin_triplet;
mod batch_hard_triplet;
mod batch_semi_hard_triplet;
mod contrastive;
mod cosine_similarity;
mod denoising_auto_encoder;
mod margin_mse;
mod mega_batch_margin;
mod mse;
mod multiple_negatives_ranking;
mod online_contrastive;
mod softmax;
mod triplet;

use burn::prelude::*;
use serde::{Deserialize, Serialize};

pub use batch_all_triplet::{BatchAllTripletLoss, BatchAllTripletLossConfig};
pub use batch_hard_soft_margin_triplet::{
    BatchHardSoftMarginTripletLoss, BatchHardSoftMarginTripletLossConfig,
};
pub use batch_hard_triplet::{BatchHardTripletLoss, BatchHardTripletLossConfig};
pub use batch_semi_hard_triplet::{BatchSemiHardTripletLoss, BatchSemiHardTripletLossConfig};
pub use contrastive::{ContrastiveLoss, ContrastiveLossConfig};
pub use cosine_similarity::{
    CosineSimilarityLoss, CosineSimilarityLossConfig, ScoreError, ScoreTransformation,
};
pub use denoising_auto_encoder::{DenoisingAutoEncoderLoss, DenoisingAutoEncoderLossConfig};
pub use margin_mse::{MarginMseLoss, MarginMseLossConfig};
pub use mega_batch_margin::{MegaBatchMarginLoss, MegaBatchMarginLossConfig};
pub use mse::{MseLoss, MseLossConfig, ProjectionConfig};
pub use multiple_negatives_ranking::{
    Direction, Hardness, MultipleNegativesRankingLoss, MultipleNegativesRankingLossConfig,
    PartitionMode,
};
pub use online_contrastive::{OnlineContrastiveLoss, OnlineContrastiveLossConfig};
pub use softmax::{SoftmaxLoss, SoftmaxLossConfig};
pub use triplet::{TripletLoss, TripletLossConfig};

use crate::blocks::Blocks;
use crate::select::valid_anchors;

/// A loss of one kind of batch: what code that wraps any loss is written against.
pub trait Criterion<Batch> {
    /// The loss of the batch, shape `[1]`.
    fn loss(&self, batch: Batch) -> Tensor<1>;
}

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

/// Gives a configuration its `init`, from its `check`.
macro_rules! init {
    ($config:ident => $loss:ident) => {
        impl $config {
            /// Builds the loss.
            ///
            /// # Panics
            ///
            /// If [`check`](Self::check) finds an error.
            #[track_caller]
            pub fn init(&self) -> $loss {
                $crate::error::expect_valid(self.check());
                $loss { config: self.clone() }
            }
        }
    };
}
use init;

/// Gives a loss its forward functions, its diagnosis and its [`Criterion`], from its `terms`; `forward` may be
/// computed in another way that needs less memory.
macro_rules! forward {
    ($loss:ident, $batch:ident, $terms:literal) => {
        $crate::losses::forward!($loss, $batch, $terms, |loss, batch| {
            loss.terms(batch).reduce(loss.config.reduction)
        });
    };
    ($loss:ident, $batch:ident, $terms:literal, |$self:ident, $b:ident| $reduced:block) => {
        impl $loss {
            /// The loss of the batch, `[1]`.
            ///
            /// # Panics
            ///
            /// If the parts of the batch do not fit together; see the batch's `new`.
            #[track_caller]
            pub fn forward(&self, batch: impl Into<$batch>) -> ::burn::prelude::Tensor<1> {
                let ($self, $b): (&Self, $batch) = (self, batch.into());
                $reduced.into_value()
            }

            #[doc = $terms]
            ///
            /// # Panics
            ///
            /// As [`forward`](Self::forward).
            #[track_caller]
            pub fn forward_no_reduction(
                &self,
                batch: impl Into<$batch>,
            ) -> ::burn::prelude::Tensor<1> {
                self.terms(batch.into()).into_values()
            }

            /// What the loss sees in the batch; reads from the device.
            ///
            /// # Panics
            ///
            /// As [`forward`](Self::forward).
            #[track_caller]
            pub fn diagnose(&self, batch: impl Into<$batch>) -> $crate::diagnostics::Diagnostics {
                use $crate::diagnostics::Surveyed;
                let batch: $batch = batch.into().without_graph();
                let geometry = batch.survey();
                let terms = self.terms(batch).into_values();
                $crate::diagnostics::Diagnostics::new(terms, geometry)
            }
        }

        impl<B: Into<$batch>> $crate::losses::Criterion<B> for $loss {
            #[track_caller]
            fn loss(&self, batch: B) -> ::burn::prelude::Tensor<1> {
                self.forward(batch)
            }
        }
    };
}
use forward;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sentence_transformers::LossConfig;
    use burn::config::Config;

    fn round_trip<C: Config + PartialEq>(config: C) {
        let text = burn::config::config_to_json(&config);
        assert_eq!(C::load_binary(text.as_bytes()).expect("its own JSON"), config);
    }

    #[test]
    fn every_configuration_comes_back_from_json() {
        for name in LossConfig::NAMES {
            let options = serde_json::json!({"embedding_dimension": 4, "num_labels": 3});
            let options = if name == "SoftmaxLoss" { options } else { serde_json::json!({}) };
            match LossConfig::from_python(name, options).expect("defaults") {
                LossConfig::BatchAllTriplet(config) => round_trip(config),
                LossConfig::BatchHardSoftMarginTriplet(config) => round_trip(config),
                LossConfig::BatchHardTriplet(config) => round_trip(config),
                LossConfig::BatchSemiHardTriplet(config) => round_trip(config),
                LossConfig::Contrastive(config) => round_trip(config),
                LossConfig::CosineSimilarity(config) => {
                    round_trip(config.with_score_error(ScoreError::Huber { delta: 0.5 }))
                }
                LossConfig::MarginMse(config) => round_trip(config),
                LossConfig::MegaBatchMargin(config) => round_trip(config),
                LossConfig::Mse(config) => {
                    round_trip(config.with_projection(Some(ProjectionConfig::new(4, 2))))
                }
                LossConfig::MultipleNegativesRanking(config) => {
                    round_trip(config.with_hardness_mode(Some(Hardness::AllNegatives)))
                }
                LossConfig::OnlineContrastive(config) => round_trip(config),
                LossConfig::Softmax(config) => round_trip(config),
                LossConfig::Triplet(config) => round_trip(config),
            }
        }
    }

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
