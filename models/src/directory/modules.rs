//! `modules.json`: the parts of a sentence-transformers model, in their order.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{CONFIG_LIMIT, Directory};
use crate::error::Error;

/// The file that lists the parts.
pub const FILE: &str = "modules.json";

/// The most modules that a model may have.
const LIMIT: usize = 64;

/// The kinds of modules that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleKind {
    /// A network that sees all tokens of a text together.
    Transformer,
    /// A table with a vector for each token, and the mean of a text's.
    StaticEmbedding,
    /// From the vectors of tokens to one for the text.
    Pooling,
    /// A mean of the network's layers.
    WeightedLayerPooling,
    /// A linear layer with an activation.
    Dense,
    /// A normalisation with learned scale and shift.
    LayerNorm,
    /// Dropout while training.
    Dropout,
    /// Vectors of length one.
    Normalize,
}

impl ModuleKind {
    const ALL: [Self; 8] = [
        Self::Transformer,
        Self::StaticEmbedding,
        Self::Pooling,
        Self::WeightedLayerPooling,
        Self::Dense,
        Self::LayerNorm,
        Self::Dropout,
        Self::Normalize,
    ];

    /// The class may live in any module of sentence_transformers: releases have moved it.
    fn of(class: &str) -> Result<Self, String> {
        let name = class.rsplit('.').next().unwrap_or(class);
        let known = class.starts_with("sentence_transformers.");
        let found = Self::ALL.into_iter().find(|kind| known && kind.name() == name);
        found.ok_or_else(|| {
            let names = Self::names().collect::<Vec<_>>().join(", ");
            format!("the module {class:?} is not supported; supported are {names}")
        })
    }

    /// The name of its class in Python.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transformer => "Transformer",
            Self::StaticEmbedding => "StaticEmbedding",
            Self::Pooling => "Pooling",
            Self::WeightedLayerPooling => "WeightedLayerPooling",
            Self::Dense => "Dense",
            Self::LayerNorm => "LayerNorm",
            Self::Dropout => "Dropout",
            Self::Normalize => "Normalize",
        }
    }

    /// The names of all kinds.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::name)
    }

    /// Whether it turns token ids into vectors, and so must be the first.
    pub(crate) fn takes_ids(self) -> bool {
        matches!(self, Self::Transformer | Self::StaticEmbedding)
    }
}

#[derive(Debug, Deserialize)]
struct Row {
    path: String,
    #[serde(rename = "type")]
    class: String,
}

/// A module, and the directory of its files relative to that of the model. It need not exist: some
/// modules have no files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its kind.
    pub kind: ModuleKind,
    /// The directory: that of the model itself, or one in it.
    pub path: PathBuf,
}

/// The modules of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modules {
    /// The one that turns token ids into vectors.
    pub network: Listed,
    /// Those that follow, in their order.
    pub parts: Vec<Listed>,
}

impl Modules {
    /// Reads `modules.json`, and refuses modules that this crate does not have.
    pub fn read(directory: &Directory) -> Result<Self, Error> {
        let path = directory.path().join(FILE);
        let failed = |reason: String| Error::read(&path, reason);
        let bytes = directory.optional(Path::new(FILE), CONFIG_LIMIT)?;
        let bytes = bytes.ok_or_else(|| Error::NoModules { path: path.clone() })?;
        let rows: Vec<Row> =
            serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
        if rows.len() > LIMIT {
            return Err(failed(format!("it lists {} modules, more than {LIMIT}", rows.len())));
        }
        let listed = rows.iter().map(|row| {
            let kind = ModuleKind::of(&row.class).map_err(failed)?;
            Ok(Listed { kind, path: directory.module(&path, &row.path)? })
        });
        let mut listed = listed.collect::<Result<Vec<_>, Error>>()?.into_iter();
        match listed.next() {
            Some(network) if network.kind.takes_ids() => {
                Ok(Self { network, parts: listed.collect() })
            }
            other => {
                let found = other.map_or("nothing", |module| module.kind.name());
                Err(failed(format!(
                    "the first module is {found}; expected Transformer or StaticEmbedding"
                )))
            }
        }
    }
}
