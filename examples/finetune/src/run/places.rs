//! Where a trained model of sentence-transformers goes: as a whole, and its adapters alone.

use std::fs;
use std::path::{Path, PathBuf};

use burn_embedding_models::sentence_transformer::Package;
use burn_embedding_models::{Error as ModelError, SentenceEncoder};
use serde_json::Value;

use super::save::Destination;
use crate::cli::Args;
use crate::error::Error;
use crate::report::card::CARD;

const ADAPTER_OUT: &str = "--adapter-out";

/// The directories of a run, checked before training starts.
pub struct Places {
    /// `--out`.
    pub whole: Destination,
    adapter: Option<AdapterOut>,
    /// Whether a model is saved even if it got much worse.
    pub keep_worse: bool,
}

impl Places {
    /// The places that the options name.
    pub fn check(args: &Args) -> Result<Self, Error> {
        let adapter = AdapterOut::check(args)?;
        let whole = Destination::check(&args.out, "--out", args.force)?;
        Ok(Self { whole, adapter, keep_worse: args.keep_worse })
    }

    /// Refuses a model whose adapters cannot be written alone, if they are to be.
    pub fn check_model(&self, package: &Package) -> Result<(), Error> {
        let Some(adapter) = &self.adapter else { return Ok(()) };
        package.check_adapter(&adapter.model).map_err(|error| match error {
            ModelError::Lora(reason) => {
                Error::option(ADAPTER_OUT, format!("{reason} alone, without this option"))
            }
            other => other.into(),
        })
    }

    /// Writes the model with its card and summary, and what `more` adds to the whole one.
    pub fn save(
        &self,
        package: &Package,
        encoder: &SentenceEncoder,
        card: &str,
        summary: &Value,
        more: impl FnOnce(&Path) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let write_card = |directory: &Path| {
            let path = directory.join(CARD);
            fs::write(&path, card).map_err(|error| Error::output(&path, error))
        };
        if let Some(AdapterOut { destination, model }) = &self.adapter {
            destination.save(summary, |directory| {
                package.write_adapter(directory, encoder, model)?;
                write_card(directory)
            })?;
        }
        self.whole.save(summary, |directory| {
            package.write(directory, encoder)?;
            write_card(directory)?;
            more(directory)
        })
    }
}

/// The directory for the adapters alone.
#[derive(Debug)]
struct AdapterOut {
    destination: Destination,
    model: PathBuf,
}

impl AdapterOut {
    /// The directory of `--adapter-out`, checked before training starts.
    fn check(args: &Args) -> Result<Option<Self>, Error> {
        let (Some(path), Some(model)) = (&args.adapter_out, &args.model) else {
            return Ok(None);
        };
        let [adapter, out, model] = [path, &args.out, model].map(|path| resolved(path));
        if adapter.starts_with(&out) || out.starts_with(&adapter) {
            let reason = "it and --out must not be the same directory, nor one in the other";
            return Err(Error::option(ADAPTER_OUT, reason));
        }
        if adapter == model || out == model {
            let reason = "adapters alone need the model, which this run would replace: choose another \
                          directory";
            return Err(Error::option(ADAPTER_OUT, reason));
        }
        let destination = Destination::check(path, ADAPTER_OUT, args.force)?;
        Ok(Some(Self { destination, model }))
    }
}

/// The path without links and dots, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let exists = |path: &Path| path.canonicalize().ok();
    match (exists(&absolute), absolute.parent().and_then(exists), absolute.file_name()) {
        (Some(path), _, _) => path,
        (None, Some(parent), Some(name)) => parent.join(name),
        _ => absolute,
    }
}
