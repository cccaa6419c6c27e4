//! LoRA adapters in training: embeddings, gradients and losses are those of peft, and nothing else of
//! the model moves.

mod common;

use std::collections::BTreeMap;
use std::fs;

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};
use burn_embedding_models::shape::Names;
use burn_embedding_models::weights::file_name;
use burn_embedding_models::{
    LoraConfig, OpenOptions, SentenceEncoder, SentenceTransformer, TextEncoder,
};
use common::{
    FAMILIES, assert_close, golden, named, open, rows, texts, texts_without_padding,
    weighted_squares,
};
use serde::Deserialize;
use tempfile::TempDir;

/// What peft found.
#[derive(Deserialize)]
struct Expected {
    r: usize,
    alpha: f64,
    targets: Vec<String>,
    embeddings: Vec<Vec<f32>>,
    gradients: BTreeMap<String, Vec<f32>>,
    losses: Vec<f32>,
}

/// All that peft found, by family.
fn expected() -> Vec<(String, Expected)> {
    let files = fs::read_dir(golden("lora-training")).unwrap();
    let read = |file: fs::DirEntry| {
        let family = file.path().file_stem().unwrap().to_str().unwrap().to_string();
        (family, serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap())
    };
    let found: Vec<_> = files.map(|file| read(file.unwrap())).collect();
    assert_eq!(found.len(), 7);
    found
}

/// A tiny model that is trained without dropout.
fn trainable(family: &str) -> SentenceTransformer {
    let device = Device::flex().autodiff();
    OpenOptions::new().dropout(0.0).open(golden(family), &device).unwrap()
}

/// peft's name of a matrix of an adapter: that of its layer, then `lora_A` or `lora_B`.
fn name(path: &str, names: Names) -> Option<String> {
    let (layer, matrix) = path.strip_suffix(".weight")?.split_once(".weight.lora.")?;
    let layer = file_name(&format!("{layer}.weight"), names);
    let layer = layer.strip_suffix(".weight")?;
    Some(format!("{layer}.lora_{}", matrix.to_uppercase()))
}

/// Gives the adapters the values that they had in Python.
struct Given {
    path: Vec<String>,
    names: Names,
}

impl ModuleMapper for Given {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push(if container.starts_with("Enum:") { String::new() } else { name.into() });
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let path: Vec<&str> = path.into_iter().filter(|name| !name.is_empty()).collect();
        let Some(name) = name(&path.join("."), self.names) else { return param };
        let layer = name.rsplit_once('.').unwrap().0.len();
        param.map(|value| {
            let shape = value.shape();
            let [rows, columns] = [shape[0], shape[1]];
            // PyTorch has the columns as rows.
            let places = (0..rows).flat_map(|row| (0..columns).map(move |it| 5 * it + 3 * row));
            let values = places.map(|place| (((place + layer) % 11) as f32 - 5.0) / 20.0);
            let values = TensorData::new(values.collect(), shape);
            Tensor::from_data(values, &value.device()).set_require_grad(value.is_require_grad())
        })
    }
}

/// The model with adapters that have the values that they had in Python.
fn adapted(model: SentenceTransformer, config: &LoraConfig) -> SentenceTransformer {
    let names = model.package.config.shape().names();
    let mut model = model.with_lora(config).unwrap();
    model.encoder.network = model.encoder.network.map(&mut Given { path: Vec::new(), names });
    model
}

fn embed(encoder: &SentenceEncoder, model: &SentenceTransformer, texts: &[String]) -> Tensor<2> {
    let tokens = model.tokenize(texts, None).unwrap();
    encoder.embed(&tokens.slices(), &Device::flex().autodiff())
}

/// Embeddings of all texts.
fn embeddings(model: &SentenceTransformer) -> Vec<Vec<f32>> {
    rows(model.encode(&texts()).unwrap())
}

#[test]
fn embeddings_and_gradients_are_those_of_peft() {
    for (family, expected) in expected() {
        let config = LoraConfig::new(expected.r, expected.alpha).with_targets(expected.targets);
        let model = adapted(trainable(&family), &config);
        let found = embed(&model.encoder, &model, &texts_without_padding());
        assert_close(&rows(found.clone()), &expected.embeddings, 1e-5, &family);
        let gradients = weighted_squares(found).backward();
        let names = model.package.config.shape().names();
        // Of a parameter of the model itself there must be none.
        let name = |path: &str| name(path, names).unwrap_or_else(|| path.to_string());
        let found = named(&model.encoder, &gradients, &name_in(&name));
        let keys = |of: &BTreeMap<String, Vec<f32>>| of.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&found), keys(&expected.gradients), "{family}");
        let length = |of: &[f32]| of.iter().map(|it| it * it).sum::<f32>().sqrt();
        let longest = expected.gradients.values().map(|it| length(it)).fold(0.0, f32::max);
        for (name, expected) in expected.gradients {
            // What is zero in theory is a sum of rounding errors.
            let scale = length(&expected).max(1e-2 * longest);
            assert_close(&[found[&name].clone()], &[expected], 1e-4 * scale, &name);
        }
    }
}

/// The same for an encoder, whose network is in a field.
fn name_in(name: &impl Fn(&str) -> String) -> impl Fn(&str) -> String + '_ {
    |path| name(path.strip_prefix("network.").unwrap_or(path))
}

/// The values of all parameters by their paths.
fn values<M: Module>(module: &M) -> BTreeMap<String, Vec<f32>> {
    let tensors = burn_store::ModuleSnapshot::collect(module, None, None, false);
    let value = |it: burn_store::burn_pack::Tensor| {
        let data = TensorData::from_bytes(it.to_bytes().unwrap(), it.shape.clone(), it.dtype);
        (it.name, data.iter::<f32>().collect())
    };
    tensors.into_iter().map(value).collect()
}

#[test]
fn steps_lower_the_loss_as_in_peft_and_move_only_the_adapters() {
    for (family, expected) in expected() {
        let config = LoraConfig::new(expected.r, expected.alpha).with_targets(expected.targets);
        let model = adapted(trainable(&family), &config);
        let adam = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.01);
        let expected_matrices = expected.gradients.len();
        let (mut adam, mut encoder) = (adam.init(), model.encoder.clone());
        for (step, expected) in expected.losses.iter().enumerate() {
            let loss = weighted_squares(embed(&encoder, &model, &texts_without_padding()));
            let found: f32 = loss.clone().into_scalar();
            assert!((found - expected).abs() < 1e-4 * expected, "{family}, step {step}: {found}");
            let gradients = GradientsParams::from_grads(loss.backward(), &encoder);
            // The optimizer keeps nothing for what has no gradient.
            assert_eq!(gradients.len(), expected_matrices, "{family}");
            encoder = adam.step(0.01, encoder, gradients);
        }
        let (before, after) = (values(&model.encoder.valid()), values(&encoder.valid()));
        assert_eq!(before.len(), after.len());
        for (name, before) in before {
            assert_eq!(before != after[&name], name.contains(".lora."), "{family}, {name}");
        }
    }
}

/// The families whose network has linear layers.
fn with_layers() -> impl Iterator<Item = &'static str> {
    FAMILIES.into_iter().filter(|family| !["static", "model2vec"].contains(family))
}

#[test]
fn an_adapter_is_the_product_added_to_the_weight_in_every_layer_of_every_family() {
    for family in with_layers() {
        let config = LoraConfig::new(2, 3.0).with_targets(["all-linear"]);
        let base = trainable(family);
        let before = embeddings(&base);
        let started = base.with_lora(&config).unwrap();
        assert_eq!(embeddings(&started), before, "{family} starts as it was");
        let model = adapted(trainable(family), &config);
        let found = embeddings(&model);
        assert_ne!(found, before, "{family}");
        let largest = found.iter().flatten().map(|it| it.abs()).fold(1.0, f32::max);
        let saved = TempDir::new().unwrap();
        model.save(saved.path().join("whole")).unwrap();
        let whole = open(&saved.path().join("whole"));
        assert_close(&embeddings(&whole), &found, 1e-5 * largest, family);
        assert_eq!(whole.encoder.num_params(), trainable(family).encoder.num_params());
    }
}

#[test]
fn dropout_reaches_every_layer_of_every_family() {
    for family in with_layers() {
        // Almost nothing goes into the adapters.
        let config = LoraConfig::new(2, 3.0).with_targets(["all-linear"]).with_dropout(1.0 - 1e-9);
        let base = trainable(family);
        // Frozen, as next to adapters: a position bias that learns is added in another way.
        let before = embed(&base.encoder.clone().no_grad(), &base, &texts());
        let model = adapted(base, &config);
        let training = embed(&model.encoder, &model, &texts());
        assert_close(&rows(training), &rows(before.clone()), 0.0, family);
        assert_ne!(embeddings(&model), rows(before), "{family}: only while training");
    }
}

#[test]
fn new_adapters_are_drawn_as_in_peft() {
    Device::flex().seed(1);
    let model = open(&golden("bert")).with_lora(&LoraConfig::new(64, 1.0)).unwrap();
    let (mut drawn, mut zero) = (Vec::new(), 0);
    for (name, values) in values(&model.encoder) {
        if name.ends_with("lora.a.weight") {
            drawn.extend(values);
        } else if name.ends_with("lora.b.weight") {
            assert!(values.iter().all(|value| *value == 0.0), "{name}");
            zero += 1;
        }
    }
    // Queries and values of two layers with 16 inputs: uniform up to 1/√16.
    assert_eq!((drawn.len(), zero), (4 * 16 * 64, 4));
    let largest = drawn.iter().map(|it| it.abs()).fold(0.0, f32::max);
    assert!((0.249..=0.25).contains(&largest), "{largest}");
    let mean_square = drawn.iter().map(|it| it * it).sum::<f32>() / drawn.len() as f32;
    assert!((mean_square - 0.0625 / 3.0).abs() < 1e-3, "{mean_square}");
}

#[test]
fn an_adapter_alone_is_read_again() {
    for family in ["bert", "deberta-v2", "t5", "qwen3", "modernbert", "albert", "dense", "layers"] {
        let config = LoraConfig::new(2, 3.0).with_targets(["all-linear"]);
        let model = adapted(trainable(family), &config);
        let saved = TempDir::new().unwrap();
        let path = saved.path().join("adapter");
        model.save_adapter(&path, golden(family)).unwrap();
        let files = burn_embedding_models::directory::names(&path).unwrap();
        assert!(files.contains(&"adapter_model.safetensors".to_string()), "{files:?}");
        assert!(!files.contains(&"model.safetensors".to_string()), "{files:?}");
        assert_close(&embeddings(&open(&path)), &embeddings(&model), 1e-5, family);
    }
}

#[test]
fn adapters_that_cannot_be_are_refused() {
    let refused = |family: &str, config: LoraConfig, message: &str| {
        let error = trainable(family).with_lora(&config).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    };
    let config = || LoraConfig::new(2, 3.0);
    refused("bert", LoraConfig::new(0, 3.0), "`r` is 0, expected 1 to 4096");
    refused("bert", LoraConfig::new(2, -1.0), "`alpha` is -1, expected a number above 0");
    refused("bert", config().with_dropout(1.0), "`dropout` is 1, expected 0 to below 1");
    let message = "`targets` has \"q_proj\", which is no linear layer of the model; it has dense, key, \
                   query, value, and all-linear stands for all";
    refused("bert", config().with_targets(["query", "q_proj"]), message);
    refused("bert", config().with_targets(["word_embeddings"]), "is no linear layer");
    refused("bert", config().with_targets(["uery"]), "is no linear layer");
    let message = "`targets` has all-linear, which stands for all layers: leave the others out";
    refused("bert", config().with_targets(["query", "all-linear"]), message);
    refused("static", config(), "a StaticEmbedding is a table without linear layers");
    let model = trainable("bert").with_lora(&config()).unwrap();
    let error = model.with_lora(&config()).unwrap_err().to_string();
    assert!(error.contains("has adapters already"), "{error}");
}

#[test]
fn an_adapter_that_fits_no_file_of_python_is_not_written_alone() {
    let saved = TempDir::new().unwrap();
    let path = saved.path().join("adapter");
    for family in ["nomic_bert", "gte"] {
        let model = trainable(family).with_lora(&LoraConfig::new(2, 3.0)).unwrap();
        let error = model.save_adapter(&path, golden(family)).unwrap_err().to_string();
        assert!(error.contains("save the merged model"), "{error}");
    }
    let error = trainable("bert").save_adapter(&path, golden("bert")).unwrap_err().to_string();
    assert!(error.contains("the encoder has no adapters"), "{error}");
    let model = trainable("lora").with_lora(&LoraConfig::new(2, 3.0)).unwrap();
    let error = model.save_adapter(&path, golden("lora")).unwrap_err().to_string();
    assert!(error.contains("has an adapter itself"), "{error}");
    assert!(!path.exists());
}
