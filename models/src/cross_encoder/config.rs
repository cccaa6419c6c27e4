//! What `config.json` says of the head that scores text pairs, and what each family calls its parts.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::modules::PoolingMode;
use crate::network::NetworkConfig;
use crate::transformer::{Activation, Family, check_share, check_size};

/// The most classes that a model may have.
const LABELS: usize = 1 << 16;

/// The shape of a head.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadConfig {
    /// The number of scores of a pair.
    pub labels: usize,
    pub(super) hidden_size: usize,
    /// The standard deviation of new weights.
    pub(super) deviation: f64,
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
    fn labels(&self) -> usize {
        let named = || self.id2label.as_ref().map(Map::len);
        self.num_labels.or_else(named).unwrap_or(2)
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
        check_size("num_labels", head.labels, LABELS).map_err(failed)?;
        check_share("classifier_dropout", head.dropout).map_err(failed)?;
        check_share("pooler_dropout", head.first_dropout).map_err(failed)?;
        Ok(head)
    }

    fn of(fields: &Fields, network: &NetworkConfig) -> Result<Self, String> {
        let base = Self {
            labels: fields.labels(),
            hidden_size: network.shape().hidden_size(),
            deviation: fields.initializer_range.unwrap_or(0.02),
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
                pooling: PoolingMode::named(fields.classifier_pooling.as_deref().unwrap_or("cls"))?,
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
