//! `config.json`: which network, and its shape.

use std::collections::BTreeSet;
use std::path::Path;

use burn::tensor::Device;
use serde_json::{Map, Value};

use super::Network;
use crate::deberta::{Deberta, DebertaConfig};
use crate::error::Error;
use crate::fields::object;
use crate::rotary::{Family as RotaryFamily, Rotary, RotaryConfig};
use crate::shape::Shape;
use crate::static_embedding::{StaticConfig, StaticEmbedding};
use crate::t5::{T5, T5Config, Variant};
use crate::transformer::{Family, Transformer, TransformerConfig};

/// The configuration of any network that can be read.
#[derive(Debug, Clone, PartialEq)]
pub enum NetworkConfig {
    /// BERT and its like.
    Bert(TransformerConfig),
    /// DeBERTa, versions 2 and 3.
    Deberta(DebertaConfig),
    /// The encoder of T5 and its like.
    T5(T5Config),
    /// ModernBERT, NomicBERT, GTE and decoders: networks with rotary positions.
    Rotary(RotaryConfig),
    /// A table with a vector for each token.
    Static(StaticConfig),
}

type Fields = Map<String, Value>;
type Read = fn(Fields) -> Result<NetworkConfig, String>;

/// How the configuration of each `model_type` is read.
const TYPES: [(&str, Read); 23] = [
    ("bert", |fields| bert(Family::Bert, fields)),
    ("roberta", |fields| bert(Family::Roberta, fields)),
    ("xlm-roberta", |fields| bert(Family::Roberta, fields)),
    ("camembert", |fields| bert(Family::Roberta, fields)),
    ("mpnet", |fields| bert(Family::Mpnet, fields)),
    ("distilbert", |fields| bert(Family::Distilbert, fields)),
    ("electra", |fields| bert(Family::Electra, fields)),
    ("albert", |fields| bert(Family::Albert, fields)),
    ("deberta-v2", |fields| DebertaConfig::read(fields).map(NetworkConfig::Deberta)),
    ("t5", |fields| t5(Variant::T5, fields)),
    ("mt5", |fields| t5(Variant::Mt5, fields)),
    ("umt5", |fields| t5(Variant::Umt5, fields)),
    ("modernbert", |fields| rotary(RotaryFamily::ModernBert, fields)),
    ("nomic_bert", |fields| rotary(RotaryFamily::NomicBert, fields)),
    ("gte", |fields| rotary(RotaryFamily::Gte, fields)),
    ("new", |fields| rotary(RotaryFamily::Gte, fields)),
    ("qwen2", |fields| rotary(RotaryFamily::Qwen2, fields)),
    ("qwen3", |fields| rotary(RotaryFamily::Qwen3, fields)),
    ("llama", |fields| rotary(RotaryFamily::Llama, fields)),
    ("mistral", |fields| rotary(RotaryFamily::Mistral, fields)),
    ("gemma", |fields| rotary(RotaryFamily::Gemma, fields)),
    ("gemma2", |fields| rotary(RotaryFamily::Gemma2, fields)),
    ("gemma3_text", |fields| rotary(RotaryFamily::Gemma3, fields)),
];

fn bert(family: Family, fields: Fields) -> Result<NetworkConfig, String> {
    TransformerConfig::read(family, fields).map(NetworkConfig::Bert)
}

fn t5(variant: Variant, fields: Fields) -> Result<NetworkConfig, String> {
    T5Config::read(variant, fields).map(NetworkConfig::T5)
}

fn rotary(family: RotaryFamily, fields: Fields) -> Result<NetworkConfig, String> {
    RotaryConfig::read(family, fields).map(NetworkConfig::Rotary)
}

impl NetworkConfig {
    /// Reads the bytes of the `config.json` at `path`, and refuses what no supported network can be.
    ///
    /// # Errors
    ///
    /// Names the field, its value and what is supported.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        Self::checked(bytes).map_err(|reason| Error::read(path, reason))
    }

    fn checked(bytes: &[u8]) -> Result<Self, String> {
        let fields: Fields = object(bytes)?;
        let model_type = fields.get("model_type").and_then(Value::as_str);
        let model_type = model_type.ok_or("it has no `model_type`")?;
        let found = TYPES.iter().find(|(name, _)| *name == model_type);
        let (_, read) = found.ok_or_else(|| {
            let names = TYPES.map(|(name, _)| name).join(", ");
            let code = match fields.contains_key("auto_map") {
                true => " (code of its own, which `auto_map` names, is never run)",
                false => "",
            };
            format!("`model_type` {model_type:?} is not supported{code}; supported are {names}")
        })?;
        read(fields)
    }

    /// The configuration as the rest of the crate uses it.
    pub fn shape(&self) -> &dyn Shape {
        match self {
            Self::Bert(config) => config,
            Self::Deberta(config) => config,
            Self::T5(config) => config,
            Self::Rotary(config) => config,
            Self::Static(config) => config,
        }
    }

    /// A network whose parameters are only drawn if they are used before others are loaded. `found`
    /// are the parameters in the file, as [`Names::reading`](crate::shape::Names::reading) calls
    /// them: a part that embeddings do without is made only if the file has it.
    pub(crate) fn network(&self, found: &BTreeSet<&str>, device: &Device) -> Network {
        match self {
            Self::Bert(config) => {
                Network::Bert(Transformer::new(config, found.contains("pooler.weight"), device))
            }
            Self::Deberta(config) => Network::Deberta(Deberta::new(config, device)),
            Self::T5(config) => Network::T5(T5::new(config, device)),
            Self::Rotary(config) => Network::Rotary(Rotary::new(config, device)),
            Self::Static(config) => Network::Static(StaticEmbedding::new(config, device)),
        }
    }

    pub(crate) fn shape_mut(&mut self) -> &mut dyn Shape {
        match self {
            Self::Bert(config) => config,
            Self::Deberta(config) => config,
            Self::T5(config) => config,
            Self::Rotary(config) => config,
            Self::Static(config) => config,
        }
    }
}
