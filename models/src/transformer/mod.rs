//! The transformer of the BERT family: embeddings, then layers of attention and feed-forward.
//!
//! Another family that differs only in its embeddings, names, bias or sharing is a variant of
//! [`Family`]; one with other layers is a module of its own, which uses the parts of this one.

mod activation;
mod attention;
mod config;
mod embeddings;
mod family;
mod feed_forward;
mod fields;
mod layer;
mod layer_norm;
mod names;
mod parts;
mod relative;
mod rules;
mod shape;

use burn::module::Module;
use burn::nn::{Embedding, Linear};
use burn::tensor::{Bool, Device, Int, Tensor};

pub use activation::Activation;
pub use attention::Attention;
pub(crate) use attention::{mask_bias, split_heads, weighted_means};
pub use config::TransformerConfig;
pub use embeddings::Embeddings;
pub(crate) use embeddings::of_types;
pub use family::Family;
pub use feed_forward::FeedForward;
pub(crate) use fields::defaults_of;
pub use layer::Layer;
pub use layer_norm::LayerNorm;
pub(crate) use parts::{embedding, linear_without_bias, zeros};
pub(crate) use relative::Buckets;
pub(crate) use rules::{check_deviation, check_epsilon, check_share, check_size, require_encoder};

/// Token ids to one vector for each token, in the light of the others.
///
/// It computes in the type of its parameters.
#[derive(Module, Debug)]
pub struct Transformer {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    /// Layers that are used more than once: those of a group one after the other.
    groups: Vec<Vec<Layer>>,
    /// How many groups are run, counting repetitions.
    runs: usize,
    relative_bias: Option<Embedding>,
    /// Not used for sentence embeddings, but saved with the rest where the file had it.
    pooler: Option<Linear>,
}

impl TransformerConfig {
    /// A transformer with new parameters, drawn as BERT's are.
    ///
    /// # Panics
    ///
    /// If [`check`](Self::check) finds an error.
    #[track_caller]
    pub fn init(&self, device: &Device) -> Transformer {
        self.expect_valid();
        Transformer::new(self, false, device)
    }
}

impl Transformer {
    /// A transformer with new parameters, which are only drawn if they are used before others are
    /// loaded; `pooler` adds a pooler, for a file that has one.
    pub(crate) fn new(config: &TransformerConfig, pooler: bool, device: &Device) -> Self {
        let size = config.hidden_size;
        let relative = (config.family == Family::Mpnet).then(|| {
            let buckets = config.relative_attention_num_buckets;
            config.embedding(buckets, config.num_attention_heads, device)
        });
        let layers = |count| (0..count).map(|_| Layer::new(config, device)).collect::<Vec<_>>();
        let depth = config.num_hidden_layers;
        let shared = config.family == Family::Albert;
        let groups = if shared { config.num_hidden_groups } else { 0 };
        Self {
            embeddings: Embeddings::new(config, device),
            layers: layers(if shared { 0 } else { depth }),
            groups: (0..groups).map(|_| layers(config.inner_group_num)).collect(),
            runs: if shared { depth } else { 0 },
            relative_bias: relative,
            pooler: pooler.then(|| config.linear(size, size, device)),
        }
    }

    /// `[texts, tokens]` ids to a vector for each as it is alone, `[texts, tokens, hidden]`.
    ///
    /// # Panics
    ///
    /// If a text has more tokens than there are positions.
    #[track_caller]
    pub fn token_vectors(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.embeddings.forward(ids, None)
    }

    /// The same for tokens of these types, `[texts, tokens]`.
    #[track_caller]
    pub(crate) fn typed_vectors(&self, ids: Tensor<2, Int>, types: Tensor<2, Int>) -> Tensor<3> {
        self.embeddings.forward(ids, Some(types))
    }

    /// Such vectors, and which of them are padding, to vectors in the light of each other.
    ///
    /// # Panics
    ///
    /// If `padding` is not `[texts, tokens]`.
    #[track_caller]
    pub fn forward(&self, start: Tensor<3>, padding: Tensor<2, Bool>) -> Tensor<3> {
        self.forward_with(start, padding, &mut |_| {})
    }

    #[track_caller]
    pub(crate) fn forward_with(
        &self,
        start: Tensor<3>,
        padding: Tensor<2, Bool>,
        after_layer: AfterLayer,
    ) -> Tensor<3> {
        let [texts, tokens, _] = start.dims();
        require_padding(&padding, [texts, tokens]);
        self.run(start, padding.reshape([texts, 1, 1, tokens]), |_, states| states, after_layer)
    }

    /// The layers one after the other; `between(i, states)` is what layer `i` does between its
    /// attention and its feed-forward part, `[texts, tokens, hidden]` to the same.
    ///
    /// `after_layer` sees the states that each layer gives, `[texts · tokens, hidden]`.
    ///
    /// `hidden_from[text, 0, i, j]` says that token i must not look at token j; for all i at once
    /// where that dimension is 1.
    pub fn run(
        &self,
        start: Tensor<3>,
        hidden_from: Tensor<4, Bool>,
        between: impl Fn(usize, Tensor<3>) -> Tensor<3>,
        after_layer: AfterLayer,
    ) -> Tensor<3> {
        let [texts, tokens, size] = start.dims();
        let bias = self.attention_bias(&start, hidden_from);
        let (rows, shape) = ([texts * tokens, size], [texts, tokens, size]);
        // All tokens in one matrix: a product for each text would be a small one.
        let mut states = start.reshape(rows);
        for (index, layer) in self.stack().enumerate() {
            let attended = layer.attend(states, bias.clone());
            states = layer.feed_forward(between(index, attended.reshape(shape)).reshape(rows));
            after_layer(&states);
        }
        states.reshape(shape)
    }

    /// The bias of the scores of every attention, `[texts, heads or 1, tokens or 1, tokens]`.
    fn attention_bias(&self, start: &Tensor<3>, hidden_from: Tensor<4, Bool>) -> Tensor<4> {
        let bias = mask_bias(hidden_from, start.dtype());
        let Some(table) = &self.relative_bias else { return bias };
        let [_, tokens, _] = start.dims();
        let learned = table.forward(relative::MPNET.of_text(tokens, &bias.device()));
        bias + learned.permute([2, 0, 1]).unsqueeze::<4>()
    }

    /// The layers in the order in which they run.
    fn stack(&self) -> impl Iterator<Item = &Layer> {
        // As Python divides: the runs are spread evenly over the groups.
        let runs_of_each = self.runs as f64 / self.groups.len() as f64;
        let shared =
            (0..self.runs).flat_map(move |run| &self.groups[(run as f64 / runs_of_each) as usize]);
        self.layers.iter().chain(shared)
    }

    /// A vector for each token id, `[vocab, embedding]`.
    pub fn word_embeddings(&self) -> Tensor<2> {
        self.embeddings.words()
    }

    /// The number of layers that a text goes through.
    pub fn depth(&self) -> usize {
        self.stack().count()
    }
}

/// Sees the vectors of all tokens that a layer gives, `[texts · tokens, hidden]`.
pub type AfterLayer<'a> = &'a mut dyn FnMut(&Tensor<2>);

/// # Panics
///
/// If `padding` does not have a flag for each token.
#[track_caller]
pub(crate) fn require_padding(padding: &Tensor<2, Bool>, shape: [usize; 2]) {
    let got = padding.dims();
    assert!(got == shape, "Transformer: `padding` must have shape {shape:?}, got {got:?}");
}
