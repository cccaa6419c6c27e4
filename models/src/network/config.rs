//! `config.json`: which network, and its shape.

use std::collections::BTreeSet;
use std::path::Path;

use burn::tensor::Device;
use serde_json::Value;

use super::Network;
use crate::error::Error;
use crate::shape::Shape;
use crate::transformer::{Family, Transformer, TransformerConfig};

/// The configuration of any network that can be read.
#[derive(Debug, Clone, PartialEq)]
pub enum NetworkConfig {
    /// BERT and its like.
    Bert(TransformerConfig),
}

type Read = fn(Value) -> Result<NetworkConfig, String>;

/// How the configuration of each `model_type` is read.
const TYPES: [(&str, Read); 4] = [
    ("bert", |fields| bert(Family::Bert, fields)),
    ("roberta", |fields| bert(Family::Roberta, fields)),
    ("xlm-roberta", |fields| bert(Family::Roberta, fields)),
    ("mpnet", |fields| bert(Family::Mpnet, fields)),
];

fn bert(family: Family, fields: Value) -> Result<NetworkConfig, String> {
    TransformerConfig::read(family, fields).map(NetworkConfig::Bert)
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
        let fields: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let model_type = fields.get("model_type").and_then(Value::as_str);
        let model_type = model_type.ok_or("it has no `model_type`")?;
        let found = TYPES.iter().find(|(name, _)| *name == model_type);
        let (_, read) = found.ok_or_else(|| {
            let names = TYPES.map(|(name, _)| name).join(", ");
            format!("`model_type` {model_type:?} is not supported; supported are {names}")
        })?;
        read(fields)
    }

    /// The configuration as the rest of the crate uses it.
    pub fn shape(&self) -> &dyn Shape {
        match self {
            Self::Bert(config) => config,
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
        }
    }

    pub(crate) fn shape_mut(&mut self) -> &mut dyn Shape {
        match self {
            Self::Bert(config) => config,
        }
    }
}
