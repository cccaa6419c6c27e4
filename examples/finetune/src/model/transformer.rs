//! The transformer of the BERT family: embeddings, then blocks of attention and feed-forward.

use burn::module::Module;
use burn::nn::{
    Dropout, DropoutConfig, Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear,
    LinearConfig,
};
use burn::tensor::{Bool, Device, Int, Tensor};

use super::attention::Attention;
use super::config::{Activation, Config, Family};
use super::embeddings::Embeddings;
use super::relative;

/// Token ids to one vector for each token, in the light of the others.
#[derive(Module, Debug)]
pub struct Transformer {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    relative_bias: Option<Embedding>,
    /// Not used for sentence embeddings, but saved with the rest where the file had it.
    pooler: Option<Linear>,
}

impl Transformer {
    /// With parameters still to be read; `pooler` says whether the file has one.
    pub fn new(config: &Config, pooler: bool, device: &Device) -> Self {
        let size = config.hidden_size;
        let relative = (config.family == Family::Mpnet).then(|| {
            let buckets = config.relative_attention_num_buckets;
            EmbeddingConfig::new(buckets, config.num_attention_heads).init(device)
        });
        Self {
            embeddings: Embeddings::new(config, device),
            layers: (0..config.num_hidden_layers).map(|_| Layer::new(config, device)).collect(),
            relative_bias: relative,
            pooler: pooler.then(|| LinearConfig::new(size, size).init(device)),
        }
    }

    /// `[texts, tokens]` ids, and which of them are padding, to `[texts, tokens, hidden]`.
    pub fn forward(&self, ids: Tensor<2, Int>, padding: Tensor<2, Bool>) -> Tensor<3> {
        let [texts, tokens] = ids.dims();
        // Added to a score, the lowest number leaves nothing of a padding token's weight.
        let hide = padding.float() * f32::MIN;
        let mut bias = hide.reshape([texts, 1, 1, tokens]);
        if let Some(table) = &self.relative_bias {
            let learned = table.forward(relative::buckets(tokens, &ids.device()));
            bias = bias + learned.permute([2, 0, 1]).unsqueeze::<4>();
        }
        let start = self.embeddings.forward(ids);
        self.layers.iter().fold(start, |hidden, layer| layer.forward(hidden, bias.clone()))
    }
}

/// One block.
#[derive(Module, Debug)]
struct Layer {
    attention: Attention,
    attention_norm: LayerNorm,
    intermediate: Linear,
    output: Linear,
    output_norm: LayerNorm,
    dropout: Dropout,
    #[module(skip)]
    activation: Activation,
}

impl Layer {
    fn new(config: &Config, device: &Device) -> Self {
        let (size, wide) = (config.hidden_size, config.intermediate_size);
        let norm = || LayerNormConfig::new(size).with_epsilon(config.layer_norm_eps).init(device);
        Self {
            attention: Attention::new(config, device),
            attention_norm: norm(),
            intermediate: LinearConfig::new(size, wide).init(device),
            output: LinearConfig::new(wide, size).init(device),
            output_norm: norm(),
            dropout: DropoutConfig::new(config.hidden_dropout_prob).init(),
            activation: config.hidden_act,
        }
    }

    fn forward(&self, hidden: Tensor<3>, bias: Tensor<4>) -> Tensor<3> {
        let attended = self.dropout.forward(self.attention.forward(hidden.clone(), bias));
        let hidden = self.attention_norm.forward(attended + hidden);
        let wide = self.activation.forward(self.intermediate.forward(hidden.clone()));
        let narrow = self.dropout.forward(self.output.forward(wide));
        self.output_norm.forward(narrow + hidden)
    }
}
