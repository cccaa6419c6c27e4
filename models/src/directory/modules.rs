//! `modules.json`: the parts of a sentence-transformers model, in their order.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::router::{Route, RouteTable};
use super::{CONFIG_LIMIT, Directory};
use crate::error::Error;

/// The file that lists the parts.
pub const FILE: &str = "modules.json";

/// The classes of a module with several routes.
const ROUTERS: [&str; 2] = ["Router", "Asym"];

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

    /// The kind of a class.
    pub(super) fn of(class: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|kind| is_class(class, kind.name()));
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
    name: Option<String>,
    path: String,
    #[serde(rename = "type")]
    class: String,
}

impl Row {
    fn is_router(&self) -> bool {
        ROUTERS.iter().any(|name| is_class(&self.class, name))
    }
}

/// What `modules.json` lists, and its path.
struct Rows {
    path: PathBuf,
    rows: Vec<Row>,
}

impl Rows {
    fn read(directory: &Directory) -> Result<Self, Error> {
        let path = directory.path().join(FILE);
        let bytes = directory.optional(Path::new(FILE), CONFIG_LIMIT)?;
        let bytes = bytes.ok_or_else(|| Error::NoModules { path: path.clone() })?;
        let rows: Vec<Row> =
            serde_json::from_slice(&bytes).map_err(|error| Error::read(&path, error))?;
        match rows.len() {
            0..=LIMIT => Ok(Self { path, rows }),
            count => {
                let reason = format!("it lists {count} modules, more than {LIMIT}");
                Err(Error::read(&path, reason))
            }
        }
    }
}

/// Refuses modules with the same name, of which Python keeps the last.
fn named_once(rows: &[Row]) -> Result<(), String> {
    let mut known = HashSet::new();
    let mut names = rows.iter().filter_map(|row| row.name.as_deref());
    match names.find(|name| !known.insert(*name)) {
        Some(name) => Err(format!("two modules have the name {name:?}: give each its own")),
        None => Ok(()),
    }
}

/// Whether a class of sentence_transformers has this name: releases have moved them.
fn is_class(class: &str, name: &str) -> bool {
    class.starts_with("sentence_transformers.") && class.rsplit('.').next() == Some(name)
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
    /// Whether these are one route of several.
    pub routed: bool,
    /// The number of the last parts that all routes share.
    pub shared: usize,
}

impl Modules {
    /// Reads `modules.json`, and refuses modules that this crate does not have. Of a model with several
    /// routes it takes one.
    pub fn read(directory: &Directory, route: Route) -> Result<Self, Error> {
        let Rows { path, rows } = Rows::read(directory)?;
        let failed = |reason: String| Error::read(&path, reason);
        let router = rows.first().filter(|row| row.is_router());
        let mut listed = match (router, route) {
            (Some(row), route) => {
                let module = directory.module(&path, &row.path)?;
                RouteTable::read(directory, &module)?.modules(directory, &module, route)?
            }
            (None, Route::Default) => Vec::new(),
            (None, _) => return Err(failed("the model has no routes to choose from".to_string())),
        };
        let others = &rows[usize::from(router.is_some())..];
        for row in others {
            let kind = ModuleKind::of(&row.class).map_err(failed)?;
            listed.push(Listed { kind, path: directory.module(&path, &row.path)? });
        }
        let (routed, shared) = (router.is_some(), router.map_or(0, |_| others.len()));
        let mut listed = listed.into_iter();
        match listed.next() {
            Some(network) if network.kind.takes_ids() => {
                named_once(&rows).map_err(failed)?;
                Ok(Self { network, parts: listed.collect(), routed, shared })
            }
            other => {
                let found = other.map_or("nothing", |module| module.kind.name());
                Err(failed(format!(
                    "the first module is {found}; expected Transformer or StaticEmbedding"
                )))
            }
        }
    }

    /// The routes of a model, if it has several.
    pub fn routes(directory: &Directory) -> Result<Option<RouteTable>, Error> {
        let Rows { path, rows } = Rows::read(directory)?;
        let router = rows.first().filter(|row| row.is_router());
        let table = |row: &Row| RouteTable::read(directory, &directory.module(&path, &row.path)?);
        router.map(table).transpose()
    }

    /// A `modules.json` with these modules.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let rows = std::iter::once(&self.network).chain(&self.parts).enumerate();
        let rows = rows.map(|(index, module)| {
            let class = format!("sentence_transformers.models.{}", module.kind.name());
            json!({"idx": index, "name": index.to_string(), "path": module.path, "type": class})
        });
        format!("{:#}\n", Value::Array(rows.collect())).into_bytes()
    }
}
