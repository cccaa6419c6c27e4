//! A model with all of its routes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;

use super::save::{write, write_parts};
use super::{OpenOptions, Package, SentenceTransformer};
use crate::directory::{
    CONFIG_LIMIT, Directory, MODULES, Modules, Place, Route, RouteTable, advice,
};
use crate::encoder::RoutedEncoder;
use crate::error::Error;
use crate::tokenizer::Tokenizer;

/// A model of sentence-transformers that embeds queries and documents, or other kinds of texts, in
/// different ways (a `Router`). [`SentenceTransformer`] has one of the ways.
#[derive(Debug)]
pub struct RoutedTransformer {
    /// Token ids to embeddings: the part that is trained.
    pub encoder: RoutedEncoder,
    /// Texts to token ids, for each route.
    pub tokenizers: Vec<Tokenizer>,
    /// The other files of the directory.
    pub package: RoutedPackage,
}

/// The contents of the directory beside the parameters.
#[derive(Debug)]
pub struct RoutedPackage {
    /// What belongs to each route.
    pub routes: Vec<Package>,
    table: RouteTable,
    /// `modules.json`, and the file with the routes.
    files: [(PathBuf, Vec<u8>); 2],
}

impl RoutedTransformer {
    /// Whether the directory of a model lists several routes.
    ///
    /// # Errors
    ///
    /// If its `modules.json`, or the file with the routes, is damaged.
    pub fn is_in(path: impl AsRef<Path>) -> Result<bool, Error> {
        let directory = Directory::open(path.as_ref())?;
        match directory.path().join(MODULES).exists() {
            true => Ok(Modules::routes(&directory)?.is_some()),
            false => Ok(false),
        }
    }

    /// Opens all routes of a model. On a device that tracks gradients it is ready to be trained.
    ///
    /// # Errors
    ///
    /// If there are no routes, they share a module's parameters or differ in the size of an embedding, or
    /// as [`OpenOptions::open`].
    pub fn open(
        path: impl AsRef<Path>,
        options: &OpenOptions,
        device: &Device,
    ) -> Result<Self, Error> {
        let directory = Directory::open(path.as_ref())?;
        advice::refuse_other_models(&directory)?;
        let listed = directory.path().join(MODULES);
        let table = Modules::routes(&directory)?;
        let table = table.ok_or_else(|| Error::read(&listed, "the model has no routes"))?;
        let models = table.names().map(|name| {
            let model = options.open_one(&directory, Route::Called(name), device)?;
            Ok((name.to_string(), model))
        });
        let models = models.collect::<Result<Vec<_>, Error>>()?;
        let failed = |reason: String| {
            let reason = format!("{reason}; one route alone can be opened");
            Error::read(&directory.path().join(&table.file.0), reason)
        };
        apart(&models).map_err(failed)?;
        let (mut encoders, mut tokenizers, mut routes) = (Vec::new(), Vec::new(), Vec::new());
        for (_, SentenceTransformer { encoder, tokenizer, package, .. }) in models {
            encoders.push(encoder);
            tokenizers.push(tokenizer);
            routes.push(package);
        }
        let shared = routes.first().map_or(0, |package| package.modules.shared);
        let encoder = RoutedEncoder::new(encoders, shared).map_err(failed)?;
        let modules = directory.required(Path::new(MODULES), CONFIG_LIMIT)?;
        let files = [(MODULES.into(), modules), table.file.clone()];
        Ok(Self { encoder, tokenizers, package: RoutedPackage { routes, table, files } })
    }

    /// Saves the model with all routes to a directory, which is replaced as a whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`SentenceTransformer::save`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let write = |directory: &Path| self.package.write(directory, &self.encoder);
        Place::new(path.as_ref())?.claim()?.replace(write, |_| Ok(()))
    }
}

impl RoutedPackage {
    /// The number of the route for texts of this task, such as `query` or `document`, as Python finds it.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn route_of(&self, task: &str) -> Result<usize, Error> {
        self.table.of_task(task)
    }

    /// The names of the routes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.table.names()
    }

    /// Writes the files of all routes, and the parameters of `encoder`, into a directory that exists.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn write(&self, directory: &Path, encoder: &RoutedEncoder) -> Result<(), Error> {
        for (package, route) in self.routes.iter().zip(&encoder.routes) {
            package.write(directory, route)?;
        }
        if let (Some(package), Some(route)) = (self.routes.first(), encoder.routes.first()) {
            let shared = &package.modules.parts[route.parts.len()..];
            write_parts(directory, shared, &encoder.shared)?;
        }
        // Each route alone would be a model with a list of its own.
        self.files.iter().try_for_each(|(path, bytes)| write(&directory.join(path), bytes))
    }
}

/// Refuses routes that have a module in common: its parameters would be trained apart.
fn apart(models: &[(String, SentenceTransformer)]) -> Result<(), String> {
    let mut known = BTreeMap::new();
    for (route, model) in models {
        let modules = &model.package.modules;
        let own = &modules.parts[..modules.parts.len() - modules.shared];
        for module in std::iter::once(&modules.network).chain(own) {
            if let Some(other) = known.insert(&module.path, route).filter(|other| *other != route) {
                let module = module.path.display();
                return Err(format!("the routes {other} and {route} have {module} in common"));
            }
        }
    }
    Ok(())
}
