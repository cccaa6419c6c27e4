//! The parts that transformers are made of, with new parameters.

use burn::module::Param;
use burn::nn::{Embedding, EmbeddingConfig, Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::config::TransformerConfig;
use super::layer_norm::LayerNorm;
use crate::dropout::Dropout;

impl TransformerConfig {
    pub(crate) fn embedding(&self, rows: usize, size: usize, device: &Device) -> Embedding {
        embedding(rows, size, self.initializer_range, device)
    }

    pub(crate) fn linear(&self, inputs: usize, outputs: usize, device: &Device) -> Linear {
        let layer = linear_without_bias(inputs, outputs, self.initializer_range, device);
        Linear { bias: Some(zeros(outputs, device)), ..layer }
    }

    /// A normalisation of hidden states.
    pub(crate) fn layer_norm(&self, device: &Device) -> LayerNorm {
        self.layer_norm_of(self.hidden_size, device)
    }

    pub(super) fn layer_norm_of(&self, size: usize, device: &Device) -> LayerNorm {
        LayerNorm::new(size, self.layer_norm_eps, device)
    }

    pub(crate) fn hidden_dropout(&self) -> Dropout {
        Dropout::new(self.hidden_dropout_prob)
    }
}

/// A new table whose numbers have this standard deviation.
pub(crate) fn embedding(rows: usize, size: usize, deviation: f64, device: &Device) -> Embedding {
    EmbeddingConfig::new(rows, size).with_initializer(normal(deviation)).init(device)
}

/// A new linear layer whose weights have this standard deviation.
pub(crate) fn linear_without_bias(
    inputs: usize,
    outputs: usize,
    deviation: f64,
    device: &Device,
) -> Linear {
    let config = LinearConfig::new(inputs, outputs).with_bias(false);
    config.with_initializer(normal(deviation)).init(device)
}

fn normal(deviation: f64) -> Initializer {
    Initializer::Normal { mean: 0.0, std: deviation }
}

/// A new bias.
pub(crate) fn zeros(size: usize, device: &Device) -> Param<Tensor<1>> {
    Initializer::Zeros.init([size], device)
}
