//! Normalize: vectors of length one.

use burn::module::Module;
use burn_embedding_losses::numeric::UnitRows;
use serde::Deserialize;

use super::features::{Features, Vectors};

/// `x / max(‖x‖, 1e-12)`.
///
/// Source: `sentence_transformers.base.modules.normalize`.
#[derive(Module, Debug)]
pub struct Normalize {
    #[module(skip)]
    vectors: Vectors,
}

/// The `config.json` of a [`Normalize`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NormalizeConfig {
    module_input_name: Option<String>,
    module_output_name: Option<String>,
}

impl NormalizeConfig {
    pub(crate) fn init(&self) -> Result<Normalize, String> {
        let names = [&self.module_input_name, &self.module_output_name];
        let [input, output] = names.map(|name| name.as_deref());
        Ok(Normalize { vectors: Vectors::named(input, output)? })
    }
}

impl Normalize {
    /// As in Python, it does nothing to vectors that are not there.
    pub(super) fn forward(&self, features: Features) -> Features {
        features.map(self.vectors, |rows| UnitRows::new(rows).rows)
    }
}
