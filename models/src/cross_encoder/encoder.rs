//! Token ids of text pairs to logits.

use burn::module::Module;
use burn::tensor::{Bool, Int, Tensor};

use super::head::Head;
use crate::encoder::TextEncoder;
use crate::network::Network;

/// The bit of a token id that marks it as one of the second text.
pub(crate) const SECOND: u32 = 1 << 31;

/// A network that sees both texts of a pair together, and the head that scores them.
///
/// As a [`TextEncoder`] it gives logits, `[pairs, labels]`, in place of embeddings. Its ids are those of
/// [`Tokenizer::encode_pairs`](crate::Tokenizer::encode_pairs), which mark the tokens of the second text.
#[derive(Module, Debug)]
pub struct PairEncoder {
    pub(crate) network: Network,
    pub(crate) head: Head,
}

impl TextEncoder for PairEncoder {
    fn token_vectors(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        // As a signed number, an id with the highest bit is below zero.
        let second = ids.clone().lower_elem(0).int();
        let half = second.clone() * (1 << 30);
        self.network.pair_vectors(ids + half.clone() + half, second)
    }

    fn sentence_vectors(&self, tokens: Tensor<3>, padding: Tensor<2, Bool>) -> Tensor<2> {
        self.head.forward(self.network.forward(tokens, padding.clone()), padding)
    }
}
