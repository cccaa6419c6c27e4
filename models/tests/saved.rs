//! Models that are saved again: the same embeddings, and the names that other programs expect.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn_embedding_models::directory::names;
use common::{FAMILIES, copy, golden, open, rows, set, texts};
use serde_json::Value;
use tempfile::TempDir;

fn encode(directory: &Path) -> Vec<Vec<f32>> {
    rows(open(directory).encode(&texts()).unwrap())
}

/// Saves a tiny model to a new directory.
fn save(family: &str) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let saved = directory.path().join("saved");
    open(&golden(family)).save(&saved).unwrap();
    (directory, saved)
}

/// The shapes in a safetensors file by the parameters' names.
fn shapes(directory: &Path) -> BTreeMap<String, Value> {
    let bytes = fs::read(directory.join("model.safetensors")).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: BTreeMap<String, Value> = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let tensors = header.into_iter().filter(|(name, _)| name != "__metadata__");
    tensors.map(|(name, tensor)| (name, tensor["shape"].clone())).collect()
}

#[test]
fn a_saved_model_gives_the_same_embeddings() {
    for family in FAMILIES {
        let (directory, saved) = save(family);
        assert_eq!(encode(&saved), encode(&golden(family)), "{family}");
        assert_eq!(names(directory.path()).unwrap(), ["saved"], "nothing else is left behind");
    }
}

#[test]
fn a_transformer_in_a_directory_of_its_own_stays_there() {
    // As sentence-transformers saved models until version 3.
    let directory = TempDir::new().unwrap();
    let [model, saved] = ["model", "saved"].map(|name| directory.path().join(name));
    copy(&golden("bert"), &model);
    let own = model.join("0_Transformer");
    fs::create_dir(&own).unwrap();
    for name in names(&model).unwrap() {
        let file = model.join(&name);
        if file.is_file() && !["modules.json", "expected.json"].contains(&name.as_str()) {
            fs::rename(file, own.join(name)).unwrap();
        }
    }
    set(&model, ("modules.json", &[("/0/path", "0_Transformer".into())]));
    assert_eq!(encode(&model), encode(&golden("bert")));
    open(&model).save(&saved).unwrap();
    assert_eq!(encode(&saved), encode(&golden("bert")));
    let own = |directory: &Path| names(&directory.join("0_Transformer")).unwrap();
    assert_eq!(own(&saved), own(&model));
    assert!(!saved.join("model.safetensors").exists());
}

#[test]
fn parameters_keep_their_names_and_shapes() {
    // Some of the files hold more than the network needs.
    for family in FAMILIES
        .into_iter()
        .filter(|family| !["roberta", "t5", "new", "model2vec"].contains(family))
    {
        let (_directory, saved) = save(family);
        assert_eq!(shapes(&saved), shapes(&golden(family)), "{family}");
    }
}

#[test]
fn parameters_lose_the_prefix_of_a_model_with_a_head() {
    let (_directory, saved) = save("roberta");
    let original = shapes(&golden("roberta"));
    for (name, shape) in shapes(&saved) {
        assert_eq!(original[&format!("roberta.{name}")], shape, "{name}");
    }
}

#[test]
fn a_decoder_is_not_saved() {
    let (_directory, saved) = save("t5");
    let mut expected = shapes(&golden("t5"));
    expected.retain(|name, _| !name.starts_with("decoder.") && !name.starts_with("lm_head."));
    assert_eq!(shapes(&saved), expected);
}

#[test]
fn half_precision_is_saved_in_full_and_says_so() {
    let (_directory, saved) = save("xlm-roberta");
    let config = fs::read_to_string(saved.join("config.json")).unwrap();
    assert!(config.contains("\"float32\"") && !config.contains("float16"), "{config}");
}
