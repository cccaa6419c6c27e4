//! Two linear layers at every token, with a gate between them.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};

use super::config::RotaryConfig;
use crate::dropout::Dropout;
use crate::lora::Project;
use crate::transformer::Activation;

/// The function of one half of the wide vector, times the other half.
#[derive(Module, Debug)]
pub struct FeedForward {
    /// To both halves: one matrix, or one each, the gate first.
    inputs: Vec<Linear>,
    output: Linear,
    dropout: Dropout,
    gate_is_last: bool,
    #[module(skip)]
    activation: Activation,
}

impl FeedForward {
    pub(super) fn new(config: &RotaryConfig, device: &Device) -> Self {
        let (size, wide, gate) = (config.hidden_size, config.inner_size, config.gate);
        let inputs = if gate.fused { vec![2 * wide] } else { vec![wide; 2] };
        let linear = |inputs, outputs, bias| config.linear([inputs, outputs], bias, device);
        Self {
            inputs: inputs.into_iter().map(|outputs| linear(size, outputs, gate.bias)).collect(),
            output: linear(wide, size, gate.output_bias),
            dropout: Dropout::new(config.dropout.inner),
            gate_is_last: gate.is_last,
            activation: gate.activation,
        }
    }

    /// `[texts · tokens, hidden]` to the same.
    pub(super) fn forward(&self, states: Tensor<2>) -> Tensor<2> {
        let halves = match self.inputs.as_slice() {
            [gate, other] => [gate.project(states.clone()), other.project(states)],
            both => {
                let both = both[0].project(states);
                let [_, width] = both.dims();
                [both.clone().slice_dim(1, 0..width / 2), both.slice_dim(1, width / 2..width)]
            }
        };
        let [gate, other] = if self.gate_is_last { swapped(halves) } else { halves };
        let wide = self.dropout.forward(self.activation.forward(gate) * other);
        self.output.project(wide)
    }
}

fn swapped<T>([first, second]: [T; 2]) -> [T; 2] {
    [second, first]
}
