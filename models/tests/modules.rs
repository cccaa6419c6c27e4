//! The modules after a network: what does not fit together is refused with the reason.

mod common;

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use burn_embedding_models::SentenceTransformer;
use common::{Change, copy, golden, open, rows, set};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The error of a tiny model after changes of its files.
fn refused(family: &str, change: impl Fn(&Path)) -> String {
    let directory = TempDir::new().unwrap();
    copy(&golden(family), directory.path());
    change(directory.path());
    let error = SentenceTransformer::open(directory.path(), &Device::flex()).unwrap_err();
    let error = error.to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

fn changed(family: &str, change: Change, message: &str) {
    let error = refused(family, |directory| set(directory, change));
    assert!(error.contains(message), "{error}\n  does not contain\n{message}");
}

/// Lists only these modules of a model.
fn list(directory: &Path, kept: &[usize]) {
    let path = directory.join("modules.json");
    let modules: Vec<Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let named = |(place, &index): (usize, &usize)| {
        let mut module = modules[index].clone();
        module["name"] = place.to_string().into();
        module
    };
    let kept: Vec<_> = kept.iter().enumerate().map(named).collect();
    fs::write(path, json!(kept).to_string()).unwrap();
}

fn listed(family: &str, kept: &[usize], message: &str) {
    let error = refused(family, |directory| list(directory, kept));
    assert!(error.contains(message), "{error}\n  does not contain\n{message}");
}

#[test]
fn modules_that_do_not_fit_together_are_refused() {
    listed("dense", &[0, 1, 3], "`in_features` is 6, but its input has 8 values");
    listed("dense", &[0, 2], "it needs the vectors of texts, but no pooling is before it");
    listed("dense", &[0, 1, 4], "`dimension` is 10, but its input has 8 values");
    listed("dense", &[0], "no module gives a vector for each text");
    listed("dense", &[], "the first module is nothing; expected Transformer or StaticEmbedding");
    listed("dense", &[1, 0], "the first module is Pooling");
    listed("dense", &[0, 0, 1], "a Transformer must be the first module");
}

#[test]
fn configurations_of_modules_are_checked() {
    let dense = |name, value, message| {
        changed("dense", ("2_Dense/config.json", &[(name, value)]), message);
    };
    dense("/in_features", json!(7), "`in_features` is 7, but its input has 8 values");
    dense("/in_features", Value::Null, "missing field `in_features`");
    dense("/out_features", json!(0), "`out_features` is 0, expected 1 to 131072");
    dense("/out_features", json!(5), "`linear.weight` is [6, 8], expected [5, 8]");
    dense(
        "/activation_function",
        json!("evil.Tanh"),
        "\"evil.Tanh\"; supported are PyTorch's Tanh",
    );
    dense("/module_input_name", json!("x"), "`module_input_name` is \"x\"; supported are");
    dense(
        "/module_output_name",
        json!("y"),
        "`module_output_name` is \"y\"; only that of the input",
    );
    let layers = |name, value, message| {
        let file = "1_WeightedLayerPooling/config.json";
        changed("layers", (file, &[(name, value)]), message);
    };
    layers("/layer_start", json!(3), "`layer_start` is 3, above `num_hidden_layers`, 2");
    layers("/num_hidden_layers", json!(5), "`num_hidden_layers` is 5, but the network has 2");
    layers("/embedding_dimension", json!(9), "`embedding_dimension` is 9, but its input has 8");
    changed(
        "dense",
        ("5_Dropout/config.json", &[("/dropout", json!(1.5))]),
        "expected 0 to below 1",
    );
}

#[test]
fn a_network_that_does_not_show_its_layers_is_pooled_as_it_is() {
    let directory = TempDir::new().unwrap();
    copy(&golden("layers"), directory.path());
    set(directory.path(), ("config.json", &[("/output_hidden_states", json!(false))]));
    let hidden = rows(open(directory.path()).encode(&["the cat"]).unwrap());
    list(directory.path(), &[0, 2]);
    assert_eq!(hidden, rows(open(directory.path()).encode(&["the cat"]).unwrap()));
}

#[test]
fn a_text_without_tokens_has_a_zero_vector_in_a_table() {
    let directory = TempDir::new().unwrap();
    copy(&golden("static"), directory.path());
    list(directory.path(), &[0]);
    let model = open(directory.path());
    let found = rows(model.encode(&["", "the", ""]).unwrap());
    assert_eq!((&found[0], &found[2]), (&vec![0.0; 8], &vec![0.0; 8]));
    assert!(found[1].iter().any(|value| *value != 0.0));
}

#[test]
fn sizes_that_cannot_be_are_refused_before_memory_is_taken() {
    // Times the size of the input it is 0 in 64 bits.
    let change: Change = ("2_Dense/config.json", &[("/out_features", json!(1_u64 << 61))]);
    changed("dense", change, "`out_features` is 2305843009213693952, expected 1 to 131072");
}

#[test]
fn a_table_that_would_be_far_larger_than_its_file_is_refused() {
    let (tokens, dimension) = (1 << 16, 1 << 12);
    let header = json!({
        "mapping": {"dtype": "U8", "shape": [tokens], "data_offsets": [0, tokens]},
        "embeddings": {
            "dtype": "F32", "shape": [1, dimension], "data_offsets": [tokens, tokens + 4 * dimension],
        },
    });
    let header = header.to_string().into_bytes();
    let values = vec![0; tokens + 4 * dimension];
    let file = [&(header.len() as u64).to_le_bytes(), &header[..], &values].concat();
    let error = refused("model2vec", |directory| {
        fs::write(directory.join("model.safetensors"), &file).unwrap();
    });
    assert!(error.contains("65536 tokens that share 1 rows of `embeddings`"), "{error}");
}
