//! `router_config.json`: several ways through a model, such as one for queries and one for documents.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::modules::{Listed, ModuleKind};
use super::{CONFIG, CONFIG_LIMIT, Directory};
use crate::error::Error;

const FILE: &str = "router_config.json";

/// The routes of a model.
#[derive(Debug, Deserialize)]
pub struct Router {
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
    /// The modules of the route called `task`, or of the default one, in the directory `module` of a
    /// router.
    pub fn modules(
        directory: &Directory,
        module: &Path,
        task: Option<&str>,
    ) -> Result<Vec<Listed>, Error> {
        let (router, path) = Self::read(directory, module)?;
        let names = router.route(task).map_err(|reason| Error::read(&path, reason))?;
        let listed = names.iter().map(|name| {
            let class = router.types.get(name);
            let class = class.ok_or_else(|| format!("`types` has no {name:?}"));
            let kind = class.and_then(|class| ModuleKind::of(class));
            let kind = kind.map_err(|reason| Error::read(&path, reason))?;
            // A path in the directory of the router, which itself may be in another.
            directory.module(&path, name)?;
            let inside = module.join(name);
            Ok(Listed { kind, path: directory.module(&path, &inside.to_string_lossy())? })
        });
        listed.collect()
    }

    /// The routes of a router, and the file that it is in.
    fn read(directory: &Directory, module: &Path) -> Result<(Self, PathBuf), Error> {
        // The other is its former name.
        let [file, former] = [FILE, CONFIG].map(|name| module.join(name));
        let file = if directory.path().join(&file).exists() { file } else { former };
        let bytes = directory.required(&file, CONFIG_LIMIT)?;
        let path = directory.path().join(file);
        let router = serde_json::from_slice(&bytes).map_err(|error| Error::read(&path, error))?;
        Ok((router, path))
    }

    /// The modules of the route for texts of this task, as Python finds it.
    fn route(&self, task: Option<&str>) -> Result<&[String], String> {
        let Routes(routes) = &self.structure;
        let called = |name: &str| routes.iter().find(|(route, _)| route == name);
        let mapped = |key: String| {
            let name = self.parameters.route_mappings.as_ref()?.get(&key)?;
            called(name)
        };
        let given = || {
            let task = task?;
            let exact = mapped(format!("('{task}', 'text')"));
            exact.or_else(|| mapped(format!("('{task}', None)")))
        };
        let of_text = || mapped("(None, 'text')".to_string());
        let any = || mapped("(None, None)".to_string());
        let by_mapping = given().or_else(of_text).or_else(any);
        let found = by_mapping.or_else(|| called(task.unwrap_or("text")));
        let found = match (found, task) {
            (None, None) => {
                self.parameters.default_route.as_deref().and_then(called).or_else(|| {
                    routes.first().filter(|_| self.parameters.allow_empty_key != Some(false))
                })
            }
            (found, _) => found,
        };
        found.map(|(_, modules)| modules.as_slice()).ok_or_else(|| {
            let names: Vec<&str> = routes.iter().map(|(name, _)| name.as_str()).collect();
            let names = names.join(", ");
            match task {
                Some(task) => format!("{task:?} is no route of the model; it has {names}"),
                None => format!("the model has no default route: name one of {names}"),
            }
        })
    }
}
