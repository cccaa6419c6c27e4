//! The product of two small matrices beside the weight of a linear layer.

use crate::dropout::Dropout;
use burn::module::{Module, Reparameterization};
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::module::linear;
use burn::tensor::{Device, Tensor};

use super::LoraConfig;

/// What is trained beside a linear layer.
#[derive(Module, Debug)]
pub struct LowRank {
    /// From the layer's inputs to `r` numbers.
    a: Linear,
    /// From these to the layer's outputs.
    b: Linear,
    dropout: Dropout,
    /// `alpha / r`.
    scale: f64,
}

impl LowRank {
    /// A new adapter, which changes nothing yet: A is drawn as PyTorch draws a linear layer, B is zero.
    pub(super) fn new(config: &LoraConfig, [inputs, outputs]: [usize; 2], device: &Device) -> Self {
        let layer = |inputs, outputs| LinearConfig::new(inputs, outputs).with_bias(false);
        let a = layer(inputs, config.r).init(device);
        let b = layer(config.r, outputs).with_initializer(Initializer::Zeros).init(device);
        // Drawn now, so that the numbers do not depend on which layer is used first.
        a.weight.val();
        b.weight.val();
        let dropout = Dropout::new(config.dropout);
        Self { a, b, dropout, scale: config.alpha / config.r as f64 }
    }

    /// What is added to the layer's output for `input`, `[..., inputs]`.
    fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.b.forward(self.a.forward(self.dropout.forward(input))) * self.scale
    }
}

impl Reparameterization for LowRank {
    const NAME: &'static str = "lora";

    /// The weight with the product added to it: the layer as it is without dropout.
    fn apply<const D: usize>(&self, base: Tensor<D>) -> Tensor<D> {
        let product = self.a.weight.val().matmul(self.b.weight.val()) * self.scale;
        let shape = base.shape();
        base + product.reshape(shape)
    }
}

/// A linear layer, with its adapter if it has one.
///
/// `Linear::forward` gives the same without dropout, but with a gradient as large as the weight.
pub(crate) trait Project {
    /// `[..., inputs]` to `[..., outputs]`.
    fn project<const D: usize>(&self, input: Tensor<D>) -> Tensor<D>;
}

impl Project for Linear {
    fn project<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let Some(adapter) = self.weight.reparameterization::<LowRank>() else {
            return self.forward(input);
        };
        let bias = self.bias.as_ref().map(|bias| bias.val());
        linear(input.clone(), self.weight.base(), bias) + adapter.forward(input)
    }
}
