//! Losses by the names and options of Python's sentence-transformers.
//!
//! A configuration written for `sentence_transformers.losses` builds the same loss here:
//!
//! ```
//! use burn_embedding_losses::sentence_transformers::LossConfig;
//!
//! let options = serde_json::json!({"distance_metric": "cosine", "triplet_margin": 0.3});
//! let LossConfig::Triplet(config) = LossConfig::from_python("TripletLoss", options)? else {
//!     unreachable!()
//! };
//! assert_eq!(config.margin, 0.3);
//! # Ok::<(), burn_embedding_losses::ConfigError>(())
//! ```
//!
//! Options that only this crate has (`reduction`, `anchors`, `label_smoothing`,
//! `memory_budget`) are understood as
//! well. Of the options that need a Python object, `loss_fct` and `cos_score_transformation` are
//! given by their torch class names (`"HuberLoss"`, `"Sigmoid"`).
//!
//! `gather_across_devices` is accepted, either way: a loss takes what it is given, and it is the batch
//! that is [gathered](crate::gather) from several devices. On one device it is without effect there
//! as well.

use serde::Deserialize as DeriveDeserialize;
use serde::de::{Deserialize, Deserializer, Error as _};

use crate::error::ConfigError;
use crate::geometry::{Distance, Similarity};
use crate::losses::*;
use crate::reduction::Reduction;

/// Declares [`LossConfig`]: variant, configuration, Python class, options.
macro_rules! losses {
    ($($variant:ident($config:ty) = $python:literal from $options:ty),* $(,)?) => {
        /// The configuration of any loss.
        #[derive(Debug, Clone, PartialEq)]
        pub enum LossConfig {
            $(#[doc = concat!("`", $python, "` of sentence-transformers.")] $variant($config),)*
        }

        impl LossConfig {
            /// The names that [`from_python`](Self::from_python) knows.
            pub const NAMES: [&str; [$($python),*].len()] = [$($python),*];

            /// The loss of the Python class `name`, built with the constructor arguments `options`;
            /// what they leave out has Python's default.
            ///
            /// `SoftmaxLoss` needs `embedding_dimension` and `num_labels`, `MSELoss` needs
            /// `embedding_dimension` where it has a `projection_dim`. The options of
            /// `MegaBatchMarginLoss` that only say how it is computed are accepted and ignored.
            ///
            /// # Errors
            ///
            /// If there is no such loss, an option does not exist or has the wrong type, or the
            /// configuration is not [valid](Self::check).
            pub fn from_python<'de>(
                name: &str,
                options: impl Deserializer<'de>,
            ) -> Result<Self, ConfigError> {
                let config = match name {
                    $($python => Self::$variant(convert::<$options, _>(name, options)?),)*
                    _ => return Err(ConfigError::new(format!(
                        "unknown loss `{name}`; known are {}", Self::NAMES.join(", ")
                    ))),
                };
                config.check().map(|()| config)
            }

            /// The name of the Python class.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $python,)* }
            }

            /// The `check` of the configuration.
            ///
            /// # Errors
            ///
            /// If a field breaks a rule.
            pub fn check(&self) -> Result<(), ConfigError> {
                match self { $(Self::$variant(config) => config.check(),)* }
            }
        }
    };
}

losses! {
    BatchAllTriplet(BatchAllTripletLossConfig) = "BatchAllTripletLoss" from BatchAll,
    BatchHardSoftMarginTriplet(BatchHardSoftMarginTripletLossConfig)
        = "BatchHardSoftMarginTripletLoss" from BatchHardSoftMargin,
    BatchHardTriplet(BatchHardTripletLossConfig) = "BatchHardTripletLoss" from BatchMined,
    BatchSemiHardTriplet(BatchSemiHardTripletLossConfig)
        = "BatchSemiHardTripletLoss" from BatchMined,
    Contrastive(ContrastiveLossConfig) = "ContrastiveLoss" from Contrastive,
    CosineSimilarity(CosineSimilarityLossConfig) = "CosineSimilarityLoss" from CosineSimilarity,
    MarginMse(MarginMseLossConfig) = "MarginMSELoss" from MarginMse,
    MegaBatchMargin(MegaBatchMarginLossConfig) = "MegaBatchMarginLoss" from MegaBatchMargin,
    Mse(MseLossConfig) = "MSELoss" from Mse,
    MultipleNegativesRanking(MultipleNegativesRankingLossConfig)
        = "MultipleNegativesRankingLoss" from MultipleNegativesRanking,
    OnlineContrastive(OnlineContrastiveLossConfig)
        = "OnlineContrastiveLoss" from OnlineContrastive,
    Softmax(SoftmaxLossConfig) = "SoftmaxLoss" from Softmax,
    Triplet(TripletLossConfig) = "TripletLoss" from Triplet,
}

fn convert<'de, O, C>(name: &str, options: impl Deserializer<'de>) -> Result<C, ConfigError>
where
    O: Deserialize<'de>,
    C: From<O>,
{
    let refused = |error| ConfigError::new(format!("{name}: {error}"));
    O::deserialize(options).map(C::from).map_err(refused)
}

/// Declares the options of a Python constructor with their defaults, and the configuration that
/// they become.
macro_rules! options {
    ($name:ident { $($field:ident: $type:ty = $default:expr),* $(,)? }
     $(=> $config:ident |$o:ident| { $($to:ident: $from:expr),* $(,)? })*) => {
        #[derive(DeriveDeserialize)]
        #[serde(default, deny_unknown_fields)]
        struct $name { $($field: $type,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        $(impl From<$name> for $config {
            fn from($o: $name) -> Self {
                Self { $($to: $from,)* }
            }
        })*
    };
}

options!(BatchAll {
    distance_metric: Distance = Distance::Euclidean,
    margin: f64 = 5.0,
    memory_budget: Option<usize> = None,
    reduction: Reduction = Reduction::Mean,
} => BatchAllTripletLossConfig |o| {
    distance: o.distance_metric, margin: o.margin, memory_budget: o.memory_budget, reduction: o.reduction,
});

options!(BatchMined {
    distance_metric: Distance = Distance::Euclidean,
    margin: f64 = 5.0,
    anchors: Anchors = Anchors::All,
    memory_budget: Option<usize> = None,
    reduction: Reduction = Reduction::Mean,
} => BatchHardTripletLossConfig |o| {
    distance: o.distance_metric, margin: o.margin, anchors: o.anchors, memory_budget: o.memory_budget, reduction: o.reduction,
} => BatchSemiHardTripletLossConfig |o| {
    distance: o.distance_metric, margin: o.margin, anchors: o.anchors, memory_budget: o.memory_budget, reduction: o.reduction,
});

options!(BatchHardSoftMargin {
    distance_metric: Distance = Distance::Euclidean,
    anchors: Anchors = Anchors::All,
    memory_budget: Option<usize> = None,
    reduction: Reduction = Reduction::Mean,
} => BatchHardSoftMarginTripletLossConfig |o| {
    distance: o.distance_metric, anchors: o.anchors, memory_budget: o.memory_budget, reduction: o.reduction,
});

options!(Contrastive {
    distance_metric: Distance = Distance::Cosine,
    margin: f64 = 0.5,
    size_average: bool = true,
} => ContrastiveLossConfig |o| {
    distance: o.distance_metric,
    margin: o.margin,
    reduction: if o.size_average { Reduction::Mean } else { Reduction::Sum },
});

options!(OnlineContrastive {
    distance_metric: Distance = Distance::Cosine,
    margin: f64 = 0.5,
    reduction: Reduction = Reduction::Sum,
} => OnlineContrastiveLossConfig |o| {
    distance: o.distance_metric, margin: o.margin, reduction: o.reduction,
});

options!(CosineSimilarity {
    loss_fct: TorchLoss = TorchLoss(ScoreError::SquaredError),
    cos_score_transformation: ScoreTransformation = ScoreTransformation::Identity,
    reduction: Reduction = Reduction::Mean,
} => CosineSimilarityLossConfig |o| {
    score_error: o.loss_fct.0,
    transformation: o.cos_score_transformation,
    reduction: o.reduction,
});

options!(MarginMse {
    similarity_fct: Similarity = Similarity::Dot,
    reduction: Reduction = Reduction::Mean,
} => MarginMseLossConfig |o| {
    similarity: o.similarity_fct, reduction: o.reduction,
});

options!(MegaBatchMargin {
    positive_margin: f64 = 0.8,
    negative_margin: f64 = 0.3,
    use_mini_batched_version: bool = true,
    mini_batch_size: usize = 50,
    mini_batch_num_tokens: Option<usize> = None,
    show_progress_bar: bool = false,
    memory_budget: Option<usize> = None,
    reduction: Reduction = Reduction::Mean,
} => MegaBatchMarginLossConfig |o| {
    positive_margin: o.positive_margin,
    negative_margin: o.negative_margin,
    memory_budget: o.memory_budget,
    reduction: {
        // How the reference computes the same numbers.
        let _ = (o.use_mini_batched_version, o.mini_batch_size);
        let _ = (o.mini_batch_num_tokens, o.show_progress_bar);
        o.reduction
    },
});

options!(Mse {
    projection_dim: Option<usize> = None,
    embedding_dimension: usize = 0,
    reduction: Reduction = Reduction::Mean,
} => MseLossConfig |o| {
    projection: o.projection_dim.map(|dim| ProjectionConfig::new(o.embedding_dimension, dim)),
    reduction: o.reduction,
});

options!(MultipleNegativesRanking {
    scale: f64 = 20.0,
    similarity_fct: Similarity = Similarity::Cosine,
    gather_across_devices: bool = false,
    directions: Vec<Direction> = vec![Direction::QueryToDocument],
    partition_mode: PartitionMode = PartitionMode::Joint,
    hardness_mode: Option<Hardness> = None,
    hardness_strength: f64 = 0.0,
    memory_budget: Option<usize> = None,
    reduction: Reduction = Reduction::Mean,
} => MultipleNegativesRankingLossConfig |o| {
    scale: o.scale,
    similarity: o.similarity_fct,
    directions: o.directions,
    partition_mode: o.partition_mode,
    hardness_mode: o.hardness_mode,
    hardness_strength: {
        // Of the batch, not of the loss: see `gather`.
        let _ = o.gather_across_devices;
        o.hardness_strength
    },
    memory_budget: o.memory_budget, reduction: o.reduction,
});

options!(Softmax {
    embedding_dimension: usize = 0,
    num_labels: usize = 0,
    concatenation_sent_rep: bool = true,
    concatenation_sent_difference: bool = true,
    concatenation_sent_multiplication: bool = false,
    loss_fct: CrossEntropy = CrossEntropy,
    label_smoothing: f64 = 0.0,
    reduction: Reduction = Reduction::Mean,
} => SoftmaxLossConfig |o| {
    embedding_dimension: o.embedding_dimension,
    num_labels: o.num_labels,
    concatenation_sent_rep: o.concatenation_sent_rep,
    concatenation_sent_difference: o.concatenation_sent_difference,
    concatenation_sent_multiplication: o.concatenation_sent_multiplication,
    label_smoothing: {
        let CrossEntropy = o.loss_fct;
        o.label_smoothing
    },
    reduction: o.reduction,
});

options!(Triplet {
    distance_metric: Distance = Distance::Euclidean,
    triplet_margin: f64 = 5.0,
    reduction: Reduction = Reduction::Mean,
} => TripletLossConfig |o| {
    distance: o.distance_metric, margin: o.triplet_margin, reduction: o.reduction,
});

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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_given_is_pythons_default_and_ours() {
        let cases: [(&str, LossConfig); 4] = [
            ("TripletLoss", LossConfig::Triplet(TripletLossConfig::new())),
            (
                "MultipleNegativesRankingLoss",
                LossConfig::MultipleNegativesRanking(MultipleNegativesRankingLossConfig::new()),
            ),
            (
                "OnlineContrastiveLoss",
                LossConfig::OnlineContrastive(OnlineContrastiveLossConfig::new()),
            ),
            (
                "CosineSimilarityLoss",
                LossConfig::CosineSimilarity(CosineSimilarityLossConfig::new()),
            ),
        ];
        for (name, expected) in cases {
            assert_eq!(LossConfig::from_python(name, json!({})).unwrap(), expected);
        }
    }

    #[test]
    fn gathering_is_up_to_the_batch() {
        for gather in [true, false] {
            let options = json!({"gather_across_devices": gather});
            let config = LossConfig::from_python("MultipleNegativesRankingLoss", options).unwrap();
            let plain = MultipleNegativesRankingLossConfig::new();
            assert_eq!(config, LossConfig::MultipleNegativesRanking(plain));
        }
    }

    #[test]
    fn every_name_is_understood_and_kept() {
        let sizes = json!({"embedding_dimension": 4, "num_labels": 2});
        for name in LossConfig::NAMES {
            let options = if name == "SoftmaxLoss" { sizes.clone() } else { json!({}) };
            assert_eq!(LossConfig::from_python(name, options).unwrap().name(), name);
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (name, options, expected) in [
            ("TripleLoss", json!({}), "unknown loss `TripleLoss`; known are BatchAllTripletLoss,"),
            ("TripletLoss", json!({"margin": 1}), "TripletLoss: unknown field `margin`"),
            ("TripletLoss", json!({"triplet_margin": "x"}), "TripletLoss: invalid type: string"),
            ("MultipleNegativesRankingLoss", json!({"scale": 0}), "`scale` must be positive"),
            (
                "MultipleNegativesRankingLoss",
                json!({"gather_across_devices": "yes"}),
                "invalid type: string \"yes\", expected a boolean",
            ),
            ("SoftmaxLoss", json!({"num_labels": 3}), "`embedding_dimension` must be at least 1"),
        ] {
            let message = LossConfig::from_python(name, options).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn qualified_torch_names_are_understood() {
        let options = json!({"loss_fct": "torch.nn.modules.loss.HuberLoss"});
        let config = LossConfig::from_python("CosineSimilarityLoss", options).unwrap();
        let LossConfig::CosineSimilarity(config) = config else { unreachable!() };
        assert_eq!(config.score_error, ScoreError::Huber { delta: 1.0 });
    }
}
