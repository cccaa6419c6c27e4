//! A directory with a transformer but without the files of sentence-transformers, and the pooling
//! that the caller asks for.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::modules::{self, Listed, ModuleKind, Modules};
use super::{CONFIG, Directory};
use crate::error::Error;
use crate::modules::PoolingMode;

const POOLING: &str = "1_Pooling";

/// The parts of such a model: the transformer is in the directory itself, the pooling nowhere yet.
///
/// # Errors
///
/// [`Error::OwnPooling`] if the directory lists its modules.
pub fn modules(directory: &Directory) -> Result<Modules, Error> {
    if directory.path().join(modules::FILE).exists() {
        return Err(Error::OwnPooling { path: directory.path().to_path_buf() });
    }
    let network = Listed { kind: ModuleKind::Transformer, path: PathBuf::new() };
    let pooling = Listed { kind: ModuleKind::Pooling, path: POOLING.into() };
    Ok(Modules { network, parts: vec![pooling] })
}

/// The files that turn it into a model of sentence-transformers.
pub fn files(mode: PoolingMode, hidden: usize) -> [(PathBuf, Vec<u8>); 2] {
    let module = |index: usize, path: &str, class: &str| {
        let class = format!("sentence_transformers.models.{class}");
        json!({"idx": index, "name": index.to_string(), "path": path, "type": class})
    };
    let modules = json!([module(0, "", "Transformer"), module(1, POOLING, "Pooling")]);
    let mut pooling = json!({"word_embedding_dimension": hidden});
    for (other, flag) in PoolingMode::flags() {
        pooling[flag] = Value::Bool(other == mode);
    }
    let bytes = |value: Value| format!("{value:#}\n").into_bytes();
    [(modules::FILE.into(), bytes(modules)), (Path::new(POOLING).join(CONFIG), bytes(pooling))]
}
