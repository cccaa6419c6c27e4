//! What `config.json` says of the head that scores text pairs, and what each family calls its parts.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::labels::usual_name;
use crate::error::Error;
use crate::modules::PoolingMode;
use crate::network::NetworkConfig;
use crate::transformer::{Activation, Family, check_share, check_size};

/// The most classes that a model may have.
const LABELS: usize = 1 << 16;

/// The shape of a head.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadConfig {
    /// The names of the scores of a pair.
    pub labels: Vec<String>,
    pub(super) hidden_size: usize,
    /// The standard deviations of new weights, of the first layer and of the classifier.
    pub(super) deviations: [f64; 2],
    pub(super) activation: Activation,
    pub(super) dense_bias: bool,
    pub(super) first_dropout: f64,
    pub(super) dropout: f64,
    pub(super) pooling: PoolingMode,
    pub(crate) names: HeadNames,
}

/// The names of a head's layers in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadNames {
    /// The first layer.
    pub dense: &'static str,
    /// The normalisation after it, if there is one.
    pub norm: Option<&'static str>,
    /// The last layer.
    pub classifier: &'static str,
}

impl HeadNames {
    const fn of(dense: &'static str, classifier: &'static str) -> Self {
        Self { dense, norm: None, classifier }
    }

    /// Each layer's name here and in a file.
    pub(crate) fn pairs(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let norm = self.norm.map(|there| ("norm", there));
        [("dense", self.dense), ("classifier", self.classifier)].into_iter().chain(norm)
    }
}

/// The fields of a `config.json` that this crate uses for a head, of any family.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields {
    num_labels: Option<usize>,
    id2label: Option<Map<String, Value>>,
    initializer_range: Option<f64>,
    classifier_dropout: Option<f64>,
    classifier_dropout_prob: Option<f64>,
    seq_classif_dropout: Option<f64>,
    cls_dropout: Option<f64>,
    pooler_dropout: Option<f64>,
    pooler_hidden_act: Option<Activation>,
    classifier_activation: Option<Activation>,
    classifier_bias: Option<bool>,
    classifier_pooling: Option<String>,
}

impl Fields {
    /// As many as there are names, or two, as transformers has it.
    fn count(&self) -> usize {
        let named = || self.id2label.as_ref().map(Map::len);
        self.num_labels.or_else(named).unwrap_or(2)
    }

    fn labels(&self) -> Result<Vec<String>, String> {
        check_size("num_labels", self.count(), LABELS)?;
        let named = |index: usize| self.id2label.as_ref()?.get(&index.to_string())?.as_str();
        let name = |index| named(index).map_or_else(|| usual_name(index), String::from);
        Ok((0..self.count()).map(name).collect())
    }
}

/// The pooling of ModernBERT's head.
fn pooling(named: Option<&str>) -> Result<PoolingMode, String> {
    match named {
        None | Some("cls") => Ok(PoolingMode::Cls),
        Some("mean") => Ok(PoolingMode::Mean),
        Some(other) => {
            Err(format!("`classifier_pooling` must be \"cls\" or \"mean\", got {other:?}"))
        }
    }
}

impl HeadConfig {
    /// Reads the fields of the `config.json` at `path`; `network` is what the rest of it describes.
    ///
    /// # Errors
    ///
    /// Names the field, its value and the rule, or the family that has no head here.
    pub(super) fn parse(path: &Path, bytes: &[u8], network: &NetworkConfig) -> Result<Self, Error> {
        let failed = |reason: String| Error::read(path, reason);
        let fields: Fields =
            serde_json::from_slice(bytes).map_err(|error| failed(error.to_string()))?;
        let head = Self::of(&fields, network).map_err(failed)?;
        check_share("classifier_dropout", head.dropout).map_err(failed)?;
        check_share("pooler_dropout", head.first_dropout).map_err(failed)?;
        Ok(head)
    }

    fn of(fields: &Fields, network: &NetworkConfig) -> Result<Self, String> {
        let (hidden_size, deviation) =
            (network.shape().hidden_size(), fields.initializer_range.unwrap_or(0.02));
        let base = Self {
            labels: fields.labels()?,
            hidden_size,
            deviations: [deviation; 2],
            activation: Activation::Tanh,
            dense_bias: true,
            first_dropout: 0.0,
            dropout: 0.0,
            pooling: PoolingMode::Cls,
            names: HeadNames::of("classifier.dense", "classifier.out_proj"),
        };
        match network {
            NetworkConfig::Bert(config) => {
                let usual = fields.classifier_dropout.unwrap_or(config.hidden_dropout_prob);
                Ok(base.of_bert(config.family, usual, fields))
            }
            NetworkConfig::Deberta(config) => Ok(Self {
                activation: fields.pooler_hidden_act.unwrap_or(Activation::Gelu),
                first_dropout: fields.pooler_dropout.unwrap_or(0.0),
                dropout: fields.cls_dropout.unwrap_or(config.bert.hidden_dropout_prob),
                names: HeadNames::of("pooler.dense", "classifier"),
                ..base
            }),
            NetworkConfig::Rotary(config) if config.has_modern_head() => Ok(Self {
                activation: fields.classifier_activation.unwrap_or(Activation::Gelu),
                dense_bias: fields.classifier_bias.unwrap_or(false),
                dropout: fields.classifier_dropout.unwrap_or(0.0),
                pooling: pooling(fields.classifier_pooling.as_deref())?,
                deviations: [
                    deviation / (2.0 * network.shape().layers() as f64).sqrt(),
                    (hidden_size as f64).powf(-0.5),
                ],
                names: HeadNames {
                    norm: Some("head.norm"),
                    ..HeadNames::of("head.dense", "classifier")
                },
                ..base
            }),
            _ => Err("this `model_type` has no classifier of text pairs here; BERT, RoBERTa, \
                      XLM-RoBERTa, CamemBERT, MPNet, DistilBERT, ELECTRA, ALBERT, DeBERTa-v2 and v3, and \
                      ModernBERT have one"
                .to_string()),
        }
    }

    fn of_bert(self, family: Family, usual: f64, fields: &Fields) -> Self {
        match family {
            Family::Bert => Self {
                dropout: usual,
                names: HeadNames::of("bert.pooler.dense", "classifier"),
                ..self
            },
            Family::Albert => Self {
                dropout: fields.classifier_dropout_prob.unwrap_or(0.1),
                names: HeadNames::of("albert.pooler", "classifier"),
                ..self
            },
            Family::Distilbert => Self {
                activation: Activation::Relu,
                dropout: fields.seq_classif_dropout.unwrap_or(0.2),
                names: HeadNames::of("pre_classifier", "classifier"),
                ..self
            },
            Family::Electra => {
                Self { activation: Activation::Gelu, first_dropout: usual, dropout: usual, ..self }
            }
            Family::Roberta | Family::Mpnet => {
                Self { first_dropout: usual, dropout: usual, ..self }
            }
        }
    }

    /// The dropout of all layers while training.
    pub(super) fn set_dropout(&mut self, dropout: f64) {
        self.dropout = dropout;
        if self.first_dropout > 0.0 {
            self.first_dropout = dropout;
        }
    }
}
