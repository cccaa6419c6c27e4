//! The parts that transformers are made of, with new parameters.

use burn::module::Param;
use burn::nn::{
    Dropout, DropoutConfig, Embedding, EmbeddingConfig, Initializer, LayerNorm, LayerNormConfig,
    Linear, LinearConfig,
};
use burn::tensor::{Device, Tensor};

use super::config::TransformerConfig;

impl TransformerConfig {
    fn initializer(&self) -> Initializer {
        Initializer::Normal { mean: 0.0, std: self.initializer_range }
    }

    pub(super) fn embedding(&self, rows: usize, size: usize, device: &Device) -> Embedding {
        let config = EmbeddingConfig::new(rows, size);
        config.with_initializer(self.initializer()).init(device)
    }

    pub(crate) fn linear(&self, inputs: usize, outputs: usize, device: &Device) -> Linear {
        let config = LinearConfig::new(inputs, outputs).with_bias(false);
        let layer = config.with_initializer(self.initializer()).init(device);
        Linear { bias: Some(zeros(outputs, device)), ..layer }
    }

    pub(crate) fn layer_norm(&self, device: &Device) -> LayerNorm {
        LayerNormConfig::new(self.hidden_size).with_epsilon(self.layer_norm_eps).init(device)
    }

    pub(super) fn hidden_dropout(&self) -> Dropout {
        DropoutConfig::new(self.hidden_dropout_prob).init()
    }
}

/// A new bias.
pub(crate) fn zeros(size: usize, device: &Device) -> Param<Tensor<1>> {
    Initializer::Zeros.init([size], device)
}
