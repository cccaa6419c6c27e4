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
    Ok(Modules { network, parts: vec![pooling], routed: false, shared: 0 })
}

/// The files that turn it into a model of sentence-transformers.
pub fn files(modules: &Modules, mode: PoolingMode, hidden: usize) -> [(PathBuf, Vec<u8>); 2] {
    let mut pooling = json!({"word_embedding_dimension": hidden});
    for (other, flag) in PoolingMode::flags() {
        pooling[flag] = Value::Bool(other == mode);
    }
    let pooling = format!("{pooling:#}\n").into_bytes();
    [(modules::FILE.into(), modules.to_json()), (Path::new(POOLING).join(CONFIG), pooling)]
}
