//! What turns the vectors of a text pair into scores: a layer on the first token, and a classifier.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Bool, Device, Tensor};

use super::config::HeadConfig;
use crate::dropout::Dropout;
use crate::lora::Project;
use crate::modules::{Pooling, PoolingMode};
use crate::rotary::Norm;
use crate::transformer::{Activation, linear_without_bias, zeros};

/// `classifier(norm(activation(dense(x))))`, where x is the vector of the first token.
#[derive(Module, Debug)]
pub struct Head {
    pub(crate) dense: Linear,
    pub(crate) norm: Option<Norm>,
    classifier: Linear,
    /// Before the first layer.
    first_dropout: Dropout,
    /// Before the classifier.
    dropout: Dropout,
    #[module(skip)]
    activation: Activation,
    #[module(skip)]
    pooling: PoolingMode,
}

impl Head {
    /// A head whose parameters are only drawn if they are used before others are loaded.
    pub(crate) fn new(config: &HeadConfig, norm: Option<Norm>, device: &Device) -> Self {
        let size = config.hidden_size;
        let [of_dense, of_classifier] = config.deviations;
        let linear = |outputs, deviation, bias: bool| {
            let layer = linear_without_bias(size, outputs, deviation, device);
            Linear { bias: bias.then(|| zeros(outputs, device)), ..layer }
        };
        Self {
            dense: linear(size, of_dense, config.dense_bias),
            norm,
            classifier: linear(config.labels.len(), of_classifier, true),
            first_dropout: Dropout::new(config.first_dropout),
            dropout: Dropout::new(config.dropout),
            activation: config.activation,
            pooling: config.pooling,
        }
    }

    /// `[texts, tokens, hidden]` and which tokens are padding to logits, `[texts, labels]`.
    pub(super) fn forward(&self, states: Tensor<3>, padding: Tensor<2, Bool>) -> Tensor<2> {
        let states = Pooling::of(self.pooling).forward(states, padding);
        let inner = self.dense.project(self.first_dropout.forward(states));
        let mut states = self.activation.forward(inner);
        if let Some(norm) = &self.norm {
            states = norm.forward(states);
        }
        self.classifier.project(self.dropout.forward(states))
    }
}
