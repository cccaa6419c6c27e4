use burn::nn::Embedding;
use burn::prelude::*;
use burn::tensor::DType;

use super::config::BertConfig;
use super::layer_norm::BertLayerNorm;

/// The sum of the vectors of a token, of its place and of the first token type, normalized.
#[derive(Module, Debug)]
pub struct BertEmbeddings {
    /// A vector for each token id, `[vocab, hidden]`.
    pub word_embeddings: Embedding,
    /// A vector for each place in a sentence, `[max_position_embeddings, hidden]`.
    pub position_embeddings: Embedding,
    /// A vector for each token type, `[type_vocab_size, hidden]`.
    pub token_type_embeddings: Embedding,
    /// Normalizes the sum.
    pub layer_norm: BertLayerNorm,
}

impl BertEmbeddings {
    pub(super) fn new(config: &BertConfig, device: &Device) -> Self {
        Self {
            word_embeddings: config.embedding(config.vocab_size, device),
            position_embeddings: config.embedding(config.max_position_embeddings, device),
            token_type_embeddings: config.embedding(config.type_vocab_size, device),
            layer_norm: BertLayerNorm::new(config, device),
        }
    }

    /// `[n, len] → [n, len, hidden]`, in `dtype`.
    #[track_caller]
    pub(super) fn forward(&self, tokens: Tensor<2, Int>, dtype: DType) -> Tensor<3> {
        let [_, len] = tokens.dims();
        let places = self.position_embeddings.weight.val();
        let longest = places.dims()[0];
        assert!(len <= longest, "Bert: `tokens` must have at most {longest} columns, got {len}");
        let words = self.word_embeddings.forward(tokens).cast(dtype);
        let places = places.slice(0..len).cast(dtype);
        let first_type = self.token_type_embeddings.weight.val().slice(0..1).cast(dtype);
        self.layer_norm.forward(words + (places + first_type).unsqueeze())
    }
}
