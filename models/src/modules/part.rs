//! One module after the network.

use burn::module::Module;

use super::dense::Dense;
use super::features::{Features, Sizes, Vectors};
use super::layer_norm::LayerNorm;
use super::layer_pooling::WeightedLayerPooling;
use super::normalize::Normalize;
use super::pooling::Pooling;
use crate::dropout::Dropout;

/// A module after the network, as `modules.json` lists it.
#[derive(Module, Debug)]
pub enum Part {
    /// From the vectors of the tokens to one for each text.
    Pooling(Pooling),
    /// A mean of the network's layers.
    WeightedLayerPooling(WeightedLayerPooling),
    /// A linear layer with an activation.
    Dense(Dense),
    /// A normalisation with learned scale and shift.
    LayerNorm(LayerNorm),
    /// Dropout while training.
    Dropout(Dropout),
    /// Vectors of length one.
    Normalize(Normalize),
}

impl Part {
    /// The features after this module.
    pub fn forward(&self, features: Features) -> Features {
        match self {
            Self::Pooling(pooling) => {
                let pooled = pooling.forward(features.tokens.clone(), features.padding.clone());
                Features { texts: Some(pooled), ..features }
            }
            Self::WeightedLayerPooling(pooling) => pooling.forward(features),
            Self::Dense(dense) => dense.forward(features),
            Self::LayerNorm(norm) => norm.forward(features),
            Self::Dropout(dropout) => features.map(Vectors::Texts, |rows| dropout.forward(rows)),
            Self::Normalize(normalize) => normalize.forward(features),
        }
    }

    /// The sizes after this module.
    ///
    /// # Errors
    ///
    /// If it does not fit to the sizes before it.
    pub fn sizes(&self, before: Sizes) -> Result<Sizes, String> {
        match self {
            Self::Pooling(pooling) => {
                let size = pooling.dimension(before.of(Vectors::Tokens)?);
                Ok(before.with(Vectors::Texts, size))
            }
            Self::WeightedLayerPooling(pooling) => pooling.sizes(before),
            Self::Dense(dense) => dense.sizes(before),
            Self::LayerNorm(norm) => norm.sizes(before),
            Self::Dropout(_) => before.of(Vectors::Texts).map(|_| before),
            Self::Normalize(_) => Ok(before),
        }
    }
}
