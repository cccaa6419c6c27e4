use burn::prelude::*;
use burn::tensor::DType;

use super::config::BertConfig;
use super::embeddings::BertEmbeddings;
use super::layer::BertLayer;
use crate::numeric::accumulation_type;

/// BERT without a head: what an encoder and a decoder tied to it share.
///
/// There is no dropout.
#[derive(Module, Debug)]
pub struct Bert {
    /// From token ids to vectors.
    pub embeddings: BertEmbeddings,
    /// The layers, first to last.
    pub layers: Vec<BertLayer>,
}

impl Bert {
    pub(super) fn new(config: &BertConfig, device: &Device) -> Self {
        let layers = (0..config.num_hidden_layers).map(|_| BertLayer::new(config, device));
        Self { embeddings: BertEmbeddings::new(config, device), layers: layers.collect() }
    }

    /// The hidden states of a sentence read in both directions, `[n, len] → [n, len, hidden]`, at
    /// least in `f32`; `padding` is true where a token is padding, `[n, len]`.
    ///
    /// # Panics
    ///
    /// If `padding` has another shape than `tokens`, or a sentence is longer than the model allows.
    #[track_caller]
    pub fn forward(&self, tokens: Tensor<2, Int>, padding: Tensor<2, Bool>) -> Tensor<3> {
        let dtype = accumulation_type(self.embeddings.word_embeddings.weight.dtype());
        let hidden_from = padding_hidden(&tokens, padding);
        self.run(tokens, hidden_from, dtype, |_, x| x)
    }

    /// The layers one after the other; `between(i, x)` is what layer i does between its attention
    /// and its linear layers.
    #[track_caller]
    pub(super) fn run(
        &self,
        tokens: Tensor<2, Int>,
        hidden_from: Tensor<3, Bool>,
        dtype: DType,
        between: impl Fn(usize, Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3> {
        let words = self.embeddings.forward(tokens, dtype);
        self.layers.iter().enumerate().fold(words, |x, (i, layer)| {
            let x = layer.attention.forward(x, hidden_from.clone());
            layer.feed_forward(between(i, x))
        })
    }
}

/// Which position must not look at which, `[n, len, len]`: none at padding, save padding at itself,
/// for a softmax needs something to look at.
#[track_caller]
fn padding_hidden(tokens: &Tensor<2, Int>, padding: Tensor<2, Bool>) -> Tensor<3, Bool> {
    let [n, len] = tokens.dims();
    assert!(
        padding.dims() == [n, len],
        "Bert: `padding` must have shape {:?}, got {:?}",
        [n, len],
        padding.dims()
    );
    let others = Tensor::<2, Bool>::diag_mask([len, len], 0, &tokens.device());
    let others = others.unsqueeze_dim::<3>(0).expand([n, len, len]);
    padding.unsqueeze_dim::<3>(1).expand([n, len, len]).bool_and(others)
}

/// The same, and no position looks at later ones.
#[track_caller]
pub(super) fn padding_and_future_hidden(
    tokens: &Tensor<2, Int>,
    padding: Tensor<2, Bool>,
) -> Tensor<3, Bool> {
    let [n, len] = tokens.dims();
    let future = Tensor::<2, Bool>::tril_mask([len, len], 0, &tokens.device());
    padding_hidden(tokens, padding).bool_or(future.unsqueeze_dim::<3>(0).expand([n, len, len]))
}
