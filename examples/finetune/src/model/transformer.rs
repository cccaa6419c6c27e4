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

    /// `[texts, tokens]` ids to a vector for each as it is alone, `[texts, tokens, hidden]`.
    pub fn token_vectors(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.embeddings.forward(ids)
    }

    /// Such vectors, and which of them are padding, to vectors in the light of each other.
    pub fn forward(&self, start: Tensor<3>, padding: Tensor<2, Bool>) -> Tensor<3> {
        let [texts, tokens] = padding.dims();
        self.run(start, padding.reshape([texts, 1, 1, tokens]), |_, states| states)
    }

    /// The blocks one after the other; `between` is what a block, by its index, does between its
    /// attention and its feed-forward part.
    ///
    /// `hidden_from[text, 0, i, j]` says that token i must not look at token j; for all i at once
    /// where that dimension is 1.
    pub fn run(
        &self,
        start: Tensor<3>,
        hidden_from: Tensor<4, Bool>,
        between: impl Fn(usize, Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3> {
        let [texts, tokens, size] = start.dims();
        // Added to a score, the lowest number leaves nothing of the token's weight.
        let mut bias = hidden_from.float() * f32::MIN;
        if let Some(table) = &self.relative_bias {
            let learned = table.forward(relative::buckets(tokens, &bias.device()));
            bias = bias + learned.permute([2, 0, 1]).unsqueeze::<4>();
        }
        let (rows, shape) = ([texts * tokens, size], [texts, tokens, size]);
        // All tokens in one matrix: a product for each text would be a small one.
        let mut states = start.reshape(rows);
        for (index, layer) in self.layers.iter().enumerate() {
            let attended = layer.attend(states, bias.clone());
            states = layer.feed_forward(between(index, attended.reshape(shape)).reshape(rows));
        }
        states.reshape(shape)
    }

    /// A vector for each token id.
    pub fn word_embeddings(&self) -> Tensor<2> {
        self.embeddings.words()
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

    fn attend(&self, states: Tensor<2>, bias: Tensor<4>) -> Tensor<2> {
        let attended = self.dropout.forward(self.attention.forward(states.clone(), bias));
        self.attention_norm.forward(attended + states)
    }

    fn feed_forward(&self, states: Tensor<2>) -> Tensor<2> {
        let wide = self.activation.forward(self.intermediate.forward(states.clone()));
        let narrow = self.dropout.forward(self.output.forward(wide));
        self.output_norm.forward(narrow + states)
    }
}
