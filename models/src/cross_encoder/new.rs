//! A new CrossEncoder on the layers of an encoder.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde_json::{Map, Value, json};

use super::{CrossEncoder, HeadConfig, Labels, PairPackage, ScoreActivation};
use crate::directory::{CONFIG, Directory, MODULES, Modules, Route};
use crate::error::Error;
use crate::sentence_transformer::{
    Files, OpenOptions, TOKENIZER_CONFIG, files_of_network, read_some, with_missing,
};
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

/// The fields of a `config.json` that say what became of the scores of another model.
const OF_FORMER_SCORES: [&str; 4] =
    ["num_labels", "problem_type", "sbert_ce_default_activation_function", "sentence_transformers"];

impl OpenOptions {
    /// A CrossEncoder with a new classifier on the layers of an encoder: a model of sentence-transformers,
    /// whose other modules are left out, or a transformer alone. A layer before the classifier is taken from
    /// the encoder if it has one. Only the dropout and the route of the options are used.
    ///
    /// # Errors
    ///
    /// If a file is missing, damaged, or describes a network without a classifier of text pairs here; if the
    /// model has several routes, and the options name none of them.
    pub fn new_cross_encoder(
        &self,
        path: impl AsRef<Path>,
        labels: impl Into<Labels>,
        device: &Device,
    ) -> Result<CrossEncoder, Error> {
        let (directory, labels) = (Directory::open(path.as_ref())?, labels.into());
        let module = self.network_in(&directory)?;
        let opened = self.transformer(&directory, &module)?;
        let (file, bytes) = opened.read_config(&directory, &module)?;
        let config = scoring(&file, bytes, &labels)?;
        let mut head = HeadConfig::parse(&file, &config, &opened.config)?;
        if let Some(dropout) = self.dropout {
            head.set_dropout(dropout);
        }
        let encoder =
            weights::new_pair_encoder(&directory, &module, (&opened.config, &head), device)?;
        let tokenizer = opened.tokenizer.for_pairs(opened.pair_tokens)?;
        let kept = read_some(&directory, files_of_network(&module))?;
        let mut files = inside(&module, with_missing(kept, opened.files));
        replace(&mut files, CONFIG, |_| Ok(config))?;
        replace(&mut files, TOKENIZER_CONFIG, |former| limited(former, tokenizer.max_tokens()))
            .map_err(|error| {
                Error::read(&directory.path().join(&module).join(TOKENIZER_CONFIG), error)
            })?;
        let activation = match labels.count() {
            1 => ScoreActivation::Sigmoid,
            _ => ScoreActivation::Identity,
        };
        let (name, config, module) = (directory.name(), opened.config, PathBuf::new());
        let package = PairPackage { name, activation, head, config, module, files };
        Ok(CrossEncoder { encoder, tokenizer, package, device: device.clone() })
    }

    /// The directory of the transformer that becomes the model.
    fn network_in(&self, directory: &Directory) -> Result<PathBuf, Error> {
        let list = directory.path().join(MODULES);
        if !list.exists() {
            return Ok(PathBuf::new());
        }
        let route = match (&self.route, Modules::routes(directory)?) {
            (Some(task), _) => Route::OfTask(task),
            (None, Some(table)) => {
                let names = table.names().collect::<Vec<_>>().join(", ");
                let reason =
                    format!("the model has several routes: name the one to take, of {names}");
                return Err(Error::read(&list, reason));
            }
            (None, None) => Route::Default,
        };
        Ok(Modules::read(directory, route)?.network.path)
    }
}

/// Files of the directory `module` as those of a whole model.
fn inside(module: &Path, files: Files) -> Files {
    let own = |(path, bytes): (PathBuf, Vec<u8>)| {
        (path.strip_prefix(module).map_or(path.clone(), Path::to_path_buf), bytes)
    };
    files.into_iter().map(own).collect()
}

/// Replaces a file by what `new` makes of it, or adds one if there is none.
fn replace<E>(
    files: &mut Files,
    name: &str,
    new: impl FnOnce(Option<&[u8]>) -> Result<Vec<u8>, E>,
) -> Result<(), E> {
    let known = files.iter_mut().find(|(path, _)| path == Path::new(name));
    match known {
        Some((_, bytes)) => *bytes = new(Some(bytes))?,
        None => files.push((name.into(), new(None)?)),
    }
    Ok(())
}

fn text(fields: Map<String, Value>) -> Vec<u8> {
    format!("{:#}\n", Value::Object(fields)).into_bytes()
}

/// The `config.json` of an encoder as that of a classifier.
fn scoring(path: &Path, bytes: &[u8], labels: &Labels) -> Result<Vec<u8>, Error> {
    let fields: Result<Map<String, Value>, _> = serde_json::from_slice(bytes);
    let mut fields = fields.map_err(|error| Error::read(path, error))?;
    let kind = fields.get("model_type").and_then(Value::as_str).unwrap_or_default();
    let class = CLASSES.iter().find(|(name, _)| *name == kind);
    let (_, class) = class.ok_or_else(|| {
        let names = CLASSES.map(|(name, _)| name).join(", ");
        let reason =
            format!("`model_type` {kind:?} has no classifier of text pairs here; {names} have one");
        Error::read(path, reason)
    })?;
    let names = labels.names().into_iter().enumerate();
    let ids: Map<_, _> = names.clone().map(|(index, name)| (name, index.into())).collect();
    let names: Map<_, _> = names.map(|(index, name)| (index.to_string(), name.into())).collect();
    for field in OF_FORMER_SCORES {
        fields.remove(field);
    }
    fields.insert("architectures".to_string(), json!([class]));
    fields.insert("id2label".to_string(), names.into());
    fields.insert("label2id".to_string(), ids.into());
    Ok(text(fields))
}

/// A `tokenizer_config.json` with the longest pair that the model takes.
fn limited(former: Option<&[u8]>, limit: usize) -> serde_json::Result<Vec<u8>> {
    let mut fields: Map<String, Value> = former.map_or(Ok(Map::new()), serde_json::from_slice)?;
    if limit < usize::MAX {
        fields.insert("model_max_length".to_string(), limit.into());
    }
    Ok(text(fields))
}
