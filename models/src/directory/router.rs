//! `router_config.json`: several ways through a model, such as one for queries and one for documents.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::modules::{Listed, ModuleKind};
use super::{CONFIG, CONFIG_LIMIT, Directory};
use crate::error::Error;

/// The routes, in the directory of the router.
pub const FILE: &str = "router_config.json";

/// Which of several routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route<'a> {
    /// The one for texts without a task.
    Default,
    /// The one for texts of this task, such as `query` or `document`.
    OfTask(&'a str),
    /// The one with this name in the file.
    Called(&'a str),
}

/// The routes of a model, by their names.
#[derive(Debug)]
pub struct RouteTable {
    router: Router,
    path: PathBuf,
    /// The file, relative to the directory of the model, and its contents.
    pub file: (PathBuf, Vec<u8>),
}

impl RouteTable {
    /// Reads the routes of a router in the directory `module`.
    pub(super) fn read(directory: &Directory, module: &Path) -> Result<Self, Error> {
        // The other is its former name.
        let [file, former] = [FILE, CONFIG].map(|name| module.join(name));
        let file = if directory.path().join(&file).exists() { file } else { former };
        let bytes = directory.required(&file, CONFIG_LIMIT)?;
        let path = directory.path().join(&file);
        let router = serde_json::from_slice(&bytes).map_err(|error| Error::read(&path, error))?;
        Ok(Self { router, path, file: (file, bytes) })
    }

    /// The names of all routes, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.router.structure.0.iter().map(|(name, _)| name.as_str())
    }

    /// The place among [`names`](Self::names) of the route for texts of this task, as Python finds it.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn of_task(&self, task: &str) -> Result<usize, Error> {
        let route = self.router.route(Route::OfTask(task));
        let (found, _) = route.map_err(|reason| Error::read(&self.path, reason))?;
        Ok(self.names().position(|name| name == found).expect("a route of the file"))
    }

    /// The modules of a route.
    pub(super) fn modules(
        &self,
        directory: &Directory,
        module: &Path,
        route: Route,
    ) -> Result<Vec<Listed>, Error> {
        let failed = |reason| Error::read(&self.path, reason);
        let (_, names) = self.router.route(route).map_err(failed)?;
        let listed = names.iter().map(|name| {
            let class = self.router.types.get(name);
            let class = class.ok_or_else(|| format!("`types` has no {name:?}"));
            let kind = class.and_then(|class| ModuleKind::of(class)).map_err(failed)?;
            // A path in the directory of the router, which itself may be in another.
            directory.module(&self.path, name)?;
            let inside = module.join(name);
            Ok(Listed { kind, path: directory.module(&self.path, &inside.to_string_lossy())? })
        });
        listed.collect()
    }
}

#[derive(Debug, Deserialize)]
struct Router {
    /// The class of each module.
    types: BTreeMap<String, String>,
    /// The modules of each route.
    structure: Routes,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Parameters {
    default_route: Option<String>,
    allow_empty_key: Option<bool>,
    /// Routes by `('task', 'modality')`, either of which may be `None`.
    route_mappings: Option<BTreeMap<String, String>>,
}

/// The modules of each route, in the order of the file: the first may be the default.
#[derive(Debug)]
struct Routes(Vec<(String, Vec<String>)>);

impl<'de> Deserialize<'de> for Routes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Routes;

            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                write!(out, "the modules of each route")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Routes, A::Error> {
                let mut routes = Vec::new();
                while let Some(route) = map.next_entry()? {
                    routes.push(route);
                }
                Ok(Routes(routes))
            }
        }

        from.deserialize_map(InOrder)
    }
}

impl Router {
    /// A route, as Python finds it, and its modules.
    fn route(&self, wanted: Route) -> Result<(&str, &[String]), String> {
        let Routes(routes) = &self.structure;
        let called = |name: &str| routes.iter().find(|(route, _)| route == name);
        let mapped = |key: String| {
            let name = self.parameters.route_mappings.as_ref()?.get(&key)?;
            called(name)
        };
        let of_text = || mapped("(None, 'text')".to_string());
        let any = || mapped("(None, None)".to_string());
        let found = match wanted {
            Route::Called(name) => called(name),
            Route::OfTask(task) => mapped(format!("('{task}', 'text')"))
                .or_else(|| mapped(format!("('{task}', None)")))
                .or_else(of_text)
                .or_else(any)
                .or_else(|| called(task)),
            Route::Default => {
                let by_default = || self.parameters.default_route.as_deref().and_then(called);
                let first =
                    || routes.first().filter(|_| self.parameters.allow_empty_key != Some(false));
                let by_mapping = of_text().or_else(any).or_else(|| called("text"));
                by_mapping.or_else(by_default).or_else(first)
            }
        };
        found.map(|(name, modules)| (name.as_str(), modules.as_slice())).ok_or_else(|| {
            let names: Vec<&str> = routes.iter().map(|(name, _)| name.as_str()).collect();
            let names = names.join(", ");
            match wanted {
                Route::OfTask(name) | Route::Called(name) => {
                    format!("{name:?} is no route of the model; it has {names}")
                }
                Route::Default => {
                    format!("the model has no default route: name one of {names}")
                }
            }
        })
    }
}
