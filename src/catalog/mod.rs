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
mod token_columns;

pub use alias::Alias;
pub use any_batch::{AnyBatch, AnyCsrBatch, AnyLayers};
pub use any_loss::TrainingLoss;
pub use around::Around;
pub use columns::{BatchKind, Targets};
pub use entry::{Entry, ModelKind};
pub use inner::InnerLoss;

use burn::prelude::*;
use serde::{Deserialize, Deserializer, Serialize};

use crate::diagnostics::Diagnostics;
use crate::error::ConfigError;
use crate::losses::multi_vector::{
    MultiVectorDistillKlDivLoss, MultiVectorDistillKlDivLossConfig, MultiVectorMarginMseLoss,
    MultiVectorMarginMseLossConfig, MultiVectorMultipleNegativesRankingLoss,
    MultiVectorMultipleNegativesRankingLossConfig,
};
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
use crate::losses::sparse::{
    CsrLoss, CsrLossConfig, CsrReconstructionLoss, CsrReconstructionLossConfig, FlopsLoss,
    FlopsLossConfig, SpladeLoss, SpladeLossConfig,
};
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

/// The configuration of a [`SpladeLoss`] around any loss of the catalog that takes queries and documents.
pub type AroundSplade = Around<SpladeLossConfig>;

/// A [`SpladeLoss`] around any loss of the catalog that takes queries and documents.
pub type AnySplade = SpladeLoss<InnerLoss>;

/// The configuration of a [`CsrLoss`] around any loss of the catalog that takes embeddings.
pub type AroundCsr = Around<CsrLossConfig>;

/// A [`CsrLoss`] around any loss of the catalog that takes embeddings.
pub type AnyCsr = CsrLoss<InnerLoss>;

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
        one_number: true,
        config: AngleLossConfig,
        loss: AngleLoss,
    }
    BatchAllTriplet {
        name: "BatchAllTripletLoss", model: SentenceEncoder, takes: LabeledRows,
        config: BatchAllTripletLossConfig,
        loss: BatchAllTripletLoss,
    }
    BatchHardSoftMarginTriplet {
        name: "BatchHardSoftMarginTripletLoss", model: SentenceEncoder, takes: LabeledRows,
        config: BatchHardSoftMarginTripletLossConfig,
        loss: BatchHardSoftMarginTripletLoss,
    }
    BatchHardTriplet {
        name: "BatchHardTripletLoss", model: SentenceEncoder, takes: LabeledRows,
        config: BatchHardTripletLossConfig,
        loss: BatchHardTripletLoss,
    }
    BatchSemiHardTriplet {
        name: "BatchSemiHardTripletLoss", model: SentenceEncoder, takes: LabeledRows,
        config: BatchSemiHardTripletLossConfig,
        loss: BatchSemiHardTripletLoss,
    }
    Circle {
        name: "CircleLoss", model: SentenceEncoder, takes: LabeledRows,
        config: CircleLossConfig,
        loss: CircleLoss,
    }
    Contrastive {
        name: "ContrastiveLoss", model: SentenceEncoder, takes: BinaryPairs,
        config: ContrastiveLossConfig from python::Contrastive,
        loss: ContrastiveLoss,
    }
    ContrastiveTension {
        name: "ContrastiveTensionLoss", model: SentenceEncoder, takes: TwoEncoderPairs,
        config: ContrastiveTensionLossConfig,
        loss: ContrastiveTensionLoss,
    }
    ContrastiveTensionInBatchNegatives {
        name: "ContrastiveTensionLossInBatchNegatives", model: SentenceEncoder, takes: TwoEncoderTexts,
        weights: ["logit_scale"],
        config: ContrastiveTensionLossInBatchNegativesConfig,
        loss: ContrastiveTensionLossInBatchNegatives = |config, device| config.init(device),
    }
    CoSent {
        name: "CoSENTLoss", model: SentenceEncoder, takes: ScoredPairs,
        one_number: true,
        config: CoSentLossConfig,
        loss: CoSentLoss,
    }
    CosineSimilarity {
        name: "CosineSimilarityLoss", model: SentenceEncoder, takes: ScoredPairs,
        config: CosineSimilarityLossConfig from python::CosineSimilarity,
        loss: CosineSimilarityLoss,
    }
    DenoisingAutoEncoder {
        name: "DenoisingAutoEncoderLoss", model: SentenceEncoder, takes: DamagedTexts,
        weights: ["decoder"],
        config: DenoisingAutoEncoderLossConfig from python::DenoisingAutoEncoder,
    }
    DistillKlDiv {
        name: "DistillKLDivLoss", model: SentenceEncoder, takes: TeacherScores,
        config: DistillKlDivLossConfig,
        loss: DistillKlDivLoss,
    }
    EmbedDistill {
        name: "EmbedDistillLoss", model: SentenceEncoder, takes: TeacherEmbeddings,
        weights: ["projection"],
        config: EmbedDistillLossConfig from python::Projected<EmbedDistillLossConfig>,
        loss: EmbedDistillLoss = |config, device| config.init(device),
    }
    GlobalOrthogonalRegularization {
        name: "GlobalOrthogonalRegularizationLoss", model: SentenceEncoder, takes: AnyTexts,
        one_number: true,
        config: GlobalOrthogonalRegularizationLossConfig,
        loss: GlobalOrthogonalRegularizationLoss,
    }
    GistEmbed {
        name: "GISTEmbedLoss", model: SentenceEncoder, takes: GuidedRankings,
        config: GistEmbedLossConfig from python::GistEmbed,
        loss: GistEmbedLoss,
    }
    MarginMse {
        name: "MarginMSELoss", model: SentenceEncoder, takes: ScoredRankings,
        config: MarginMseLossConfig,
        loss: MarginMseLoss,
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
        config: MegaBatchMarginLossConfig from python::MegaBatchMargin,
        loss: MegaBatchMarginLoss,
    }
    Mse {
        name: "MSELoss", model: SentenceEncoder, takes: TeacherEmbeddings,
        weights: ["projection"],
        config: MseLossConfig from python::Projected<MseLossConfig>,
        loss: MseLoss = |config, device| config.init(device),
    }
    MultipleNegativesRanking {
        name: "MultipleNegativesRankingLoss", model: SentenceEncoder, takes: Rankings,
        weights: ["log_scale"],
        config: MultipleNegativesRankingLossConfig from python::MultipleNegativesRanking,
        loss: MultipleNegativesRankingLoss = |config, device| config.init_on(device),
    }
    MultiSimilarity {
        name: "MultiSimilarityLoss", model: SentenceEncoder, takes: LabeledRows,
        config: MultiSimilarityLossConfig,
        loss: MultiSimilarityLoss,
    }
    OnlineContrastive {
        name: "OnlineContrastiveLoss", model: SentenceEncoder, takes: BinaryPairs,
        config: OnlineContrastiveLossConfig,
        loss: OnlineContrastiveLoss,
    }
    SigLip {
        name: "SigLipLoss", model: SentenceEncoder, takes: Rankings,
        weights: ["logit_scale", "logit_bias"],
        config: SigLipLossConfig,
        loss: SigLipLoss = |config, device| config.init(device),
    }
    Softmax {
        name: "SoftmaxLoss", model: SentenceEncoder, takes: ClassifiedPairs,
        weights: ["classifier"],
        config: SoftmaxLossConfig from python::Softmax,
        loss: SoftmaxLoss = |config, device| config.init(device),
    }
    SupCon {
        name: "SupConLoss", model: SentenceEncoder, takes: LabeledRows,
        config: SupConLossConfig,
        loss: SupConLoss,
    }
    Triplet {
        name: "TripletLoss", model: SentenceEncoder, takes: Triplets,
        config: TripletLossConfig,
        loss: TripletLoss,
    }
    RerankingAdrMse {
        name: "cross_encoder.ADRMSELoss", model: CrossEncoder, takes: Lists,
        one_number: true,
        config: RerankingAdrMseLossConfig from python::RerankingAdrMse,
        loss: RerankingAdrMseLoss,
    }
    RerankingBinaryCrossEntropy {
        name: "cross_encoder.BinaryCrossEntropyLoss", model: CrossEncoder, takes: Logits,
        config: RerankingBinaryCrossEntropyLossConfig,
        loss: RerankingBinaryCrossEntropyLoss,
    }
    RerankingCachedMultipleNegativesRanking {
        name: "cross_encoder.CachedMultipleNegativesRankingLoss", model: CrossEncoder, takes: Candidates,
        config: RerankingMultipleNegativesRankingLossConfig from python::RerankingCachedMultipleNegativesRanking,
        loss: RerankingMultipleNegativesRankingLoss,
    }
    RerankingCrossEntropy {
        name: "cross_encoder.CrossEntropyLoss", model: CrossEncoder, takes: ClassLogits,
        config: RerankingCrossEntropyLossConfig,
        loss: RerankingCrossEntropyLoss,
    }
    RerankingLambda {
        name: "cross_encoder.LambdaLoss", model: CrossEncoder, takes: Lists,
        one_number: true,
        config: RerankingLambdaLossConfig from python::RerankingLambda,
        loss: RerankingLambdaLoss,
    }
    RerankingListMle {
        name: "cross_encoder.ListMLELoss", model: CrossEncoder, takes: Lists,
        config: RerankingListMleLossConfig from python::RerankingListMle,
        loss: RerankingListMleLoss,
    }
    RerankingListNet {
        name: "cross_encoder.ListNetLoss", model: CrossEncoder, takes: Lists,
        config: RerankingListNetLossConfig from python::RerankingListNet,
        loss: RerankingListNetLoss,
    }
    RerankingMarginMse {
        name: "cross_encoder.MarginMSELoss", model: CrossEncoder, takes: ScoredCandidates,
        config: RerankingMarginMseLossConfig,
        loss: RerankingMarginMseLoss,
    }
    RerankingMse {
        name: "cross_encoder.MSELoss", model: CrossEncoder, takes: Logits,
        config: RerankingMseLossConfig,
        loss: RerankingMseLoss,
    }
    RerankingMultipleNegativesRanking {
        name: "cross_encoder.MultipleNegativesRankingLoss", model: CrossEncoder, takes: Candidates,
        config: RerankingMultipleNegativesRankingLossConfig,
        loss: RerankingMultipleNegativesRankingLoss,
    }
    RerankingPListMle {
        name: "cross_encoder.PListMLELoss", model: CrossEncoder, takes: Lists,
        config: RerankingPListMleLossConfig from python::RerankingPListMle,
        loss: RerankingPListMleLoss,
    }
    RerankingRankNet {
        name: "cross_encoder.RankNetLoss", model: CrossEncoder, takes: Lists,
        one_number: true,
        config: RerankingRankNetLossConfig from python::RerankingRankNet,
        loss: RerankingRankNetLoss,
    }
    Csr {
        name: "sparse_encoder.CSRLoss", model: SparseEncoder, takes: Inner,
        one_number: true, weights: ["loss"],
        config: AroundCsr from python::Csr,
        loss: AnyCsr = |config, device| config.init(device),
    }
    CsrReconstruction {
        name: "sparse_encoder.CSRReconstructionLoss", model: SparseEncoder, takes: Reconstructions,
        one_number: true,
        config: CsrReconstructionLossConfig,
        loss: CsrReconstructionLoss,
    }
    Flops {
        name: "sparse_encoder.FlopsLoss", model: SparseEncoder, takes: AnyTexts,
        one_number: true,
        config: FlopsLossConfig,
        loss: FlopsLoss,
    }
    SparseAngle {
        name: "sparse_encoder.SparseAnglELoss", model: SparseEncoder, takes: ScoredPairs,
        one_number: true,
        config: AngleLossConfig,
        loss: AngleLoss,
    }
    SparseCoSent {
        name: "sparse_encoder.SparseCoSENTLoss", model: SparseEncoder, takes: ScoredPairs,
        one_number: true,
        config: CoSentLossConfig,
        loss: CoSentLoss,
    }
    SparseCosineSimilarity {
        name: "sparse_encoder.SparseCosineSimilarityLoss", model: SparseEncoder, takes: ScoredPairs,
        config: CosineSimilarityLossConfig from python::CosineSimilarity,
        loss: CosineSimilarityLoss,
    }
    SparseDistillKlDiv {
        name: "sparse_encoder.SparseDistillKLDivLoss", model: SparseEncoder, takes: TeacherScores,
        config: DistillKlDivLossConfig from python::SparseDistillKlDiv,
        loss: DistillKlDivLoss,
    }
    SparseMarginMse {
        name: "sparse_encoder.SparseMarginMSELoss", model: SparseEncoder, takes: ScoredRankings,
        config: MarginMseLossConfig,
        loss: MarginMseLoss,
    }
    SparseMse {
        name: "sparse_encoder.SparseMSELoss", model: SparseEncoder, takes: TeacherEmbeddings,
        config: MseLossConfig,
        loss: MseLoss = |config, device| config.init(device),
    }
    SparseMultipleNegativesRanking {
        name: "sparse_encoder.SparseMultipleNegativesRankingLoss", model: SparseEncoder, takes: Rankings,
        config: MultipleNegativesRankingLossConfig from python::SparseMultipleNegativesRanking,
        loss: MultipleNegativesRankingLoss = |config, device| config.init_on(device),
    }
    Splade {
        name: "sparse_encoder.SpladeLoss", model: SparseEncoder, takes: Inner,
        one_number: true, weights: ["loss"],
        config: AroundSplade from python::Splade,
        loss: AnySplade = |config, device| config.init(device),
    }
    SparseTriplet {
        name: "sparse_encoder.SparseTripletLoss", model: SparseEncoder, takes: Triplets,
        config: TripletLossConfig,
        loss: TripletLoss,
    }
    CachedMultiVectorMultipleNegativesRanking {
        name: "multi_vector_encoder.CachedMultiVectorMultipleNegativesRankingLoss", model: MultiVectorEncoder,
        takes: TokenRankings,
        config: MultiVectorMultipleNegativesRankingLossConfig from python::CachedMultiVectorMultipleNegativesRanking,
        loss: MultiVectorMultipleNegativesRankingLoss,
    }
    MultiVectorDistillKlDiv {
        name: "multi_vector_encoder.MultiVectorDistillKLDivLoss", model: MultiVectorEncoder, takes: TokenTeacherScores,
        config: MultiVectorDistillKlDivLossConfig from python::MultiVectorDistillKlDiv,
        loss: MultiVectorDistillKlDivLoss,
    }
    MultiVectorMarginMse {
        name: "multi_vector_encoder.MultiVectorMarginMSELoss", model: MultiVectorEncoder, takes: ScoredTokenRankings,
        config: MultiVectorMarginMseLossConfig from python::MultiVectorMarginMse,
        loss: MultiVectorMarginMseLoss,
    }
    MultiVectorMultipleNegativesRanking {
        name: "multi_vector_encoder.MultiVectorMultipleNegativesRankingLoss", model: MultiVectorEncoder,
        takes: TokenRankings,
        config: MultiVectorMultipleNegativesRankingLossConfig from python::MultiVectorMultipleNegativesRanking,
        loss: MultiVectorMultipleNegativesRankingLoss,
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
            Self::Csr(around) => Some(&around.loss),
            Self::Matryoshka2d(around) => Some(&around.loss),
            Self::Matryoshka(around) => Some(&around.loss),
            Self::Splade(around) => Some(&around.loss),
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
