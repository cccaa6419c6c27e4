//! What `sentence_bert_config.json` says of a transformer.

use std::path::Path;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::Directory;
use crate::error::Error;
use crate::fields::parsed;

/// The names that the file has had for models of other families, in the order in which Python looks for them.
pub const TRANSFORMER_FILES: [&str; 7] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
];

/// The fields that this crate uses, or refuses.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct TransformerSettings {
    /// The longest text, in tokens. A number as large as 1e30 stands for "no limit".
    pub max_seq_length: Option<f64>,
    /// Whether texts are lower-cased first.
    #[serde(deserialize_with = "or_default")]
    pub do_lower_case: bool,
    /// Fields that go before those of `tokenizer_config.json`.
    #[serde(alias = "tokenizer_args", deserialize_with = "or_default")]
    pub processor_kwargs: Map<String, Value>,
    /// Fields that go before those of `config.json`.
    #[serde(alias = "config_args", deserialize_with = "or_default")]
    pub config_kwargs: Map<String, Value>,
    #[serde(deserialize_with = "or_default")]
    processing_kwargs: Map<String, Value>,
    #[serde(deserialize_with = "or_default")]
    modality_config: Map<String, Value>,
    /// Whether the directory lists no modules: then Python makes settings of its own.
    #[serde(skip)]
    plain: bool,
}

/// Null stands for the default.
pub(super) fn or_default<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Option::deserialize(from).map(Option::unwrap_or_default)
}

impl TransformerSettings {
    /// Reads the settings of the transformer in the directory `module`: the first file that has any.
    ///
    /// # Errors
    ///
    /// If they ask for something that this crate does not do.
    pub fn read(directory: &Directory, module: &Path) -> Result<Self, Error> {
        let plain = !directory.path().join(super::MODULES).exists();
        let mut found = (module.join(TRANSFORMER_FILES[0]), Map::new());
        for name in TRANSFORMER_FILES.iter().filter(|_| !plain) {
            let file = module.join(name);
            let fields: Map<String, Value> = directory.json(&file)?;
            if !fields.is_empty() {
                found = (file, fields);
                break;
            }
        }
        let path = directory.path().join(found.0);
        let settings: Result<Self, String> = parsed(Value::Object(found.1));
        let settings = settings.map_err(|reason| Error::read(&path, reason))?;
        settings.check().map_err(|reason| Error::read(&path, reason))?;
        Ok(Self { plain, ..settings })
    }

    fn check(&self) -> Result<(), String> {
        if let Some(length) = self.max_seq_length.filter(|length| *length < 1.0) {
            return Err(format!("`max_seq_length` is {length}, expected at least 1"));
        }
        let empty = |value: &Value| value.as_object().is_some_and(Map::is_empty);
        if let Some((name, value)) = self.processing_kwargs.iter().find(|(_, it)| !empty(it)) {
            return Err(format!(
                "`processing_kwargs` has {name:?}: {value}, which is not supported: give a length as \
                 `max_seq_length`, or take it out"
            ));
        }
        let output =
            self.modality_config.get("text").and_then(|text| text.get("method_output_name"));
        match output.filter(|output| output.is_array()) {
            Some(output) => Err(format!(
                "`method_output_name` is {output}, which is not supported: only the last layer is read"
            )),
            None => Ok(()),
        }
    }

    /// Whether Python writes texts into the chat template of a tokenizer that has one.
    pub fn uses_chat_template(&self) -> bool {
        self.plain || self.modality_config.contains_key("message")
    }
}
