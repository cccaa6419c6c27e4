//! A transformer without the files of sentence-transformers, and the pooling that is asked for.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::directory::Directory;
use super::modules::{self, Modules};
use super::pooling::Mode;
use super::pretrained::CONFIG;
use crate::error::Error;

const POOLING: &str = "1_Pooling";

/// Where the parts of such a model are: the transformer in the directory itself, the pooling
/// nowhere yet.
pub fn modules(directory: &Directory) -> Result<Modules, Error> {
    if directory.path().join(modules::FILE).exists() {
        let path = directory.path().display();
        let reason = format!("{path} has a pooling of its own: leave the option out");
        return Err(Error::option("--pooling", reason));
    }
    Ok(Modules { transformer: PathBuf::new(), pooling: POOLING.into(), normalize: None })
}

/// The files that make a model of sentence-transformers of it.
pub fn files(mode: Mode, hidden: usize) -> [(PathBuf, Vec<u8>); 2] {
    let module = |index: usize, path: &str, class: &str| {
        let class = format!("sentence_transformers.models.{class}");
        json!({"idx": index, "name": index.to_string(), "path": path, "type": class})
    };
    let modules = json!([module(0, "", "Transformer"), module(1, POOLING, "Pooling")]);
    let mut pooling = json!({"word_embedding_dimension": hidden});
    for (other, flag) in Mode::flags() {
        pooling[flag] = Value::Bool(other == mode);
    }
    let bytes = |value: Value| format!("{value:#}\n").into_bytes();
    [(modules::FILE.into(), bytes(modules)), (Path::new(POOLING).join(CONFIG), bytes(pooling))]
}
