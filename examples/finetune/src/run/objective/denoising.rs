//! DenoisingAutoEncoderLoss around the layers of the model that is trained.

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{Device, Int, Tensor};
use burn_embedding_losses::{DenoisingAutoEncoderLoss, DenoisingAutoEncoderLossConfig};
use burn_embedding_models::decoder::DecoderExtension;
use burn_embedding_models::encoder::padded;
use burn_embedding_models::transformer::Family;
use burn_embedding_models::{Transformer, TransformerConfig};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::data::task::DENOISING;
use crate::error::Error;

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

/// The loss with the parameters that the decoder has beyond the encoder, or with a decoder of its
/// own.
#[derive(Module, Debug)]
pub struct Denoising {
    loss: DenoisingAutoEncoderLoss<DecoderExtension>,
    own: Option<Transformer>,
}

impl Denoising {
    /// Draws the parameters that the encoder does not have, and copies the others unless the two are
    /// tied.
    pub fn new(
        options: Map<String, Value>,
        encoder: Option<(&Transformer, &TransformerConfig)>,
        dimension: usize,
        padding: Option<u32>,
        device: &Device,
    ) -> Result<Self, Error> {
        let options: Options = serde_json::from_value(Value::Object(options))
            .map_err(|error| Error::option("--loss-config", error.to_string()))?;
        let (transformer, config) = usable(encoder, dimension)
            .map_err(|reason| Error::option("--loss", format!("{DENOISING} {reason}")))?;
        // The tokenizer pads, so its token counts; that of the model's configuration may be another.
        let padding = padding.unwrap_or(config.pad_token_id.unwrap_or_default() as u32);
        let loss = DenoisingAutoEncoderLossConfig::new(padding);
        // A copy is trained as a whole, whether the encoder is or only its adapters.
        let own = || transformer.clone().materialize().map(&mut Copy);
        Ok(Self {
            loss: loss.init(config.init_extension(device)),
            own: (!options.tie_encoder_decoder).then(own),
        })
    }

    /// The loss of predicting the whole texts from the embeddings of the damaged ones.
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
        let decoder = self.loss.decoder.tied_to(transformer);
        self.loss.forward_with(&decoder, (embeddings, tokens))
    }
}

/// The transformer, if a decoder of embeddings with `dimension` numbers can be made of it.
fn usable<'a>(
    encoder: Option<(&'a Transformer, &'a TransformerConfig)>,
    dimension: usize,
) -> Result<(&'a Transformer, &'a TransformerConfig), String> {
    let Some((transformer, config)) = encoder else {
        let reason = "its decoder is made of the model's layers";
        return Err(format!("needs --model with BERT or RoBERTa: {reason}"));
    };
    if !matches!(config.family, Family::Bert | Family::Roberta) {
        return Err(format!("has no decoder for {}, only for BERT and RoBERTa", config.family));
    }
    let size = config.hidden_size;
    if dimension != size {
        return Err(format!(
            "needs embeddings of {size} numbers, as many as the decoder's; the model's pooling \
             makes {dimension}"
        ));
    }
    Ok((transformer, config))
}

/// Gives the parameters of a copy names of their own, so that the optimizer keeps them apart.
struct Copy;

impl ModuleMapper for Copy {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let value = Tensor::from_inner(param.val().inner());
        Param::initialized(ParamId::new(), value.require_grad())
    }
}
