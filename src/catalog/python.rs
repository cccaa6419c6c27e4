//! Options of Python's constructors that a configuration has in another form, or not at all.
//!
//! The configuration itself reads the options that both have.

use core::num::NonZeroUsize;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::around::Named;
use super::{
    AroundAdaptiveLayer, AroundCsr, AroundMatryoshka, AroundMatryoshka2d, AroundSplade, LossConfig,
};
use crate::geometry::Similarity;
use crate::losses::multi_vector as tokens;
use crate::losses::reranking as reranker;
use crate::losses::sparse::{CsrLossConfig, FlopsLossConfig, SpladeLossConfig};
use crate::losses::*;
use crate::reduction::Reduction;

/// The type that `from_python` reads: one of this file, or the configuration itself.
macro_rules! options {
    ($config:ident) => {
        $config
    };
    ($config:ident $options:path) => {
        $options
    };
}
pub(super) use options;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contrastive {
    size_average: Option<bool>,
    reduction: Option<Reduction>,
    #[serde(flatten)]
    config: ContrastiveLossConfig,
}

impl From<Contrastive> for ContrastiveLossConfig {
    fn from(Contrastive { size_average, reduction, config }: Contrastive) -> Self {
        let average = |mean| if mean { Reduction::Mean } else { Reduction::Sum };
        match reduction.or(size_average.map(average)) {
            Some(reduction) => config.with_reduction(reduction),
            None => config,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineSimilarity {
    loss_fct: Option<TorchLoss>,
    #[serde(flatten)]
    config: CosineSimilarityLossConfig,
}

impl From<CosineSimilarity> for CosineSimilarityLossConfig {
    fn from(CosineSimilarity { loss_fct, config }: CosineSimilarity) -> Self {
        match loss_fct {
            Some(TorchLoss(error)) => config.with_score_error(error),
            None => config,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveLayer {
    loss: Named,
    /// All layers, if it is not positive.
    n_layers_per_step: Option<i64>,
    #[serde(flatten)]
    config: AdaptiveLayerLossConfig,
}

impl From<AdaptiveLayer> for AroundAdaptiveLayer {
    fn from(AdaptiveLayer { loss: Named(loss), n_layers_per_step, config }: AdaptiveLayer) -> Self {
        let config = match n_layers_per_step {
            Some(count) => config.with_layers_per_step(positive(count)),
            None => config,
        };
        Self::new(loss, config)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matryoshka2d {
    loss: Named,
    n_layers_per_step: Option<i64>,
    n_dims_per_step: Option<i64>,
    #[serde(flatten)]
    config: Matryoshka2dLossConfig,
}

impl From<Matryoshka2d> for AroundMatryoshka2d {
    fn from(options: Matryoshka2d) -> Self {
        let Matryoshka2d { loss: Named(loss), n_layers_per_step, n_dims_per_step, mut config } =
            options;
        if let Some(count) = n_layers_per_step {
            config = config.with_layers_per_step(positive(count));
        }
        if let Some(count) = n_dims_per_step {
            config = config.with_dims_per_step(positive(count));
        }
        Self::new(loss, config)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matryoshka {
    loss: Named,
    /// All dimensions, if it is not positive.
    n_dims_per_step: Option<i64>,
    #[serde(flatten)]
    config: MatryoshkaLossConfig,
}

impl From<Matryoshka> for AroundMatryoshka {
    fn from(Matryoshka { loss: Named(loss), n_dims_per_step, config }: Matryoshka) -> Self {
        let config = match n_dims_per_step {
            Some(count) => config.with_dims_per_step(positive(count)),
            None => config,
        };
        Self::new(loss, config)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Csr {
    /// The ranking loss of sparse encoders, if none is given.
    loss: Option<Named>,
    #[serde(flatten)]
    config: CsrLossConfig,
}

impl From<Csr> for AroundCsr {
    fn from(Csr { loss, config }: Csr) -> Self {
        let ranking = || {
            MultipleNegativesRankingLossConfig::new()
                .with_scale(1.0)
                .with_similarity(Similarity::Dot)
        };
        let loss = match loss {
            Some(Named(loss)) => loss,
            None => LossConfig::SparseMultipleNegativesRanking(ranking()),
        };
        Self::new(loss, config)
    }
}

/// Declares the options of SpladeLoss, and more that only say how it is computed.
macro_rules! splade {
    ($name:ident $(, $computed:ident: $type:ty)*) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code, reason = "some only say how Python computes the same numbers")]
        pub struct $name {
            loss: Named,
            document_regularizer: Option<Regularizer>,
            query_regularizer: Option<Regularizer>,
            $($computed: Option<$type>,)*
            #[serde(flatten)]
            config: SpladeLossConfig,
        }

        impl From<$name> for AroundSplade {
            fn from(options: $name) -> Self {
                let mut config = options.config;
                // The threshold of a regulariser that is given counts, not the one beside it.
                if let Some(Regularizer(flops)) = options.document_regularizer {
                    config = config.with_document_regularizer_threshold(flops.threshold);
                }
                if let Some(Regularizer(flops)) = options.query_regularizer {
                    config = config.with_query_regularizer_threshold(flops.threshold);
                }
                let Named(loss) = options.loss;
                Self::new(loss, config)
            }
        }
    };
}
splade!(Splade);
splade!(
    CachedSplade,
    mini_batch_size: NonZeroUsize,
    mini_batch_num_tokens: NonZeroUsize,
    show_progress_bar: bool
);

/// A regulariser of its own: the one that there is, with options.
struct Regularizer(FlopsLossConfig);

impl<'de> Deserialize<'de> for Regularizer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Named::deserialize(deserializer)? {
            Named(LossConfig::Flops(config)) => Ok(Self(config)),
            Named(other) => Err(D::Error::custom(format!(
                "a regularizer must be sparse_encoder.FlopsLoss, got {}",
                other.name()
            ))),
        }
    }
}

/// A number of things of which anything below 1 stands for all.
fn positive(count: i64) -> Option<usize> {
    usize::try_from(count).ok().filter(|&count| count > 0)
}

/// A loss with a projection, which Python describes by its dimension alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Projected<C> {
    projection_dim: Option<usize>,
    embedding_dimension: Option<usize>,
    #[serde(flatten)]
    config: C,
}

impl<C> Projected<C> {
    /// The configuration, and the projection if one is asked for. A dimension of 0 is refused by `check`.
    fn into_parts(self) -> (C, Option<ProjectionConfig>) {
        let inputs = self.embedding_dimension.unwrap_or(0);
        (self.config, self.projection_dim.map(|outputs| ProjectionConfig::new(inputs, outputs)))
    }
}

/// Makes the configuration of a loss with a projection from Python's options.
macro_rules! projected {
    ($($config:ident),*) => {$(
        impl From<Projected<$config>> for $config {
            fn from(options: Projected<$config>) -> Self {
                match options.into_parts() {
                    (config, None) => config,
                    (config, projection) => config.with_projection(projection),
                }
            }
        }
    )*};
}
projected!(EmbedDistillLossConfig, MseLossConfig);

/// Options of cached losses that say how the encoder embeds: `GradCache` has the size of its mini-batches.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "they only say how Python computes the same numbers")]
pub struct Cached<C> {
    mini_batch_size: Option<NonZeroUsize>,
    mini_batch_num_tokens: Option<NonZeroUsize>,
    show_progress_bar: Option<bool>,
    gather_across_devices: Option<bool>,
    #[serde(flatten)]
    pub config: C,
}

/// Declares the options of a ranking loss from queries to documents and back, and more that only say how it is computed.
macro_rules! symmetric {
    ($name:ident $(, $computed:ident: $type:ty)*) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code, reason = "some only say how Python computes the same numbers")]
        pub struct $name {
            scale: Option<f64>,
            #[serde(alias = "similarity_fct")]
            similarity: Option<Similarity>,
            gather_across_devices: Option<bool>,
            memory_budget: Option<usize>,
            reduction: Option<Reduction>,
            $($computed: Option<$type>,)*
        }

        impl From<$name> for MultipleNegativesRankingLossConfig {
            fn from(options: $name) -> Self {
                let default = Self::new();
                Self {
                    scale: options.scale.unwrap_or(default.scale),
                    similarity: options.similarity.unwrap_or(default.similarity),
                    directions: vec![Direction::QueryToDocument, Direction::DocumentToQuery],
                    partition_mode: PartitionMode::PerDirection,
                    memory_budget: options.memory_budget,
                    reduction: options.reduction.unwrap_or(default.reduction),
                    ..default
                }
            }
        }
    };
}
symmetric!(Symmetric);
symmetric!(
    CachedSymmetric,
    mini_batch_size: NonZeroUsize,
    mini_batch_num_tokens: NonZeroUsize,
    show_progress_bar: bool
);

/// The loss of sentence encoders with the scale 1 and the dot product.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SparseMultipleNegativesRanking {
    scale: Option<f64>,
    #[serde(alias = "similarity_fct")]
    similarity: Option<Similarity>,
    #[serde(rename = "gather_across_devices")]
    _gather_across_devices: Option<bool>,
    #[serde(flatten)]
    config: MultipleNegativesRankingLossConfig,
}

impl From<SparseMultipleNegativesRanking> for MultipleNegativesRankingLossConfig {
    fn from(sparse: SparseMultipleNegativesRanking) -> Self {
        sparse
            .config
            .with_scale(sparse.scale.unwrap_or(1.0))
            .with_similarity(sparse.similarity.unwrap_or(Similarity::Dot))
    }
}

/// The loss of sentence encoders with the temperature 2.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SparseDistillKlDiv {
    temperature: Option<f64>,
    #[serde(flatten)]
    config: DistillKlDivLossConfig,
}

impl From<SparseDistillKlDiv> for DistillKlDivLossConfig {
    fn from(SparseDistillKlDiv { temperature, config }: SparseDistillKlDiv) -> Self {
        config.with_temperature(temperature.unwrap_or(2.0))
    }
}

/// Declares Python's options of losses that have some without an effect here: they say how Python computes the
/// same numbers, or have only one value.
macro_rules! with_ignored_options {
    ($($options:ident { $($ignored:ident: $type:ty),* } for $config:ty;)*) => {$(
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code, reason = "they are accepted and ignored")]
        pub struct $options {
            $($ignored: Option<$type>,)*
            #[serde(flatten)]
            config: $config,
        }

        impl From<$options> for $config {
            fn from(options: $options) -> Self {
                options.config
            }
        }
    )*};
}

with_ignored_options! {
    // The decoder is given to `init`.
    DenoisingAutoEncoder { decoder_name_or_path: String, tie_encoder_decoder: bool }
        for DenoisingAutoEncoderLossConfig;
    // It is the batch that is gathered: see `gather`.
    GistEmbed { gather_across_devices: bool } for GistEmbedLossConfig;
    MultipleNegativesRanking { gather_across_devices: bool }
        for MultipleNegativesRankingLossConfig;
    MegaBatchMargin {
        use_mini_batched_version: bool,
        mini_batch_size: usize,
        mini_batch_num_tokens: usize,
        show_progress_bar: bool
    } for MegaBatchMarginLossConfig;
    Softmax { loss_fct: CrossEntropy } for SoftmaxLossConfig;
    CachedMultiVectorMultipleNegativesRanking {
        mini_batch_size: NonZeroUsize,
        mini_batch_num_tokens: NonZeroUsize,
        score_mini_batch_size: NonZeroUsize,
        gather_across_devices: bool,
        show_progress_bar: bool
    } for tokens::MultiVectorMultipleNegativesRankingLossConfig;
    MultiVectorDistillKlDiv { mini_batch_size: NonZeroUsize }
        for tokens::MultiVectorDistillKlDivLossConfig;
    MultiVectorMarginMse { mini_batch_size: NonZeroUsize }
        for tokens::MultiVectorMarginMseLossConfig;
    MultiVectorMultipleNegativesRanking {
        mini_batch_size: NonZeroUsize,
        score_mini_batch_size: NonZeroUsize,
        gather_across_devices: bool
    } for tokens::MultiVectorMultipleNegativesRankingLossConfig;
    RerankingAdrMse { mini_batch_size: i64 } for reranker::AdrMseLossConfig;
    RerankingCachedMultipleNegativesRanking { mini_batch_size: i64, show_progress_bar: bool }
        for reranker::MultipleNegativesRankingLossConfig;
    RerankingLambda { mini_batch_size: i64 } for reranker::LambdaLossConfig;
    RerankingListMle { mini_batch_size: i64 } for reranker::ListMleLossConfig;
    RerankingListNet { mini_batch_size: i64 } for reranker::ListNetLossConfig;
    RerankingPListMle { mini_batch_size: i64 } for reranker::PListMleLossConfig;
    RerankingRankNet { mini_batch_size: i64 } for reranker::RankNetLossConfig;
}

/// A regression loss of torch by its class name, with torch's defaults.
struct TorchLoss(ScoreError);

impl<'de> Deserialize<'de> for TorchLoss {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        match class_name(&name) {
            "MSELoss" => Ok(Self(ScoreError::SquaredError)),
            "L1Loss" => Ok(Self(ScoreError::AbsoluteError)),
            "HuberLoss" | "SmoothL1Loss" => Ok(Self(ScoreError::Huber { delta: 1.0 })),
            "BCELoss" => Ok(Self(ScoreError::BinaryCrossEntropy)),
            "BCEWithLogitsLoss" => Ok(Self(ScoreError::BinaryCrossEntropyWithLogits)),
            _ => Err(D::Error::custom(format!(
                "`loss_fct` must be MSELoss, L1Loss, HuberLoss, SmoothL1Loss, BCELoss or \
                 BCEWithLogitsLoss, got {name}"
            ))),
        }
    }
}

/// The only `loss_fct` of SoftmaxLoss that works in the reference as well.
struct CrossEntropy;

impl<'de> Deserialize<'de> for CrossEntropy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        match class_name(&name) {
            "CrossEntropyLoss" => Ok(Self),
            _ => Err(D::Error::custom(format!("`loss_fct` must be CrossEntropyLoss, got {name}"))),
        }
    }
}

/// The last part of a qualified Python name such as `torch.nn.modules.loss.MSELoss`.
fn class_name(qualified: &str) -> &str {
    qualified.rsplit('.').next().unwrap_or(qualified)
}
