//! Normalisations, with and without centring.

use burn::module::{Initializer, Module, Param};
use burn::tensor::module::layer_norm;
use burn::tensor::{Device, Tensor};

/// How numbers are normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NormKind {
    /// By mean and variance.
    Layer {
        /// Whether a vector is added.
        bias: bool,
    },
    /// By the root of the mean square.
    Root,
    /// The same, and the weight is a distance from one.
    RootFromOne,
}

/// Scales each vector to a common size.
#[derive(Module, Debug)]
pub struct Norm {
    weight: Param<Tensor<1>>,
    bias: Option<Param<Tensor<1>>>,
    epsilon: f64,
    #[module(skip)]
    kind: NormKind,
}

impl Norm {
    pub(super) fn new(kind: NormKind, epsilon: f64, size: usize, device: &Device) -> Self {
        let weight = match kind {
            NormKind::RootFromOne => Initializer::Zeros,
            NormKind::Layer { .. } | NormKind::Root => Initializer::Ones,
        };
        let bias = kind == NormKind::Layer { bias: true };
        Self {
            weight: weight.init([size], device),
            bias: bias.then(|| Initializer::Zeros.init([size], device)),
            epsilon,
            kind,
        }
    }

    /// Vectors of the last dimension, each by itself.
    pub(crate) fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let weight = self.weight.val();
        let weight = match self.kind {
            NormKind::Layer { .. } => {
                return layer_norm(x, weight, self.bias.as_ref().map(Param::val), self.epsilon);
            }
            NormKind::Root => weight,
            NormKind::RootFromOne => weight + 1.0,
        };
        let square = x.clone().square().mean_dim(D - 1);
        x / (square + self.epsilon).sqrt() * weight.unsqueeze()
    }
}
