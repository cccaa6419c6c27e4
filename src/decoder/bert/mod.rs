//! BERT as it is and as a decoder, weight for weight the one of Hugging Face.

mod attention;
mod config;
mod decoder;
mod embeddings;
mod encoder;
#[cfg(test)]
pub(crate) mod fixed_weights;
mod head;
mod layer;
mod layer_norm;
#[cfg(test)]
mod tests;

pub use attention::{BertAttention, BertCrossAttention};
pub use config::BertConfig;
pub use decoder::{BertDecoder, BertDecoderExtension, TiedBertDecoder};
pub use embeddings::BertEmbeddings;
pub use encoder::Bert;
pub use head::BertLmHead;
pub use layer::{BertLayer, BertResidual, gelu};
pub use layer_norm::BertLayerNorm;
