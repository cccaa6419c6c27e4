//! A new CrossEncoder on the layers of an encoder.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde_json::{Map, Value, json};

use super::{CrossEncoder, HeadConfig, PairPackage, ScoreActivation};
use crate::directory::{CONFIG, Directory, MODULES, Modules, Route};
use crate::error::Error;
use crate::sentence_transformer::{OpenOptions, TOKENIZER_CONFIG};
use crate::weights;

/// The class of transformers that scores texts, for each `model_type` that has one here.
const CLASSES: [(&str, &str); 10] = [
    ("albert", "AlbertForSequenceClassification"),
    ("bert", "BertForSequenceClassification"),
    ("camembert", "CamembertForSequenceClassification"),
    ("deberta-v2", "DebertaV2ForSequenceClassification"),
    ("distilbert", "DistilBertForSequenceClassification"),
    ("electra", "ElectraForSequenceClassification"),
    ("modernbert", "ModernBertForSequenceClassification"),
    ("mpnet", "MPNetForSequenceClassification"),
    ("roberta", "RobertaForSequenceClassification"),
    ("xlm-roberta", "XLMRobertaForSequenceClassification"),
];

impl OpenOptions {
    /// A CrossEncoder with a new classifier of `labels` scores on the layers of an encoder: a model of
    /// sentence-transformers, whose other modules are left out, or a transformer alone. A layer before the
    /// classifier is taken from the encoder if it has one. Only the dropout of the options is used.
    ///
    /// # Errors
    ///
    /// If a file is missing, damaged, or describes a network without a classifier of text pairs here.
    pub fn new_cross_encoder(
        &self,
        path: impl AsRef<Path>,
        labels: usize,
        device: &Device,
    ) -> Result<CrossEncoder, Error> {
        let directory = Directory::open(path.as_ref())?;
        let module = match directory.path().join(MODULES).exists() {
            true => Modules::read(&directory, Route::Default)?.network.path,
            false => PathBuf::new(),
        };
        let opened = self.transformer(&directory, &module)?;
        let (file, bytes) = opened.read_config(&directory, &module)?;
        let fields = scoring(&file, bytes, labels)?;
        let mut head = HeadConfig::parse(&file, &fields, &opened.config)?;
        if let Some(dropout) = self.dropout {
            head.set_dropout(dropout);
        }
        let encoder =
            weights::new_pair_encoder(&directory, &module, (&opened.config, &head), device)?;
        // As transformers cuts pairs, whatever longer texts the encoder is given.
        let usual = opened.config.shape().usual_tokens().unwrap_or(usize::MAX);
        let tokenizer = opened.tokenizer.limited(usual)?;
        let limit = tokenizer.max_tokens();
        let kept = opened.files.into_iter().filter(|(path, _)| {
            *path != module.join(CONFIG) && *path != module.join(TOKENIZER_CONFIG)
        });
        // The transformer's files are those of the whole model.
        let own = |(path, bytes): (PathBuf, Vec<u8>)| {
            (path.strip_prefix(&module).map_or(path.clone(), Path::to_path_buf), bytes)
        };
        let mut files: Vec<_> = kept.map(own).collect();
        files.push((CONFIG.into(), fields));
        files.push((TOKENIZER_CONFIG.into(), limited(&directory, &module, limit)?));
        let activation = match labels {
            1 => ScoreActivation::Sigmoid,
            _ => ScoreActivation::Identity,
        };
        let name = directory.name();
        let (config, module) = (opened.config, PathBuf::new());
        let package = PairPackage { name, activation, head, config, module, files };
        Ok(CrossEncoder { encoder, tokenizer, package, device: device.clone() })
    }
}

/// The fields of a JSON file.
fn fields(path: &Path, bytes: &[u8]) -> Result<Map<String, Value>, Error> {
    serde_json::from_slice(bytes).map_err(|error| Error::read(path, error))
}

fn text(fields: Map<String, Value>) -> Vec<u8> {
    format!("{:#}\n", Value::Object(fields)).into_bytes()
}

/// The `config.json` of an encoder as that of a classifier.
fn scoring(path: &Path, bytes: &[u8], labels: usize) -> Result<Vec<u8>, Error> {
    let mut fields = fields(path, bytes)?;
    let kind = fields.get("model_type").and_then(Value::as_str).unwrap_or_default();
    let class = CLASSES.iter().find(|(name, _)| *name == kind);
    let (_, class) = class.ok_or_else(|| {
        let names = CLASSES.map(|(name, _)| name).join(", ");
        let reason =
            format!("`model_type` {kind:?} has no classifier of text pairs here; {names} have one");
        Error::read(path, reason)
    })?;
    let label = |index: usize| format!("LABEL_{index}");
    let names: Map<_, _> = (0..labels).map(|it| (it.to_string(), label(it).into())).collect();
    let ids: Map<_, _> = (0..labels).map(|it| (label(it), it.into())).collect();
    fields.remove("num_labels");
    fields.insert("architectures".to_string(), json!([class]));
    fields.insert("id2label".to_string(), names.into());
    fields.insert("label2id".to_string(), ids.into());
    Ok(text(fields))
}

/// The `tokenizer_config.json` with the longest text that the encoder takes.
fn limited(directory: &Directory, module: &Path, limit: usize) -> Result<Vec<u8>, Error> {
    let mut fields: Map<String, Value> = directory.json(&module.join(TOKENIZER_CONFIG))?;
    if limit < usize::MAX {
        fields.insert("model_max_length".to_string(), limit.into());
    }
    Ok(text(fields))
}
