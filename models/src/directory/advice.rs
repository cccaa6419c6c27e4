//! What to do about a directory, or a name, that holds no model that can be read.

use std::fs;
use std::path::{Component, Path};

use serde_json::Value;

use super::{CONFIG, CONFIG_LIMIT, Directory, SETTINGS, modules};
use crate::error::Error;

/// Kinds of weights that are not read: the end of a file's name, and what it is called.
const OTHER_WEIGHTS: [(&str, &str); 6] = [
    (".onnx", "ONNX"),
    ("openvino_model.xml", "OpenVINO"),
    ("tf_model.h5", "TensorFlow"),
    ("flax_model.msgpack", "Flax"),
    (".gguf", "GGUF"),
    ("rust_model.ot", "rust-bert"),
];

/// Packages of sentence-transformers whose models are no sentence encoders.
const OTHER_MODELS: [(&str, &str); 3] = [
    ("sentence_transformers.sparse_encoder", "a SparseEncoder"),
    ("sentence_transformers.cross_encoder", "a CrossEncoder"),
    ("sentence_transformers.multi_vector_encoder", "a MultiVectorEncoder"),
];

/// The error for a directory that is not there.
pub fn missing(path: &Path, error: &std::io::Error) -> Error {
    if error.kind() != std::io::ErrorKind::NotFound || !may_be_of_hub(path) {
        return Error::read(path, error);
    }
    let name = path.display();
    Error::read(
        path,
        format!(
            "{error}; if it is the name of a model of the Hugging Face hub, fetch the model with \
             `hf download {name} --local-dir DIR` and name DIR"
        ),
    )
}

/// Whether the hub could have a model of this name: one that may stand behind an owner.
pub fn may_be_of_hub(path: &Path) -> bool {
    let valid = |part: Component| match part {
        Component::Normal(name) => name.to_str().is_some_and(|name| {
            let letter = |it: char| it.is_ascii_alphanumeric() || "._-".contains(it);
            name.starts_with(|it: char| it.is_ascii_alphanumeric()) && name.chars().all(letter)
        }),
        _ => false,
    };
    (1..=2).contains(&path.components().count()) && path.components().all(valid)
}

/// The error for a module without weights that can be read; `expected` is their usual file.
pub fn no_weights(directory: &Directory, module: &Path, expected: &str) -> Error {
    let module = directory.path().join(module);
    let path = module.join(expected);
    let places = [module.clone(), module.join("onnx"), module.join("openvino")];
    let names = places.iter().filter_map(|place| fs::read_dir(place).ok()).flatten().flatten();
    let mut names: Vec<String> =
        names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let other = OTHER_WEIGHTS.iter().find_map(|(end, kind)| {
        let file = names.iter().find(|name| name.ends_with(end))?;
        Some((file, kind))
    });
    match other {
        None => Error::read(&path, "No such file or directory; it holds the weights of the model"),
        Some((file, kind)) => Error::read(
            &path,
            format!(
                "No such file; the directory has only weights for {kind} ({file}), which are not \
                 read: fetch the model's {expected} or pytorch_model.bin"
            ),
        ),
    }
}

/// Refuses a model of sentence-transformers that is no sentence encoder.
pub fn refuse_other_models(directory: &Directory) -> Result<(), Error> {
    let list = Path::new(modules::FILE);
    let Some(bytes) = directory.optional(list, CONFIG_LIMIT)? else {
        return refuse_classifier(directory);
    };
    // What is no list of modules is refused where it is read.
    let rows: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let mut classes = rows.as_array().into_iter().flatten().filter_map(|row| row["type"].as_str());
    let found = classes.find_map(|class| {
        let (_, kind) = OTHER_MODELS.iter().find(|(package, _)| class.starts_with(package))?;
        Some((list, class.to_string(), kind))
    });
    // Releases from 6.0 on say it beside the modules, which may be of any kind of model.
    let file = Path::new(SETTINGS);
    let settings: Value = match directory.optional(file, CONFIG_LIMIT)? {
        Some(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
        None => Value::Null,
    };
    let by_settings = || {
        let class = settings["model_type"].as_str()?;
        let (_, kind) =
            OTHER_MODELS.iter().find(|(_, kind)| kind.ends_with(&format!(" {class}")))?;
        Some((file, class.to_string(), kind))
    };
    match found.or_else(by_settings) {
        None => Ok(()),
        Some((file, class, kind)) => Err(Error::read(
            &directory.path().join(file),
            format!("the model is {kind} ({class:?}); only a SentenceTransformer can be read"),
        )),
    }
}

/// Refuses a transformer that scores texts.
fn refuse_classifier(directory: &Directory) -> Result<(), Error> {
    match classifier(directory)? {
        None => Ok(()),
        Some(class) => Err(Error::read(
            &directory.path().join(CONFIG),
            format!(
                "the model is {class}, a CrossEncoder or another classifier, which gives scores \
                 and no embeddings; to train its transformer as a SentenceTransformer, name a \
                 pooling"
            ),
        )),
    }
}

/// Whether the directory holds a transformer that scores texts.
pub fn is_classifier(directory: &Directory) -> Result<bool, Error> {
    classifier(directory).map(|class| class.is_some())
}

/// The class of a transformer that scores texts.
fn classifier(directory: &Directory) -> Result<Option<String>, Error> {
    let config: Value = match directory.optional(Path::new(CONFIG), CONFIG_LIMIT)? {
        Some(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
        None => return Ok(None),
    };
    let classes = config["architectures"].as_array().into_iter().flatten();
    let mut classes = classes.filter_map(Value::as_str);
    Ok(classes.find(|name| name.ends_with("ForSequenceClassification")).map(String::from))
}
