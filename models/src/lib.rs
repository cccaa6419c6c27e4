#![doc = include_str!("../README.md")]
//!
//! # Map
//!
//! ```text
//! texts ─ tokenizer ─▶ token ids ─ transformer ─▶ token vectors ─ modules ─▶ embeddings
//!                                       └─ decoder: the same layers, writing the text again
//! ```
//!
//! | module | holds | where more would go |
//! | :-- | :-- | :-- |
//! | [`sentence_transformer`] | a whole model: open, encode, save | |
//! | [`cross_encoder`] | [`CrossEncoder`]: text pairs to scores | the head of another family |
//! | [`encoder`] | [`TextEncoder`]: token ids to embeddings, texts of like length together | token embeddings, embeddings of every layer |
//! | [`dropout`] | dropout whose masks depend on the text | |
//! | [`decoder`] | the transformer as a decoder, for `DenoisingAutoEncoderLoss` | |
//! | [`tokenizer`] | texts to token ids | |
//! | [`weights`] | parameters from and to `model.safetensors` | the names of another family |
//! | [`directory`] | the other files of a model's directory | |
//! | [`modules`] | what follows the network: pooling, Dense, LayerNorm, Dropout, Normalize | |
//! | [`network`] | which network a `config.json` describes | a row for each `model_type` |
//! | [`deberta`] | the network of DeBERTa, versions 2 and 3 | |
//! | [`t5`] | the encoder of T5, mT5 and UMT5 | |
//! | [`rotary`] | the network of ModernBERT, NomicBERT, GTE, Qwen, Llama, Mistral and Gemma | a file in `families` |
//! | [`static_embedding`] | a table with a vector for each token | |
//! | [`transformer`] | the network of BERT, RoBERTa (with XLM-RoBERTa and CamemBERT), MPNet, DistilBERT, ELECTRA and ALBERT; parts for the others | a module beside it for each other kind |
//! | [`lora`] | small matrices that are trained beside linear layers | |
//! | [`shape`] | what a model asks of any network's configuration | |
//!
//! A module imports only from those below it, and all of them use [`Error`].

pub mod cross_encoder;
pub mod deberta;
pub mod decoder;
pub mod directory;
pub mod dropout;
pub mod encoder;
mod error;
mod fields;
#[doc(hidden)]
pub mod fuzzing;
pub mod lora;
pub mod modules;
pub mod network;
pub mod rotary;
pub mod sentence_transformer;
pub mod shape;
pub mod static_embedding;
pub mod t5;
pub mod tokenizer;
pub mod transformer;
pub mod weights;

pub use cross_encoder::CrossEncoder;
pub use encoder::{RoutedEncoder, SentenceEncoder, TextEncoder, TokenBatch};
pub use error::Error;
pub use lora::LoraConfig;
pub use modules::{Part, PoolingMode};
pub use network::{Network, NetworkConfig};
pub use sentence_transformer::{OpenOptions, RoutedTransformer, SentenceTransformer};
pub use tokenizer::{Tokenizer, Tokens};
pub use transformer::{Transformer, TransformerConfig};
