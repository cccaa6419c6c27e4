//! The convolution beside the first layer of DeBERTa-v2-xlarge.

use burn::module::Module;
use burn::nn::PaddingConfig1d;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::tensor::{Bool, Device, Tensor};

use super::config::DebertaConfig;
use crate::dropout::Dropout;
use crate::transformer::{Activation, LayerNorm};

/// What neighbouring tokens are before they see the others, added to the output of the first layer.
#[derive(Module, Debug)]
pub struct Convolution {
    convolution: Conv1d,
    norm: LayerNorm,
    dropout: Dropout,
    #[module(skip)]
    activation: Activation,
}

impl Convolution {
    pub(super) fn new(config: &DebertaConfig, device: &Device) -> Self {
        let (bert, kernel) = (&config.bert, config.conv_kernel_size);
        let (size, around) = (bert.hidden_size, (kernel - 1) / 2);
        let convolution = Conv1dConfig::new(size, size, kernel)
            .with_groups(config.conv_groups)
            .with_padding(PaddingConfig1d::Explicit(around, around));
        Self {
            convolution: convolution.init(device),
            norm: bert.layer_norm(device),
            dropout: bert.hidden_dropout(),
            activation: config.conv_act,
        }
    }

    /// # Shapes
    ///
    /// - start: what goes into the first layer, `[texts, tokens, hidden]`
    /// - states: what comes out of it, `[texts · tokens, hidden]`
    /// - padding: `[texts, tokens]`
    /// - output: `[texts · tokens, hidden]`
    pub(super) fn forward(
        &self,
        start: Tensor<3>,
        states: Tensor<2>,
        padding: Tensor<2, Bool>,
    ) -> Tensor<2> {
        let [texts, tokens, size] = start.dims();
        let padding = padding.unsqueeze_dim::<3>(2).expand([texts, tokens, size]);
        // A text ends where its padding begins.
        let start = start.mask_fill(padding, 0.0);
        let near = self.convolution.forward(start.swap_dims(1, 2)).swap_dims(1, 2);
        let near = self.activation.forward(self.dropout.forward(near));
        self.norm.forward_sum(states, near.reshape([texts * tokens, size]))
    }
}
