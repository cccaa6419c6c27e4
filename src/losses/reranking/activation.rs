use burn::prelude::*;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use crate::batch::ListBatch;
use crate::objective::hinge::sigmoid;

/// A function of the logits, applied before the loss: `activation_fn` of sentence-transformers.
///
/// In JSON it also goes by the name of PyTorch's class, qualified or not, and `null` is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Activation {
    /// The logits as they are.
    Identity,
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
}

impl Activation {
    /// Applies it, element by element.
    pub fn apply<const D: usize>(self, logits: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Identity => logits,
            Self::Sigmoid => sigmoid(logits),
            Self::Tanh => logits.tanh(),
        }
    }
}

impl<'de> Deserialize<'de> for Activation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(name) = Option::<String>::deserialize(deserializer)? else {
            return Ok(Self::Identity);
        };
        match name.rsplit('.').next() {
            Some("Identity") => Ok(Self::Identity),
            Some("Sigmoid") => Ok(Self::Sigmoid),
            Some("Tanh") => Ok(Self::Tanh),
            _ => Err(D::Error::custom(format!(
                "`activation_fn` must be Identity, Sigmoid, Tanh or null, got {name}"
            ))),
        }
    }
}

impl ListBatch {
    /// The same lists with activated logits.
    pub(super) fn activated(self, activation: Activation) -> Self {
        match activation {
            Activation::Identity => self,
            other => Self::masked(other.apply(self.logits), self.labels, self.exists),
        }
    }
}
