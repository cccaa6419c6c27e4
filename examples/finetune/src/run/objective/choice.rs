//! A loss of the catalog, as the user chose it.

use std::path::PathBuf;

use burn_embedding_losses::catalog::{BatchKind, Entry, LossConfig, ModelKind};
use serde_json::{Map, Value, json};

use crate::data::task::{entry_of, short_name};
use crate::error::Error;

/// The options of losses around others by their Python names, which no other loss has: those of
/// `MatryoshkaLoss`, and those of `AdaptiveLayerLoss`. `Matryoshka2dLoss` has both.
const OF_DIMS: [&str; 3] = ["matryoshka_dims", "matryoshka_weights", "n_dims_per_step"];
const OF_LAYERS: [&str; 6] = [
    "n_layers_per_step",
    "last_layer_weight",
    "prior_layers_weight",
    "kl_div_weight",
    "kl_temperature",
    "layer_weighting",
];

/// A loss of the catalog, as the user chose it.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The Python name of the loss; of the one inside, if there is a wrapper.
    pub name: String,
    /// Its options, by their Python names.
    pub options: Map<String, Value>,
    /// The loss around it, if there is one.
    pub wrapper: Option<Wrapper>,
    /// The file of the parameters that it starts with, if not random ones.
    pub weights: Option<PathBuf>,
}

/// A loss around another.
#[derive(Debug, Clone, PartialEq)]
pub struct Wrapper {
    /// Its Python name.
    pub name: &'static str,
    /// Its options, by their Python names.
    pub options: Map<String, Value>,
}

impl Wrapper {
    /// Takes the options of a wrapper out of those of both losses, if there are any or the wrapper is named.
    fn take(entry: &'static Entry, options: &mut Map<String, Value>) -> Option<Self> {
        let mut own = Map::new();
        let mut take = |names: &[&str]| {
            let before = own.len();
            own.extend(names.iter().filter_map(|name| options.remove_entry(*name)));
            own.len() > before
        };
        let name = match (take(&OF_DIMS), take(&OF_LAYERS)) {
            _ if entry.is_wrapper() => entry.name,
            (false, false) => return None,
            (true, false) => "MatryoshkaLoss",
            (false, true) => "AdaptiveLayerLoss",
            (true, true) => "Matryoshka2dLoss",
        };
        Some(Self { name, options: own })
    }
}

/// The options in `--loss-config`, as a JSON object.
fn parse(json: &str) -> Result<Map<String, Value>, Error> {
    serde_json::from_str(json).map_err(|error| {
        let reason = format!("expected a JSON object such as '{{\"margin\": 0.3}}': {error}");
        refused(reason)
    })
}

fn refused(reason: String) -> Error {
    Error::option("--loss-config", reason)
}

impl Choice {
    /// The loss called `name`, with the JSON of its options. There is a wrapper around it if `name` is the
    /// wrapper's, or an option is; then `loss` among the options is the loss inside.
    pub fn new(name: &str, json: &str) -> Result<Self, Error> {
        let entry = entry_of(name)?;
        let mut options = parse(json)?;
        let Some(wrapper) = Wrapper::take(entry, &mut options) else {
            return Ok(Self { name: name.into(), options, wrapper: None, weights: None });
        };
        let name = match options.remove("loss") {
            Some(inside) => with_options(inside, &mut options)?,
            None if entry.is_wrapper() => {
                return Err(refused(format!(
                    "{name} needs a `loss` inside, such as \"CoSENTLoss\""
                )));
            }
            None => name.to_string(),
        };
        let inside = entry_of(&name)?;
        if inside.takes == BatchKind::Inner {
            return Err(refused(format!("`loss` must be no wrapper, got {name}")));
        }
        if inside.model == ModelKind::CrossEncoder {
            let name = short_name(&name);
            return Err(refused(format!(
                "{} is for losses of embeddings, and {name} takes the scores of pairs",
                wrapper.name
            )));
        }
        Ok(Self { name, options, wrapper: Some(wrapper), weights: None })
    }

    /// Its name, with that of the wrapper if there is one.
    pub fn title(&self) -> String {
        match &self.wrapper {
            Some(wrapper) => format!("{}({})", wrapper.name, self.name),
            None => short_name(&self.name).to_string(),
        }
    }

    /// The options of the loss and of the wrapper.
    pub fn all_options(&self) -> Map<String, Value> {
        let wrapper = self.wrapper.iter().flat_map(|wrapper| wrapper.options.clone());
        self.options.clone().into_iter().chain(wrapper).collect()
    }

    /// Puts the wrapper around the loss inside, of embeddings of a dimension.
    pub(super) fn wrap(&self, inside: LossConfig, dimension: usize) -> Result<LossConfig, Error> {
        let Some(Wrapper { name, options }) = &self.wrapper else {
            return Ok(inside);
        };
        let mut options = options.clone();
        options.insert("loss".into(), json!(inside));
        let config = LossConfig::from_python(name, Value::Object(options))
            .map_err(|error| refused(error.to_string()))?;
        let dims = match &config {
            LossConfig::Matryoshka(around) => &around.wrapper.dims[..],
            LossConfig::Matryoshka2d(around) => &around.wrapper.dims,
            _ => &[],
        };
        match dims.iter().find(|&&dim| dim > dimension) {
            Some(dim) => Err(refused(format!(
                "{name}: `dims` must be at most {dimension}, the dimension of the encoder, got {dim}"
            ))),
            None => Ok(config),
        }
    }
}

/// The name of a loss that is given by name or as `{name: options}`, whose options join `options`.
fn with_options(loss: Value, options: &mut Map<String, Value>) -> Result<String, Error> {
    match loss {
        Value::String(name) => Ok(name),
        Value::Object(one) if one.len() == 1 => {
            let (name, inside) = one.into_iter().next().expect("counted above");
            let Value::Object(inside) = inside else {
                return Err(refused(format!(
                    "the options of {name} must be an object, got {inside}"
                )));
            };
            options.extend(inside);
            Ok(name)
        }
        other => Err(refused(format!("`loss` must be the name of a loss, got {other}"))),
    }
}
