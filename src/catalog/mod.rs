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
mod around;
mod columns;
mod declare;
mod entry;
mod inner;
mod python;
#[cfg(test)]
mod tests;

pub use alias::Alias;
pub use any_batch::{AnyBatch, AnyLayers};
pub use any_loss::TrainingLoss;
pub use around::Around;
pub use columns::{BatchKind, Targets};
pub use entry::{Entry, ModelKind};
pub use inner::InnerLoss;

use burn::prelude::*;
use serde::{Deserialize, Deserializer, Serialize};

use crate::diagnostics::Diagnostics;
use crate::error::ConfigError;
use crate::losses::reranking::{
    AdrMseLoss as RerankingAdrMseLoss, AdrMseLossConfig as RerankingAdrMseLossConfig,
    BinaryCrossEntropyLoss as RerankingBinaryCrossEntropyLoss,
    BinaryCrossEntropyLossConfig as RerankingBinaryCrossEntropyLossConfig,
    CrossEntropyLoss as RerankingCrossEntropyLoss,
    CrossEntropyLossConfig as RerankingCrossEntropyLossConfig, LambdaLoss as RerankingLambdaLoss,
    LambdaLossConfig as RerankingLambdaLossConfig, ListMleLoss as RerankingListMleLoss,
    ListMleLossConfig as RerankingListMleLossConfig, ListNetLoss as RerankingListNetLoss,
    ListNetLossConfig as RerankingListNetLossConfig, MarginMseLoss as RerankingMarginMseLoss,
    MarginMseLossConfig as RerankingMarginMseLossConfig, MseLoss as RerankingMseLoss,
    MseLossConfig as RerankingMseLossConfig,
    MultipleNegativesRankingLoss as RerankingMultipleNegativesRankingLoss,
    MultipleNegativesRankingLossConfig as RerankingMultipleNegativesRankingLossConfig,
    PListMleLoss as RerankingPListMleLoss, PListMleLossConfig as RerankingPListMleLossConfig,
    RankNetLoss as RerankingRankNetLoss, RankNetLossConfig as RerankingRankNetLossConfig,
};
use crate::losses::sparse::{FlopsLoss, FlopsLossConfig};
use crate::losses::*;
use crate::reduction::Parts;

/// The configuration of a [`MatryoshkaLoss`] around any loss of the catalog.
pub type AroundMatryoshka = Around<MatryoshkaLossConfig>;

/// A [`MatryoshkaLoss`] around any loss of the catalog.
pub type AnyMatryoshka = MatryoshkaLoss<InnerLoss>;

/// The configuration of an [`AdaptiveLayerLoss`] around any loss of the catalog.
pub type AroundAdaptiveLayer = Around<AdaptiveLayerLossConfig>;

/// An [`AdaptiveLayerLoss`] around any loss of the catalog.
pub type AnyAdaptiveLayer = AdaptiveLayerLoss<InnerLoss>;

/// The configuration of a [`Matryoshka2dLoss`] around any loss of the catalog.
pub type AroundMatryoshka2d = Around<Matryoshka2dLossConfig>;

/// A [`Matryoshka2dLoss`] around any loss of the catalog.
pub type AnyMatryoshka2d = Matryoshka2dLoss<InnerLoss>;

// The list. Without a `loss`, a loss needs more than its configuration to be built: a decoder. `from`
// names the type of Python's options where they differ from ours.
declare::losses! {
    AdaptiveLayer {
        name: "AdaptiveLayerLoss", model: SentenceEncoder, takes: Inner,
        one_number: true, weights: ["loss"],
        config: AroundAdaptiveLayer from python::AdaptiveLayer,
        loss: AnyAdaptiveLayer = |config, device| config.init(device),
    }
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
    GistEmbed {
        name: "GISTEmbedLoss", model: SentenceEncoder, takes: GuidedRankings,
        one_number: false, weights: [],
        config: GistEmbedLossConfig from python::GistEmbed,
        loss: GistEmbedLoss = |config, _| config.init(),
    }
    MarginMse {
        name: "MarginMSELoss", model: SentenceEncoder, takes: ScoredRankings,
        one_number: false, weights: [],
        config: MarginMseLossConfig,
        loss: MarginMseLoss = |config, _| config.init(),
    }
    Matryoshka {
        name: "MatryoshkaLoss", model: SentenceEncoder, takes: Inner,
        one_number: true, weights: ["loss"],
        config: AroundMatryoshka from python::Matryoshka,
        loss: AnyMatryoshka = |config, device| config.init(device),
    }
    Matryoshka2d {
        name: "Matryoshka2dLoss", model: SentenceEncoder, takes: Inner,
        one_number: true, weights: ["loss"],
        config: AroundMatryoshka2d from python::Matryoshka2d,
        loss: AnyMatryoshka2d = |config, device| config.init(device),
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
    SupCon {
        name: "SupConLoss", model: SentenceEncoder, takes: LabeledRows,
        one_number: false, weights: [],
        config: SupConLossConfig,
        loss: SupConLoss = |config, _| config.init(),
    }
    Triplet {
        name: "TripletLoss", model: SentenceEncoder, takes: Triplets,
        one_number: false, weights: [],
        config: TripletLossConfig,
        loss: TripletLoss = |config, _| config.init(),
    }
    RerankingAdrMse {
        name: "cross_encoder.ADRMSELoss", model: CrossEncoder, takes: Lists,
        one_number: true, weights: [],
        config: RerankingAdrMseLossConfig from python::RerankingAdrMse,
        loss: RerankingAdrMseLoss = |config, _| config.init(),
    }
    RerankingBinaryCrossEntropy {
        name: "cross_encoder.BinaryCrossEntropyLoss", model: CrossEncoder, takes: Logits,
        one_number: false, weights: [],
        config: RerankingBinaryCrossEntropyLossConfig,
        loss: RerankingBinaryCrossEntropyLoss = |config, _| config.init(),
    }
    RerankingCachedMultipleNegativesRanking {
        name: "cross_encoder.CachedMultipleNegativesRankingLoss", model: CrossEncoder, takes: Candidates,
        one_number: false, weights: [],
        config: RerankingMultipleNegativesRankingLossConfig from python::RerankingCachedMultipleNegativesRanking,
        loss: RerankingMultipleNegativesRankingLoss = |config, _| config.init(),
    }
    RerankingCrossEntropy {
        name: "cross_encoder.CrossEntropyLoss", model: CrossEncoder, takes: ClassLogits,
        one_number: false, weights: [],
        config: RerankingCrossEntropyLossConfig,
        loss: RerankingCrossEntropyLoss = |config, _| config.init(),
    }
    RerankingLambda {
        name: "cross_encoder.LambdaLoss", model: CrossEncoder, takes: Lists,
        one_number: true, weights: [],
        config: RerankingLambdaLossConfig from python::RerankingLambda,
        loss: RerankingLambdaLoss = |config, _| config.init(),
    }
    RerankingListMle {
        name: "cross_encoder.ListMLELoss", model: CrossEncoder, takes: Lists,
        one_number: false, weights: [],
        config: RerankingListMleLossConfig from python::RerankingListMle,
        loss: RerankingListMleLoss = |config, _| config.init(),
    }
    RerankingListNet {
        name: "cross_encoder.ListNetLoss", model: CrossEncoder, takes: Lists,
        one_number: false, weights: [],
        config: RerankingListNetLossConfig from python::RerankingListNet,
        loss: RerankingListNetLoss = |config, _| config.init(),
    }
    RerankingMarginMse {
        name: "cross_encoder.MarginMSELoss", model: CrossEncoder, takes: ScoredCandidates,
        one_number: false, weights: [],
        config: RerankingMarginMseLossConfig,
        loss: RerankingMarginMseLoss = |config, _| config.init(),
    }
    RerankingMse {
        name: "cross_encoder.MSELoss", model: CrossEncoder, takes: Logits,
        one_number: false, weights: [],
        config: RerankingMseLossConfig,
        loss: RerankingMseLoss = |config, _| config.init(),
    }
    RerankingMultipleNegativesRanking {
        name: "cross_encoder.MultipleNegativesRankingLoss", model: CrossEncoder, takes: Candidates,
        one_number: false, weights: [],
        config: RerankingMultipleNegativesRankingLossConfig,
        loss: RerankingMultipleNegativesRankingLoss = |config, _| config.init(),
    }
    RerankingPListMle {
        name: "cross_encoder.PListMLELoss", model: CrossEncoder, takes: Lists,
        one_number: false, weights: [],
        config: RerankingPListMleLossConfig from python::RerankingPListMle,
        loss: RerankingPListMleLoss = |config, _| config.init(),
    }
    RerankingRankNet {
        name: "cross_encoder.RankNetLoss", model: CrossEncoder, takes: Lists,
        one_number: true, weights: [],
        config: RerankingRankNetLossConfig from python::RerankingRankNet,
        loss: RerankingRankNetLoss = |config, _| config.init(),
    }
    Flops {
        name: "sparse_encoder.FlopsLoss", model: SparseEncoder, takes: AnyTexts,
        one_number: true, weights: [],
        config: FlopsLossConfig,
        loss: FlopsLoss = |config, _| config.init(),
    }
    SparseAngle {
        name: "sparse_encoder.SparseAnglELoss", model: SparseEncoder, takes: ScoredPairs,
        one_number: true, weights: [],
        config: AngleLossConfig,
        loss: AngleLoss = |config, _| config.init(),
    }
    SparseCoSent {
        name: "sparse_encoder.SparseCoSENTLoss", model: SparseEncoder, takes: ScoredPairs,
        one_number: true, weights: [],
        config: CoSentLossConfig,
        loss: CoSentLoss = |config, _| config.init(),
    }
    SparseCosineSimilarity {
        name: "sparse_encoder.SparseCosineSimilarityLoss", model: SparseEncoder, takes: ScoredPairs,
        one_number: false, weights: [],
        config: CosineSimilarityLossConfig from python::CosineSimilarity,
        loss: CosineSimilarityLoss = |config, _| config.init(),
    }
    SparseDistillKlDiv {
        name: "sparse_encoder.SparseDistillKLDivLoss", model: SparseEncoder, takes: TeacherScores,
        one_number: false, weights: [],
        config: DistillKlDivLossConfig from python::SparseDistillKlDiv,
        loss: DistillKlDivLoss = |config, _| config.init(),
    }
    SparseMarginMse {
        name: "sparse_encoder.SparseMarginMSELoss", model: SparseEncoder, takes: ScoredRankings,
        one_number: false, weights: [],
        config: MarginMseLossConfig,
        loss: MarginMseLoss = |config, _| config.init(),
    }
    SparseMse {
        name: "sparse_encoder.SparseMSELoss", model: SparseEncoder, takes: TeacherEmbeddings,
        one_number: false, weights: [],
        config: MseLossConfig,
        loss: MseLoss = |config, device| config.init(device),
    }
    SparseMultipleNegativesRanking {
        name: "sparse_encoder.SparseMultipleNegativesRankingLoss", model: SparseEncoder, takes: Rankings,
        one_number: false, weights: [],
        config: MultipleNegativesRankingLossConfig from python::SparseMultipleNegativesRanking,
        loss: MultipleNegativesRankingLoss = |config, device| config.init_on(device),
    }
    SparseTriplet {
        name: "sparse_encoder.SparseTripletLoss", model: SparseEncoder, takes: Triplets,
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
        self.inner().map_or(self.entry().takes, Self::takes)
    }

    /// The loss inside, if this is a wrapper.
    pub fn inner(&self) -> Option<&Self> {
        match self {
            Self::AdaptiveLayer(around) => Some(&around.loss),
            Self::Matryoshka2d(around) => Some(&around.loss),
            Self::Matryoshka(around) => Some(&around.loss),
            _ => None,
        }
    }

    /// The one number of dimensions of the embeddings that the loss has a layer for, if it has one.
    fn layer_inputs(&self) -> Option<usize> {
        match self {
            Self::Mse(config) => config.projection.as_ref().map(|layer| layer.embedding_dimension),
            Self::EmbedDistill(config) => {
                config.projection.as_ref().map(|layer| layer.embedding_dimension)
            }
            Self::Softmax(config) => Some(config.embedding_dimension),
            _ => self.inner().and_then(Self::layer_inputs),
        }
    }
}
