//! Token ids of text pairs to logits.

use burn::module::Module;
use burn::tensor::{Bool, Int, Tensor};

use super::head::Head;
use crate::encoder::{TextEncoder, with_adapters};
use crate::error::Error;
use crate::lora::LoraConfig;
use crate::network::{Network, NetworkConfig};

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
    /// Whether the network has adapters.
    #[module(skip)]
    pub(crate) adapted: bool,
}

impl PairEncoder {
    /// With adapters in the network, whose shape is `shape`.
    pub(super) fn with_lora(
        self,
        shape: &NetworkConfig,
        config: &LoraConfig,
    ) -> Result<Self, Error> {
        if self.adapted {
            return Err(Error::Lora("the encoder has adapters already".to_string()));
        }
        let network = with_adapters(self.network, shape, config)?;
        Ok(Self { network, adapted: true, ..self })
    }

    /// With the adapters added to the weights, if there are any.
    pub(super) fn merged(&self) -> Self {
        match self.adapted {
            true => {
                let network = self.network.clone().materialize();
                Self { network, head: self.head.clone(), adapted: false }
            }
            false => self.clone(),
        }
    }
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
