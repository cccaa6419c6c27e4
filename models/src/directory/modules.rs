//! `modules.json`: the parts of a sentence-transformers model, in their order.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{CONFIG, CONFIG_LIMIT, Directory};
use crate::error::Error;

/// The file that lists the parts.
pub const FILE: &str = "modules.json";

/// The parts that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Transformer,
    Pooling,
    Normalize,
}

impl Kind {
    const NAMES: [(&str, Self); 3] = [
        ("Transformer", Self::Transformer),
        ("Pooling", Self::Pooling),
        ("Normalize", Self::Normalize),
    ];

    /// The class may live in any module of sentence_transformers: releases have moved it.
    fn of(class: &str) -> Result<Self, String> {
        let name = class.rsplit('.').next().unwrap_or(class);
        let known = class.starts_with("sentence_transformers.");
        let found = Self::NAMES.iter().find(|(kind, _)| known && *kind == name);
        found.map(|(_, kind)| *kind).ok_or_else(|| {
            format!("the module {class:?} is not supported; supported are {}", Self::supported())
        })
    }

    fn supported() -> String {
        Self::NAMES.map(|(name, _)| name).join(", ")
    }
}

#[derive(Debug, Deserialize)]
struct Row {
    path: String,
    #[serde(rename = "type")]
    class: String,
}

/// The directories of the parts, relative to the directory of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modules {
    /// The directory of the transformer: the directory of the model itself, or one in it.
    pub transformer: PathBuf,
    /// The directory of the pooling.
    pub pooling: PathBuf,
    /// The directory of the normalisation, if there is one; it need not exist.
    pub normalize: Option<PathBuf>,
}

impl Modules {
    /// Reads `modules.json`, and refuses parts that this crate does not have.
    pub fn read(directory: &Directory) -> Result<Self, Error> {
        let path = directory.path().join(FILE);
        let failed = |reason: String| Error::read(&path, reason);
        let bytes = directory.optional(Path::new(FILE), CONFIG_LIMIT)?;
        let bytes = bytes.ok_or_else(|| Error::NoModules { path: path.clone() })?;
        let rows: Vec<Row> =
            serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
        let kinds = rows.iter().map(|row| Kind::of(&row.class));
        let kinds = kinds.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let paths = rows.iter().map(|row| directory.module(&path, &row.path));
        let mut paths = paths.collect::<Result<Vec<_>, _>>()?.into_iter();
        let mut next = || paths.next().unwrap_or_default();
        match kinds[..] {
            [Kind::Transformer, Kind::Pooling] => {
                Ok(Self { transformer: next(), pooling: next(), normalize: None })
            }
            [Kind::Transformer, Kind::Pooling, Kind::Normalize] => {
                Ok(Self { transformer: next(), pooling: next(), normalize: Some(next()) })
            }
            _ => {
                let found = kinds.iter().map(|kind| format!("{kind:?}"));
                let found = found.collect::<Vec<_>>().join(", ");
                Err(failed(format!(
                    "the modules are {found}; expected Transformer, Pooling and, if any, Normalize"
                )))
            }
        }
    }

    /// Refuses a normalisation of anything but the text's vector.
    pub fn check_normalize(&self, directory: &Directory) -> Result<(), Error> {
        let Some(path) = &self.normalize else {
            return Ok(());
        };
        let file = path.join(CONFIG);
        let fields: Map<String, Value> = directory.json(&file)?;
        for name in ["module_input_name", "module_output_name"] {
            if let Some(Value::String(feature)) = fields.get(name)
                && feature != "sentence_embedding"
            {
                let reason =
                    format!("`{name}` is {feature:?}; only \"sentence_embedding\" is supported");
                return Err(Error::read(&directory.path().join(file), reason));
            }
        }
        Ok(())
    }
}
