//! What a model's logits go through to be its scores.

use std::path::Path;

use burn::tensor::{Tensor, activation};
use serde::Deserialize;
use serde_json::Value;

use crate::directory::{CONFIG, Directory, SETTINGS};
use crate::error::Error;

/// What a model's logits go through to be its scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreActivation {
    /// Scores from 0 to 1, the usual ones of a model with one label.
    Sigmoid,
    /// The logits themselves, the usual ones of a model with several labels.
    Identity,
    /// Scores from -1 to 1.
    Tanh,
}

/// The fields of `config_sentence_transformers.json` that name it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Saved {
    activation_fn: Option<String>,
}

impl ScoreActivation {
    const CLASSES: [(&str, Self); 3] =
        [("Sigmoid", Self::Sigmoid), ("Identity", Self::Identity), ("Tanh", Self::Tanh)];

    /// The one that the files of a model name: those of a release, or of releases before it.
    pub(super) fn read(directory: &Directory, module: &Path, labels: usize) -> Result<Self, Error> {
        let Saved { activation_fn } = directory.json(Path::new(SETTINGS))?;
        if let Some(class) = activation_fn {
            return Self::named(&directory.path().join(SETTINGS), &class);
        }
        let file = module.join(CONFIG);
        let config: Value = directory.json(&file)?;
        let places =
            ["/sentence_transformers/activation_fn", "/sbert_ce_default_activation_function"];
        let named = places.iter().find_map(|place| config.pointer(place).and_then(Value::as_str));
        match named {
            Some(class) => Self::named(&directory.path().join(file), class),
            None if labels == 1 => Ok(Self::Sigmoid),
            None => Ok(Self::Identity),
        }
    }

    /// A class of PyTorch, by its whole name.
    fn named(path: &Path, class: &str) -> Result<Self, Error> {
        let name = class.rsplit('.').next().unwrap_or(class);
        let found =
            Self::CLASSES.iter().find(|(known, _)| class.starts_with("torch.") && *known == name);
        found.map(|(_, activation)| *activation).ok_or_else(|| {
            let names = Self::CLASSES.map(|(name, _)| name).join(", ");
            let reason =
                format!("the activation {class:?} is not supported; supported are {names}");
            Error::read(path, reason)
        })
    }

    /// The scores of these logits.
    pub fn forward(self, logits: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Sigmoid => activation::sigmoid(logits),
            Self::Identity => logits,
            Self::Tanh => logits.tanh(),
        }
    }
}
