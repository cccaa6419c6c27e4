//! The linear layers at every token.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};

use super::config::T5Config;
use crate::dropout::Dropout;
use crate::lora::Project;
use crate::transformer::{Activation, linear_without_bias};

/// Two linear layers at every token, the first with a gate or without.
#[derive(Module, Debug)]
pub struct FeedForward {
    wide: Wide,
    output: Linear,
    dropout: Dropout,
    #[module(skip)]
    activation: Activation,
}

/// The first of the two layers.
#[derive(Module, Debug)]
pub enum Wide {
    /// Its output is activated.
    Plain(Linear),
    /// Its output is activated, then multiplied by that of another one.
    Gated(Gated),
}

/// Two linear layers side by side.
#[derive(Module, Debug)]
pub struct Gated {
    activated: Linear,
    factor: Linear,
}

impl FeedForward {
    pub(super) fn new(config: &T5Config, device: &Device) -> Self {
        let linear = |inputs: usize, outputs| {
            let deviation = config.initializer_factor / (inputs as f64).sqrt();
            linear_without_bias(inputs, outputs, deviation, device)
        };
        let (size, wide) = (config.d_model, config.d_ff);
        Self {
            wide: match config.gated {
                false => Wide::Plain(linear(size, wide)),
                true => {
                    Wide::Gated(Gated { activated: linear(size, wide), factor: linear(size, wide) })
                }
            },
            output: linear(wide, size),
            dropout: Dropout::new(config.dropout_rate),
            activation: config.activation,
        }
    }

    /// `[texts · tokens, d_model]` to the same.
    pub(super) fn forward(&self, states: Tensor<2>) -> Tensor<2> {
        let wide = match &self.wide {
            Wide::Plain(linear) => self.activation.forward(linear.project(states)),
            Wide::Gated(Gated { activated, factor }) => {
                let active = self.activation.forward(activated.project(states.clone()));
                active * factor.project(states)
            }
        };
        self.output.project(self.dropout.forward(wide))
    }
}
