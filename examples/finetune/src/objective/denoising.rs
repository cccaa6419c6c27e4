//! DenoisingAutoEncoderLoss around the layers of the model that is trained.

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{Device, Int, Tensor};
use burn_embedding_losses::decoder::{BertConfig, BertDecoderExtension};
use burn_embedding_losses::{DenoisingAutoEncoderLoss, DenoisingAutoEncoderLossConfig};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::encoder::padded;
use crate::error::Error;
use crate::model::Transformer;
use crate::model::config::{Config, Family};
use crate::model::decoder::TiedDecoder;
use crate::task::DENOISING;

/// The loss's options, by their Python names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    #[serde(default = "tied")]
    tie_encoder_decoder: bool,
}

fn tied() -> bool {
    true
}

/// The loss with what the decoder has beyond the encoder, or with a decoder of its own.
#[derive(Module, Debug)]
pub struct Denoising {
    loss: DenoisingAutoEncoderLoss<BertDecoderExtension>,
    own: Option<Transformer>,
}

impl Denoising {
    /// With new weights for what the encoder has not, and copies of its weights for the rest
    /// unless the two are tied.
    pub fn new(
        options: Map<String, Value>,
        encoder: Option<(&Transformer, &Config)>,
        dimension: usize,
        device: &Device,
    ) -> Result<Self, Error> {
        let options: Options = serde_json::from_value(Value::Object(options))
            .map_err(|error| Error::option("--loss-config", error.to_string()))?;
        let Some((transformer, config)) = encoder else {
            let reason = format!("{DENOISING} needs --model: its decoder is made of the model's");
            return Err(Error::option("--loss", reason));
        };
        if config.family == Family::Mpnet {
            let reason = format!("{DENOISING} has no decoder for MPNet, only for BERT and RoBERTa");
            return Err(Error::option("--loss", reason));
        }
        let size = config.hidden_size;
        if dimension != size {
            let reason = format!(
                "{DENOISING} needs embeddings of {size} numbers, as many as the decoder's; the \
                 model's pooling makes {dimension}"
            );
            return Err(Error::option("--loss", reason));
        }
        let padding = config.pad_token_id.unwrap_or_default() as u32;
        let loss = DenoisingAutoEncoderLossConfig::new(padding);
        let own = || transformer.clone().map(&mut Copy);
        Ok(Self {
            loss: loss.init(extension(config, device)),
            own: (!options.tie_encoder_decoder).then(own),
        })
    }

    /// How well the tokens of the whole texts follow from the embeddings of the damaged ones.
    pub fn forward(
        &self,
        encoder: Option<&Transformer>,
        embeddings: Tensor<2>,
        whole: &[&[u32]],
    ) -> Tensor<1> {
        let transformer = self.own.as_ref().or(encoder);
        let transformer = transformer.expect("there was one when the loss was made");
        let padding = self.loss.config.pad_token_id;
        let tokens: Tensor<2, Int> = padded(whole, padding, &embeddings.device());
        let decoder = TiedDecoder { transformer, extension: &self.loss.decoder };
        self.loss.forward_with(&decoder, (embeddings, tokens))
    }
}

fn extension(config: &Config, device: &Device) -> BertDecoderExtension {
    BertConfig::new(config.vocab_size)
        .with_hidden_size(config.hidden_size)
        .with_num_hidden_layers(config.num_hidden_layers)
        .with_num_attention_heads(config.num_attention_heads)
        .with_layer_norm_eps(config.layer_norm_eps)
        .init_extension(device)
}

/// Gives the parameters of a copy names of their own, so that the optimizer keeps them apart.
struct Copy;

impl ModuleMapper for Copy {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let value = Tensor::from_inner(param.val().inner());
        Param::initialized(ParamId::new(), value.require_grad())
    }
}
