//! The list of all losses, for programs that choose one at run time.
//!
//! A loss by name, with options as JSON (Python's or ours), on batches made of columns:
//!
//! ```
//! use burn::prelude::*;
//! use burn_embedding_losses::catalog::{LossConfig, Targets, TrainingLoss};
//!
//! let device = Device::flex();
//! let options = serde_json::json!({"triplet_margin": 6.0});
//! let loss = LossConfig::from_python("TripletLoss", options)?.init(&device);
//!
//! // One column per kind of text: anchors, positives, negatives.
//! let columns = [[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]];
//! let columns = columns.map(|row| Tensor::<2>::from_floats([row], &device)).to_vec();
//! let batch = loss.batch(columns.clone(), Targets::None)?;
//! assert_eq!(loss.forward(batch).into_scalar::<f32>(), 1.0);
//!
//! let too_few = loss.batch(columns[..2].to_vec(), Targets::None).unwrap_err();
//! assert_eq!(too_few.to_string(), "TripletLoss: `columns` must be 3, got 2");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A training program uses its loss through [`TrainingLoss`]. Implement it for a loss of your own, and the
//! program takes that loss in place of [`AnyLoss`].

mod alias;
mod any_batch;
mod any_loss;
mod columns;
mod declare;
mod entry;
mod python;
#[cfg(test)]
mod tests;

pub use alias::Alias;
pub use any_batch::AnyBatch;
pub use any_loss::TrainingLoss;
pub use columns::{BatchKind, Targets};
pub use entry::{Entry, ModelKind};

use burn::prelude::*;
use serde::{Deserialize, Deserializer, Serialize};

use crate::diagnostics::Diagnostics;
use crate::error::ConfigError;
use crate::losses::*;
use crate::reduction::Parts;

// The list. Without a `loss`, a loss needs more than its configuration to be built: a decoder. `from`
// names the type of Python's options where they differ from ours.
declare::losses! {
    Angle {
        name: "AnglELoss", model: SentenceEncoder, takes: ScoredTuples,
        one_number: true, weights: [],
        config: AngleLossConfig,
        loss: AngleLoss = |config, _| config.init(),
    }
    BatchAllTriplet {
        name: "BatchAllTripletLoss", model: SentenceEncoder, takes: LabeledRows,
        one_number: false, weights: [],
        config: BatchAllTripletLossConfig,
        loss: BatchAllTripletLoss = |config, _| config.init(),
    }
    BatchHardSoftMarginTriplet {
        name: "BatchHardSoftMarginTripletLoss", model: SentenceEncoder, takes: LabeledRows,
        one_number: false, weights: [],
        config: BatchHardSoftMarginTripletLossConfig,
        loss: BatchHardSoftMarginTripletLoss = |config, _| config.init(),
    }
    BatchHardTriplet {
        name: "BatchHardTripletLoss", model: SentenceEncoder, takes: LabeledRows,
        one_number: false, weights: [],
        config: BatchHardTripletLossConfig,
        loss: BatchHardTripletLoss = |config, _| config.init(),
    }
    BatchSemiHardTriplet {
        name: "BatchSemiHardTripletLoss", model: SentenceEncoder, takes: LabeledRows,
        one_number: false, weights: [],
        config: BatchSemiHardTripletLossConfig,
        loss: BatchSemiHardTripletLoss = |config, _| config.init(),
    }
    Contrastive {
        name: "ContrastiveLoss", model: SentenceEncoder, takes: BinaryPairs,
        one_number: false, weights: [],
        config: ContrastiveLossConfig from python::Contrastive,
        loss: ContrastiveLoss = |config, _| config.init(),
    }
    ContrastiveTension {
        name: "ContrastiveTensionLoss", model: SentenceEncoder, takes: TwoEncoderPairs,
        one_number: false, weights: [],
        config: ContrastiveTensionLossConfig,
        loss: ContrastiveTensionLoss = |config, _| config.init(),
    }
    ContrastiveTensionInBatchNegatives {
        name: "ContrastiveTensionLossInBatchNegatives", model: SentenceEncoder, takes: TwoEncoderTexts,
        one_number: false, weights: ["logit_scale"],
        config: ContrastiveTensionLossInBatchNegativesConfig,
        loss: ContrastiveTensionLossInBatchNegatives = |config, device| config.init(device),
    }
    CoSent {
        name: "CoSENTLoss", model: SentenceEncoder, takes: ScoredPairs,
        one_number: true, weights: [],
        config: CoSentLossConfig,
        loss: CoSentLoss = |config, _| config.init(),
    }
    CosineSimilarity {
        name: "CosineSimilarityLoss", model: SentenceEncoder, takes: ScoredPairs,
        one_number: false, weights: [],
        config: CosineSimilarityLossConfig from python::CosineSimilarity,
        loss: CosineSimilarityLoss = |config, _| config.init(),
    }
    DenoisingAutoEncoder {
        name: "DenoisingAutoEncoderLoss", model: SentenceEncoder, takes: DamagedTexts,
        one_number: false, weights: ["decoder"],
        config: DenoisingAutoEncoderLossConfig from python::DenoisingAutoEncoder,
    }
    DistillKlDiv {
        name: "DistillKLDivLoss", model: SentenceEncoder, takes: TeacherScores,
        one_number: false, weights: [],
        config: DistillKlDivLossConfig,
        loss: DistillKlDivLoss = |config, _| config.init(),
    }
    EmbedDistill {
        name: "EmbedDistillLoss", model: SentenceEncoder, takes: TeacherEmbeddings,
        one_number: false, weights: ["projection"],
        config: EmbedDistillLossConfig from python::Projected<EmbedDistillLossConfig>,
        loss: EmbedDistillLoss = |config, device| config.init(device),
    }
    GlobalOrthogonalRegularization {
        name: "GlobalOrthogonalRegularizationLoss", model: SentenceEncoder, takes: AnyTexts,
        one_number: true, weights: [],
        config: GlobalOrthogonalRegularizationLossConfig,
        loss: GlobalOrthogonalRegularizationLoss = |config, _| config.init(),
    }
    MarginMse {
        name: "MarginMSELoss", model: SentenceEncoder, takes: ScoredRankings,
        one_number: false, weights: [],
        config: MarginMseLossConfig,
        loss: MarginMseLoss = |config, _| config.init(),
    }
    MegaBatchMargin {
        name: "MegaBatchMarginLoss", model: SentenceEncoder, takes: PositivePairs,
        one_number: false, weights: [],
        config: MegaBatchMarginLossConfig from python::MegaBatchMargin,
        loss: MegaBatchMarginLoss = |config, _| config.init(),
    }
    Mse {
        name: "MSELoss", model: SentenceEncoder, takes: TeacherEmbeddings,
        one_number: false, weights: ["projection"],
        config: MseLossConfig from python::Projected<MseLossConfig>,
        loss: MseLoss = |config, device| config.init(device),
    }
    MultipleNegativesRanking {
        name: "MultipleNegativesRankingLoss", model: SentenceEncoder, takes: Rankings,
        one_number: false, weights: ["log_scale"],
        config: MultipleNegativesRankingLossConfig from python::MultipleNegativesRanking,
        loss: MultipleNegativesRankingLoss = |config, device| config.init_on(device),
    }
    OnlineContrastive {
        name: "OnlineContrastiveLoss", model: SentenceEncoder, takes: BinaryPairs,
        one_number: false, weights: [],
        config: OnlineContrastiveLossConfig,
        loss: OnlineContrastiveLoss = |config, _| config.init(),
    }
    Softmax {
        name: "SoftmaxLoss", model: SentenceEncoder, takes: ClassifiedPairs,
        one_number: false, weights: ["classifier"],
        config: SoftmaxLossConfig from python::Softmax,
        loss: SoftmaxLoss = |config, device| config.init(device),
    }
    Triplet {
        name: "TripletLoss", model: SentenceEncoder, takes: Triplets,
        one_number: false, weights: [],
        config: TripletLossConfig,
        loss: TripletLoss = |config, _| config.init(),
    }
}

impl LossConfig {
    /// The name of the Python class.
    pub fn name(&self) -> &'static str {
        self.entry().name
    }

    /// Which batch the loss takes.
    pub fn takes(&self) -> BatchKind {
        self.entry().takes
    }
}
