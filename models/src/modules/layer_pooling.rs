//! WeightedLayerPooling: a weighted mean of what the layers of the network give.

use burn::module::{Initializer, Module, Param};
use burn::tensor::{Device, Tensor};
use serde::Deserialize;

use super::features::{Features, Sizes};

/// `Σ wₗ · layerₗ / Σ wₗ` for each token, over the layers from the first used one on.
///
/// Source: `sentence_transformers.sentence_transformer.modules.weighted_layer_pooling`.
#[derive(Module, Debug)]
pub struct WeightedLayerPooling {
    layer_weights: Param<Tensor<1>>,
    layer_start: usize,
    embedding_dimension: usize,
}

/// The `config.json` of a [`WeightedLayerPooling`].
#[derive(Debug, Clone, Deserialize)]
pub struct LayerPoolingConfig {
    #[serde(alias = "word_embedding_dimension")]
    embedding_dimension: usize,
    #[serde(default = "first_layer")]
    layer_start: usize,
    #[serde(default = "layers")]
    num_hidden_layers: usize,
}

fn first_layer() -> usize {
    4
}

fn layers() -> usize {
    12
}

impl LayerPoolingConfig {
    pub(crate) fn init(&self, device: &Device) -> Result<WeightedLayerPooling, String> {
        let (start, layers) = (self.layer_start, self.num_hidden_layers);
        if start > layers {
            return Err(format!("`layer_start` is {start}, above `num_hidden_layers`, {layers}"));
        }
        let used = layers.saturating_add(1) - start;
        Ok(WeightedLayerPooling {
            layer_weights: Initializer::Ones.init([used], device),
            layer_start: start,
            embedding_dimension: self.embedding_dimension,
        })
    }
}

impl WeightedLayerPooling {
    /// As in Python, it does nothing if the network does not show its layers.
    pub(super) fn forward(&self, features: Features) -> Features {
        let Some(used) = features.layers.get(self.layer_start..).filter(|it| !it.is_empty()) else {
            return features;
        };
        let weights = self.layer_weights.val().cast(features.tokens.dtype());
        let weight = |index: usize| weights.clone().slice(index..index + 1).unsqueeze::<3>();
        let weighted = used.iter().enumerate().map(|(index, layer)| layer.clone() * weight(index));
        let sum = weighted.reduce(|sum, layer| sum + layer);
        let total = weights.clone().sum().unsqueeze::<3>();
        Features { tokens: sum.map_or(features.tokens, |sum| sum / total), ..features }
    }

    pub(super) fn sizes(&self, before: Sizes) -> Result<Sizes, String> {
        let size = before.of(super::Vectors::Tokens)?;
        if size != self.embedding_dimension {
            let given = self.embedding_dimension;
            return Err(format!(
                "`embedding_dimension` is {given}, but its input has {size} values"
            ));
        }
        let [weights] = self.layer_weights.lazy_shape().dims();
        let (asked, there) = (self.layer_start + weights, before.layers);
        if there > 0 && asked != there {
            return Err(format!(
                "`num_hidden_layers` is {}, but the network has {}",
                asked - 1,
                there - 1
            ));
        }
        Ok(before)
    }
}
