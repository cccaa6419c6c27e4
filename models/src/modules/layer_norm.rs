//! LayerNorm: the normalisation of a text's vector, with a learned scale and shift.

use burn::module::Module;
use burn::nn::LayerNormConfig;
use burn::tensor::Device;
use serde::Deserialize;

use super::features::{Features, Sizes, Vectors};

/// `(x − mean) / √(variance + 1e-5) · scale + shift` over the values of a text's vector.
///
/// Source: `sentence_transformers.sentence_transformer.modules.layer_norm`.
#[derive(Module, Debug)]
pub struct LayerNorm {
    norm: burn::nn::LayerNorm,
}

/// The `config.json` of a [`LayerNorm`].
#[derive(Debug, Clone, Deserialize)]
pub struct LayerNormSettings {
    dimension: usize,
}

impl LayerNormSettings {
    pub(crate) fn init(&self, device: &Device) -> LayerNorm {
        LayerNorm { norm: LayerNormConfig::new(self.dimension).init(device) }
    }
}

impl LayerNorm {
    pub(super) fn forward(&self, features: Features) -> Features {
        features.map(Vectors::Texts, |rows| self.norm.forward(rows))
    }

    pub(super) fn sizes(&self, before: Sizes) -> Result<Sizes, String> {
        let [size] = self.norm.gamma.lazy_shape().dims();
        before.expect(Vectors::Texts, "dimension", size)?;
        Ok(before)
    }
}
