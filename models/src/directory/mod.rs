//! The directory of a model: files that may come from anywhere, so every length, path and number is
//! checked before it is used.

mod added;
pub(crate) mod advice;
mod classes;
mod given;
mod modules;
mod place;
pub(crate) mod plain;
mod router;
mod settings;

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use serde::de::DeserializeOwned;

pub use added::{Added, AddedTokens, TASKS};
pub use classes::{ClassOptions, ClassTokenizer, TokenizerClass};
pub use given::{TRANSFORMER_FILES, TransformerSettings};
pub use modules::{FILE as MODULES, Listed, ModuleKind, Modules};
pub use place::{Claim, Place, names, of_a_place};
pub use router::{FILE as ROUTER, Route, RouteTable};
pub use settings::{Limits, Normalization, SETTINGS, Settings, Side};

use crate::error::Error;

/// The configuration of a module, in its directory.
pub const CONFIG: &str = "config.json";

/// The longest configuration that is read, in bytes.
pub const CONFIG_LIMIT: u64 = 1 << 20;
/// The longest tokenizer that is read, in bytes.
pub(crate) const TOKENIZER_LIMIT: u64 = 1 << 27;

/// The directory of a model.
#[derive(Debug, Clone)]
pub struct Directory {
    root: PathBuf,
    real: PathBuf,
}

impl Directory {
    /// Opens `root`.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let real = root.canonicalize().map_err(|error| advice::missing(root, &error))?;
        if !real.is_dir() {
            return Err(Error::read(root, "it is not a directory"));
        }
        Ok(Self { root: root.to_path_buf(), real })
    }

    /// The directory, as the user named it.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The name of the directory, without the path to it.
    pub fn name(&self) -> String {
        self.real.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The part of the directory that `modules.json` names, relative to it.
    ///
    /// A path that leads out of the directory is refused, by `..`, by a root or by a link. One that
    /// does not exist is fine: some modules have no files.
    pub fn module(&self, listed_in: &Path, path: &str) -> Result<PathBuf, Error> {
        let relative = Self::inside(listed_in, path)?;
        match self.root.join(&relative).canonicalize() {
            Ok(real) if !real.starts_with(&self.real) => Err(outside(listed_in, path)),
            _ => Ok(relative),
        }
    }

    /// The path that the file `listed_in` names, which may lead nowhere but down. Links are not
    /// looked at.
    pub fn inside(listed_in: &Path, path: &str) -> Result<PathBuf, Error> {
        let relative = PathBuf::from(path);
        // A backslash separates directories where the file may have come from.
        let normal = |part: Component| matches!(part, Component::Normal(_) | Component::CurDir);
        match !path.contains(['\\', '\0']) && relative.components().all(normal) {
            true => Ok(relative),
            false => Err(outside(listed_in, path)),
        }
    }

    /// Refuses a file that is a link out of the directory: a model that comes from elsewhere must not
    /// have other files read, and copied into what is saved.
    ///
    /// The cache of a hub keeps contents apart: `snapshots/REVISION/FILE` is a link into `blobs`.
    pub fn check_link(&self, path: &Path) -> Result<(), Error> {
        let Ok(real) = path.canonicalize() else { return Ok(()) };
        let snapshots = self.real.ancestors().find(|it| it.ends_with("snapshots"));
        let blobs = snapshots.and_then(Path::parent).map(|cache| cache.join("blobs"));
        match real.starts_with(&self.real) || blobs.is_some_and(|blobs| real.starts_with(blobs)) {
            true => Ok(()),
            false => Err(Error::read(
                path,
                "it is a link that leaves the directory of the model; put a copy there",
            )),
        }
    }

    /// The bytes of a file, or `None` if there is none.
    pub fn optional(&self, file: &Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let path = self.root.join(file);
        match path.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            _ => self.required(file, limit).map(Some),
        }
    }

    /// The bytes of a file that must be there, and no longer than `limit`.
    pub fn required(&self, file: &Path, limit: u64) -> Result<Vec<u8>, Error> {
        let path = self.root.join(file);
        self.check_link(&path)?;
        let length = regular_file(&path)?;
        if length > limit {
            let reason = format!("it has {length} bytes, more than the {limit} such a file may");
            return Err(Error::read(&path, reason));
        }
        let mut bytes = Vec::new();
        let file = File::open(&path).map_err(|error| Error::read(&path, error))?;
        file.take(limit).read_to_end(&mut bytes).map_err(|error| Error::read(&path, error))?;
        Ok(bytes)
    }

    /// A JSON file, or the default value if there is none.
    pub fn json<T: DeserializeOwned + Default>(&self, file: &Path) -> Result<T, Error> {
        match self.optional(file, CONFIG_LIMIT)? {
            None => Ok(T::default()),
            Some(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| Error::read(&self.root.join(file), error)),
        }
    }
}

fn outside(listed_in: &Path, path: &str) -> Error {
    Error::read(listed_in, format!("the path {path:?} leaves the directory"))
}

/// The length of a file, which may not be a directory, a pipe or a device.
///
/// Links are followed; [`Directory::check_link`] says which of them may be there.
pub fn regular_file(path: &Path) -> Result<u64, Error> {
    let metadata = path.metadata().map_err(|error| Error::read(path, error))?;
    if !metadata.is_file() {
        return Err(Error::read(path, "it is not a regular file"));
    }
    Ok(metadata.len())
}
