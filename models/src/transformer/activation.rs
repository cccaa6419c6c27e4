//! The function between the two halves of a feed-forward part.

use std::f64::consts::PI;

use burn::tensor::{Tensor, activation};
use burn_embedding_losses::fused::gelu;
use serde::Deserialize;

/// The function between the two halves of a feed-forward part, by the names of `transformers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Activation {
    /// [`gelu`].
    #[serde(rename = "gelu", alias = "gelu_python")]
    Gelu,
    /// [`gelu`], but no more than 10.
    #[serde(rename = "gelu_10")]
    GeluUpTo10,
    /// GELU with the hyperbolic tangent in place of the error function.
    #[serde(
        rename = "gelu_new",
        alias = "gelu_pytorch_tanh",
        alias = "gelu_python_tanh",
        alias = "gelu_accurate",
        alias = "gelu_fast"
    )]
    GeluTanh,
    /// `x σ(1.702 x)`, where `σ` is the sigmoid.
    #[serde(rename = "quick_gelu")]
    GeluSigmoid,
    /// `max(x, 0)`.
    #[serde(rename = "relu")]
    Relu,
    /// `max(x, 0)²`.
    #[serde(rename = "relu2")]
    ReluSquared,
    /// `max(x, 0)`, but no more than 6.
    #[serde(rename = "relu6")]
    ReluUpTo6,
    /// `x`, a hundredth of it below 0.
    #[serde(rename = "leaky_relu")]
    LeakyRelu,
    /// `x` times `x + 3`, from 0 to 6, divided by 6.
    #[serde(rename = "hardswish")]
    HardSilu,
    /// `x σ(x)`, where `σ` is the sigmoid.
    #[serde(rename = "silu", alias = "swish")]
    Silu,
    /// `x tanh(ln(1 + eˣ))`.
    #[serde(rename = "mish")]
    Mish,
    /// `x`, and `eˣ - 1` below 0; of `torch.nn` alone.
    #[serde(skip)]
    Elu,
    /// `ln(1 + eˣ)`; of `torch.nn` alone.
    #[serde(skip)]
    Softplus,
    /// The sigmoid.
    #[serde(rename = "sigmoid")]
    Sigmoid,
    /// The hyperbolic tangent.
    #[serde(rename = "tanh")]
    Tanh,
    /// `x`.
    #[serde(rename = "linear")]
    Linear,
}

impl Activation {
    /// The function, for each element.
    pub fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Gelu => gelu(x),
            Self::GeluUpTo10 => gelu(x).clamp_max(10.0),
            Self::GeluTanh => {
                let cube = x.clone() * x.clone() * x.clone();
                let inner = (x.clone() + cube * 0.044715) * (2.0 / PI).sqrt();
                x * (inner.tanh() + 1.0) * 0.5
            }
            Self::GeluSigmoid => x.clone() * activation::sigmoid(x * 1.702),
            Self::Relu => activation::relu(x),
            Self::ReluSquared => {
                let positive = activation::relu(x);
                positive.clone() * positive
            }
            Self::ReluUpTo6 => x.clamp(0.0, 6.0),
            Self::LeakyRelu => activation::leaky_relu(x, 0.01),
            Self::HardSilu => {
                // So that the slope at 3 is that of PyTorch; Burn divides by numbers in `f32`.
                let lost = activation::relu(x.clone().neg() + 3.0).clamp_max(6.0);
                x.clone() - x * lost * (1.0 / 6.0)
            }
            Self::Silu => x.clone() * activation::sigmoid(x),
            Self::Mish => x.clone() * softplus(x).tanh(),
            Self::Elu => activation::relu(x.clone()) + x.clamp_max(0.0).exp() - 1.0,
            // Unlike `softplus`, it has a slope at 0.
            Self::Softplus => activation::log_sigmoid(x.neg()).neg(),
            Self::Sigmoid => activation::sigmoid(x),
            Self::Tanh => x.tanh(),
            Self::Linear => x,
        }
    }
}

/// `ln(1 + eˣ)`, without a large power.
fn softplus<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clone().clamp_min(0.0) + x.abs().neg().exp().log1p()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device};

    use super::*;

    /// Names, values at [`POINTS`] and derivatives there, of transformers.activations.ACT2FN.
    const OF_PYTHON: [(&str, [f64; 5], [f64; 5]); 14] = [
        (
            "gelu",
            [-0.000126684967, -0.100323419, 0.345731231, 2.99595031, 12.0],
            [-0.000503649661, 0.304626645, 0.867495125, 1.01194565, 1.0],
        ),
        (
            "gelu_10",
            [-0.000126684967, -0.100323419, 0.345731231, 2.99595031, 10.0],
            [-0.000503649661, 0.304626645, 0.867495125, 1.01194565, 0.0],
        ),
        (
            "gelu_new",
            [-7.02459482e-05, -0.100324649, 0.34571401, 2.99636261, 12.0],
            [-0.000335123197, 0.304645905, 0.867369904, 1.01158417, 1.0],
        ),
        (
            "quick_gelu",
            [-0.00441472414, -0.0988003501, 0.350388437, 2.98192869, 12.0],
            [-0.00640188655, 0.293499559, 0.879221912, 1.02454832, 1.00000003],
        ),
        ("relu", [0.0, 0.0, 0.5, 3.0, 12.0], [0.0, 0.0, 1.0, 1.0, 1.0]),
        ("relu2", [0.0, 0.0, 0.25, 9.0, 144.0], [0.0, 0.0, 1.0, 6.0, 24.0]),
        ("relu6", [0.0, 0.0, 0.5, 3.0, 6.0], [0.0, 0.0, 1.0, 1.0, 0.0]),
        ("leaky_relu", [-0.04, -0.0025, 0.5, 3.0, 12.0], [0.01, 0.01, 1.0, 1.0, 1.0]),
        (
            "hardswish",
            [0.0, -0.114583333, 0.291666667, 3.0, 12.0],
            [0.0, 0.416666667, 0.666666667, 1.0, 1.0],
        ),
        (
            "silu",
            [-0.0719448398, -0.109455875, 0.311229666, 2.85772238, 11.9999263],
            [-0.0526646149, 0.376289978, 0.739961187, 1.08810411, 1.00006759],
        ),
        (
            "mish",
            [-0.0725917408, -0.129926964, 0.375245211, 2.986535, 12.0],
            [-0.0537732098, 0.439815602, 0.886424375, 1.02110691, 1.0],
        ),
        (
            "sigmoid",
            [0.01798621, 0.437823499, 0.622459331, 0.952574127, 0.999993856],
            [0.0176627062, 0.246134083, 0.235003712, 0.0451766597, 6.14413685e-06],
        ),
        (
            "tanh",
            [-0.9993293, -0.244918662, 0.462117157, 0.995054754, 1.0],
            [0.00134095068, 0.940014849, 0.786447733, 0.00986603717, 1.5100543e-10],
        ),
        ("linear", [-4.0, -0.25, 0.5, 3.0, 12.0], [1.0, 1.0, 1.0, 1.0, 1.0]),
    ];
    const POINTS: [f64; 5] = [-4.0, -0.25, 0.5, 3.0, 12.0];

    fn named(name: &str) -> Activation {
        serde_json::from_value(name.into()).unwrap()
    }

    #[test]
    fn values_and_derivatives_are_those_of_transformers() {
        let device = Device::flex().autodiff();
        let close = |found: Tensor<1>, expected: [f64; 5], name: &str| {
            let found: Vec<f64> = found.try_into_vec_as().unwrap();
            for (found, expected) in found.iter().zip(expected) {
                let off = (found - expected).abs();
                assert!(off <= 1e-8 * expected.abs().max(1.0), "{name}: {found}, not {expected}");
            }
        };
        for (name, values, slopes) in OF_PYTHON {
            let x = Tensor::<1>::from_data(POINTS, (&device, DType::F64)).require_grad();
            let y = named(name).forward(x.clone());
            close(x.grad(&y.clone().sum().backward()).unwrap(), slopes, name);
            close(y.inner(), values, name);
        }
    }

    #[test]
    fn other_names_are_understood() {
        for name in ["gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate", "gelu_fast"] {
            assert_eq!(named(name), Activation::GeluTanh);
        }
        assert_eq!(named("gelu_python"), Activation::Gelu);
        assert_eq!(named("swish"), Activation::Silu);
    }

    #[test]
    fn slopes_at_zero_are_those_of_pytorch() {
        let x = Tensor::<1>::zeros([1], (&Device::flex().autodiff(), DType::F64)).require_grad();
        for (of, slope) in [(Activation::Elu, 1.0), (Activation::Softplus, 0.5)] {
            let found = x.grad(&of.forward(x.clone()).sum().backward()).unwrap();
            assert_eq!(found.into_scalar::<f64>(), slope, "{of:?}");
        }
    }
}
