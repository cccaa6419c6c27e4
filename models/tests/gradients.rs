//! Models in training: the gradient with respect to every parameter is that of the Python library.

mod common;

use std::collections::BTreeMap;
use std::fs;

use burn::tensor::{Device, Gradients};
use burn_embedding_models::weights::file_name;
use burn_embedding_models::{OpenOptions, SentenceTransformer, TextEncoder};
use common::{FAMILIES, golden, named, texts_without_padding, weighted_squares};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What Python found, for the tiny models that have it.
fn expected<T: DeserializeOwned>(file: &str) -> Vec<(&'static str, T)> {
    let read = |family: &'static str| {
        let bytes = fs::read(golden(family).join(file)).ok()?;
        Some((family, serde_json::from_slice(&bytes).unwrap()))
    };
    FAMILIES.into_iter().filter_map(read).collect()
}

/// What Python found.
#[derive(Deserialize)]
struct Expected {
    /// The length of each gradient, by the parameter's name.
    norms: BTreeMap<String, f32>,
    /// One whole gradient.
    example: Example,
}

#[derive(Deserialize)]
struct Example {
    name: String,
    values: Vec<f32>,
}

fn assert_close(found: f32, expected: f32, scale: f32, what: &str) {
    let off = (found - expected).abs();
    assert!(off <= 1e-4 * scale, "{what}: {found} is not {expected}");
}

/// A tiny model, and the gradients of the sum of the squares of all embeddings, each number weighted
/// by its place.
fn differentiated(family: &str) -> (SentenceTransformer, Gradients) {
    let device = Device::flex().autodiff();
    let model = OpenOptions::new().dropout(0.0).open(golden(family), &device).unwrap();
    let tokens = model.tokenize(&texts_without_padding(), None).unwrap();
    let embeddings = model.encoder.embed(&tokens.slices(), &device);
    let gradients = weighted_squares(embeddings).backward();
    (model, gradients)
}

/// The gradients of a network's parameters.
fn gradients(family: &str) -> BTreeMap<String, Vec<f32>> {
    let (model, gradients) = differentiated(family);
    let names = model.package.config.shape().names();
    named(&model.encoder.network, &gradients, &|path| file_name(path, names))
}

#[test]
fn gradients_of_modules_are_those_of_sentence_transformers() {
    let all = expected::<BTreeMap<String, Vec<f32>>>("module_gradients.json");
    assert_eq!(all.len(), 5);
    for (family, expected) in all {
        let (model, gradients) = differentiated(family);
        let names = |path: &str| format!("0.{path}");
        let mut found = named(&model.encoder.network, &gradients, &names);
        for (index, part) in model.encoder.parts.iter().enumerate() {
            let names = |path: &str| {
                let path = path.replace(".gamma", ".weight").replace(".beta", ".bias");
                format!("{}.{path}", index + 1)
            };
            found.extend(named(part, &gradients, &names));
        }
        for (name, values) in expected {
            let gradient = found.get(&name).unwrap_or_else(|| panic!("{family}: no {name}"));
            assert_eq!(gradient.len(), values.len(), "{family}, {name}");
            let scale = values.iter().map(|it| it.abs()).fold(0.0, f32::max);
            for (found, expected) in gradient.iter().zip(values) {
                assert_close(*found, expected, scale, &format!("{family}, {name}"));
            }
        }
    }
}

#[test]
fn gradients_are_those_of_sentence_transformers() {
    let all = expected::<Expected>("gradients.json");
    assert_eq!(all.len(), 22);
    for (family, expected) in all {
        let found = gradients(family);
        let largest = expected.norms.values().copied().fold(0.0, f32::max);
        for (name, norm) in &expected.norms {
            let what = format!("{family}, {name}");
            let gradient = found.get(name).unwrap_or_else(|| panic!("{what} has no gradient"));
            let length = gradient.iter().map(|it| it * it).sum::<f32>().sqrt();
            // What is zero in theory is a sum of rounding errors.
            assert_close(length, *norm, norm.max(1e-2 * largest), &what);
        }
        let Example { name, values } = expected.example;
        assert_eq!(found[&name].len(), values.len());
        let scale = expected.norms[&name];
        for (found, expected) in found[&name].iter().zip(values) {
            assert_close(*found, expected, scale, &format!("{family}, {name}"));
        }
    }
}
