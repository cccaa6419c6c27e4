//! Where a trained model of sentence-transformers goes: as a whole, and its adapters alone.

use std::path::{Path, PathBuf};

use burn_embedding_models::cross_encoder::{PairEncoder, PairPackage};
use burn_embedding_models::sentence_transformer::{Package, RoutedPackage};
use burn_embedding_models::{Error as ModelError, RoutedEncoder, SentenceEncoder};

use super::save::Destination;
use crate::cli::Args;
use crate::error::Error;
use crate::report::card::Usage;
use crate::report::{ReportFile, pictures};

const ADAPTER_OUT: &str = "--adapter-out";

/// The files of a model, which are written with the parameters of an encoder.
pub trait Writes<E> {
    /// Writes the whole model into a directory that exists.
    fn write(&self, directory: &Path, encoder: &E) -> Result<(), ModelError>;

    /// Writes the adapters alone, for the model in the directory `base`.
    fn write_adapter(&self, directory: &Path, encoder: &E, base: &Path) -> Result<(), ModelError>;

    /// The name of the model that training starts from.
    fn base(&self) -> &str;

    /// What a card says about the use of the model.
    fn usage(&self) -> Usage;
}

/// What the embeddings of a package are made for.
fn similarity(package: &Package) -> Usage {
    let similarity = package.settings.similarity_fn_name.as_deref();
    Usage::Embeddings { similarity: similarity.unwrap_or("cosine").to_string() }
}

impl Writes<SentenceEncoder> for Package {
    fn write(&self, directory: &Path, encoder: &SentenceEncoder) -> Result<(), ModelError> {
        self.write(directory, encoder)
    }

    fn write_adapter(
        &self,
        directory: &Path,
        encoder: &SentenceEncoder,
        base: &Path,
    ) -> Result<(), ModelError> {
        self.write_adapter(directory, encoder, base)
    }

    fn base(&self) -> &str {
        &self.name
    }

    fn usage(&self) -> Usage {
        similarity(self)
    }
}

impl Writes<RoutedEncoder> for RoutedPackage {
    fn write(&self, directory: &Path, encoder: &RoutedEncoder) -> Result<(), ModelError> {
        self.write(directory, encoder)
    }

    fn write_adapter(&self, _: &Path, _: &RoutedEncoder, _: &Path) -> Result<(), ModelError> {
        Err(ModelError::Lora("a model with several routes has no adapters".to_string()))
    }

    fn base(&self) -> &str {
        &self.routes[0].name
    }

    fn usage(&self) -> Usage {
        similarity(&self.routes[0])
    }
}

impl Writes<PairEncoder> for PairPackage {
    fn write(&self, directory: &Path, encoder: &PairEncoder) -> Result<(), ModelError> {
        self.write(directory, encoder)
    }

    fn write_adapter(&self, _: &Path, _: &PairEncoder, _: &Path) -> Result<(), ModelError> {
        Err(ModelError::Lora("a CrossEncoder has no adapters".to_string()))
    }

    fn base(&self) -> &str {
        &self.name
    }

    fn usage(&self) -> Usage {
        Usage::Scores { labels: self.labels() }
    }
}

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
        let inside = |log: &&PathBuf| {
            let parent = log.parent().and_then(|parent| parent.canonicalize().ok());
            parent.zip(args.out.canonicalize().ok()).is_some_and(|(log, out)| log.starts_with(out))
        };
        if args.log.as_ref().filter(inside).is_some() {
            let reason = "it would be in --out, which holds the model and nothing else: name a file beside it";
            return Err(Error::option("--log", reason));
        }
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

    /// Writes the model with its report, and its adapters alone with all of it but the pictures.
    ///
    /// # Errors
    ///
    /// Those of [`Destination::save`]. Neither place keeps the other from being written.
    pub fn save<E>(
        &self,
        package: &impl Writes<E>,
        encoder: &E,
        report: &[ReportFile],
        unwritten: &[String],
    ) -> Result<(), Error> {
        let weights = |directory: &Path| Ok(package.write(directory, encoder)?);
        let whole = self.whole.save(weights, report, unwritten);
        let Some(AdapterOut { destination, model }) = &self.adapter else { return whole };
        let weights = |directory: &Path| Ok(package.write_adapter(directory, encoder, model)?);
        let few = report.iter().filter(|(path, _)| *path != pictures::path());
        let alone = destination.save(weights, &few.cloned().collect::<Vec<_>>(), &[]);
        match (whole, alone) {
            (Ok(()), Err(error)) => self.whole.complete(vec![error.to_string()]),
            (whole, _) => whole,
        }
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
