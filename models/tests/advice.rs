//! Directories and names that hold no model that can be read: the error says what to do.

mod common;

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use burn_embedding_models::{OpenOptions, PoolingMode, SentenceTransformer};
use common::{copy, golden, open, set};
use serde_json::json;
use tempfile::TempDir;

fn error(directory: &Path) -> String {
    let error = SentenceTransformer::open(directory, &Device::flex()).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

fn bert() -> TempDir {
    let directory = TempDir::new().unwrap();
    copy(&golden("bert"), directory.path());
    directory
}

#[test]
fn the_name_of_a_model_of_the_hub_is_to_be_fetched() {
    for name in ["sentence-transformers/all-MiniLM-L6-v2", "bert-base-uncased"] {
        let error = error(Path::new(name));
        assert!(error.contains(&format!("`hf download {name} --local-dir DIR`")), "{error}");
    }
    for path in ["/no/such/model", "../model", "a/b/c", "what is it?"] {
        let error = error(Path::new(path));
        assert!(error.contains("No such file") && !error.contains("hf download"), "{error}");
    }
}

#[test]
fn weights_of_other_programs_are_named() {
    let files = [
        ("onnx/model.onnx", "ONNX (model.onnx)"),
        ("openvino/openvino_model.xml", "OpenVINO"),
        ("tf_model.h5", "TensorFlow"),
        ("flax_model.msgpack", "Flax"),
        ("model-q4.gguf", "GGUF (model-q4.gguf)"),
    ];
    for (file, kind) in files {
        let directory = bert();
        fs::remove_file(directory.path().join("model.safetensors")).unwrap();
        let path = directory.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        let error = error(directory.path());
        assert!(error.contains(&format!("only weights for {kind}")), "{error}");
        assert!(error.contains("fetch the model's model.safetensors"), "{error}");
    }
}

#[test]
fn code_of_a_model_is_not_run() {
    let directory = bert();
    let auto_map = json!({"AutoModel": "modeling_x.XModel"});
    let config = "config.json";
    set(directory.path(), (config, &[("/auto_map", auto_map)]));
    open(directory.path());
    set(directory.path(), (config, &[("/model_type", json!("x"))]));
    let error = error(directory.path());
    assert!(error.contains("`auto_map` names, is never run") && error.contains("bert"), "{error}");
}

#[test]
fn models_that_are_no_sentence_encoders_are_named() {
    let directory = bert();
    let class = "sentence_transformers.sparse_encoder.models.SpladePooling";
    set(directory.path(), ("modules.json", &[("/1/type", json!(class))]));
    let sparse = error(directory.path());
    assert!(sparse.contains("a SparseEncoder") && sparse.contains(class), "{sparse}");

    let directory = bert();
    fs::remove_file(directory.path().join("modules.json")).unwrap();
    let architectures = json!(["BertForSequenceClassification"]);
    set(directory.path(), ("config.json", &[("/architectures", architectures)]));
    let scoring = error(directory.path());
    assert!(scoring.contains("a CrossEncoder") && scoring.contains("name a pooling"), "{scoring}");
    let options = OpenOptions::new().pooling(PoolingMode::Mean);
    assert!(options.open(directory.path(), &Device::flex()).is_ok());
}
