//! Models of sentence-transformers: their embeddings are those of the Python library.

mod common;

use std::num::NonZeroUsize;

use burn::tensor::Device;
use burn_embedding_models::{OpenOptions, TextEncoder};
use common::{
    FAMILIES, assert_close, change_header, copy, expected, golden, open, rows, set, texts,
};
use serde_json::{Value, json};
use tempfile::TempDir;

#[test]
fn embeddings_are_those_of_sentence_transformers() {
    for family in FAMILIES {
        let model = open(&golden(family));
        let embeddings = rows(model.encode(&texts()).unwrap());
        assert_close(&embeddings, &expected(family), 1e-5, family);
    }
}

#[test]
fn embeddings_may_be_cut_to_their_first_values() {
    let whole = expected("bert");
    for (asked, kept) in [(5, 5), (16, 16), (100, 16)] {
        let options = OpenOptions::new().truncate_dim(NonZeroUsize::new(asked).unwrap());
        let model = options.open(golden("bert"), &Device::flex()).unwrap();
        assert_eq!((model.dimension(), model.encoder.dimension()), (kept, 16));
        assert_eq!(model.encode::<&str>(&[]).unwrap().dims(), [0, kept]);
        let cut: Vec<_> = whole.iter().map(|row| row[..kept].to_vec()).collect();
        assert_close(&rows(model.encode(&texts()).unwrap()), &cut, 1e-5, "bert");
    }
}

#[test]
fn the_size_of_a_batch_changes_no_embedding() {
    for family in FAMILIES {
        let model = open(&golden(family));
        let tokens = model.tokenize(&texts(), None).unwrap();
        let [alone, together] = [1, 100].map(|size| rows(model.embed(&tokens, size)));
        assert_close(&together, &alone, 1e-5, family);
    }
}

#[test]
fn a_layer_is_what_a_model_without_the_later_ones_gives() {
    let model = open(&golden("bert"));
    let tokens = model.tokenize(&texts(), None).unwrap();
    let count = model.encoder.layers();
    let all = model.encoder.embed_layers(&tokens.slices(), &Device::flex()).unwrap();
    let layers = all.chunk(count, 1);
    assert_eq!((layers.len(), layers[0].dims()), (3, [texts().len(), 16]));
    assert_close(&rows(layers[2].clone()), &expected("bert"), 1e-5, "the final layer");
    let directory = TempDir::new().unwrap();
    copy(&golden("bert"), directory.path());
    set(directory.path(), ("config.json", &[("/num_hidden_layers", 1.into())]));
    let shorter = open(directory.path()).encode(&texts()).unwrap();
    assert_close(&rows(layers[1].clone()), &rows(shorter), 1e-5, "the layer before");
    assert_ne!(rows(layers[0].clone()), rows(layers[1].clone()));
    // A pooling of layers is one embedding of all of them.
    let pooled = open(&golden("layers"));
    assert_eq!(pooled.encoder.layers(), 1);
    assert!(pooled.encoder.embed_layers(&tokens.slices(), &Device::flex()).is_none());
}

#[test]
fn texts_that_are_cut_are_counted() {
    let model = open(&golden("bert"));
    assert_eq!(model.tokenizer.max_tokens(), 24);
    let words = |count: usize| "the ".repeat(count);
    // Two of the tokens are the special ones.
    let tokens = model.tokenize(&[words(22), words(23), words(300)], None).unwrap();
    assert_eq!(tokens.cut, 2);
    let rows = rows(model.embed(&tokens, 2));
    assert_eq!(rows[1], rows[2]);
}

#[test]
fn no_texts_give_no_embeddings() {
    let model = open(&golden("bert"));
    assert_eq!(model.encode::<&str>(&[]).unwrap().dims(), [0, 16]);
}

#[test]
fn a_prompt_is_put_before_each_text() {
    let model = open(&golden("roberta"));
    assert_eq!(model.prompt(None).unwrap(), "the cat: ");
    assert_eq!(model.prompt(Some("document")).unwrap(), "");
    let error = model.prompt(Some("passage")).unwrap_err().to_string();
    assert!(error.contains("`passage` is no prompt of the model; it has document, query"));
}

#[test]
fn older_names_of_normalisations_are_understood() {
    let directory = tempfile::tempdir().unwrap();
    copy(&golden("bert"), directory.path());
    let weights = directory.path().join("model.safetensors");
    let rename = |header: &str| {
        let header = header.replace("LayerNorm.weight", "LayerNorm.gamma");
        header.replace("LayerNorm.bias", "LayerNorm.beta")
    };
    let renamed = change_header(&std::fs::read(&weights).unwrap(), rename);
    std::fs::write(&weights, renamed).unwrap();
    let model = open(directory.path());
    let embeddings = rows(model.encode(&texts()).unwrap());
    assert_close(&embeddings, &expected("bert"), 1e-5, "bert");
}

#[test]
fn a_model_loads_from_any_part_of_the_file_system() {
    let directory = tempfile::tempdir().unwrap();
    copy(&golden("mpnet"), directory.path());
    let model = open(directory.path());
    let embeddings = rows(model.encode(&texts()).unwrap());
    assert_close(&embeddings, &expected("mpnet"), 1e-5, "mpnet");
}

/// A safetensors file with a parameter under one more name, and zeros under the first.
fn moved(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let (start, data) = (8 + length, &bytes[8 + length..]);
    let mut tensor = header[from].clone();
    let offsets = tensor["data_offsets"].as_array().unwrap().iter();
    let offsets: Vec<usize> = offsets.map(|it| it.as_u64().unwrap() as usize).collect();
    let values = &data[offsets[0]..offsets[1]];
    tensor["data_offsets"] = json!([data.len(), data.len() + values.len()]);
    header[to] = tensor;
    let mut all = change_header(&bytes[..start], |_| header.to_string());
    all.extend_from_slice(&data[..offsets[0]]);
    all.extend(values.iter().map(|_| 0));
    all.extend_from_slice(&data[offsets[1]..]);
    all.extend_from_slice(values);
    all
}

#[test]
fn word_embeddings_of_t5_may_be_under_the_name_in_the_encoder() {
    let (name, other) = ("shared.weight", "encoder.embed_tokens.weight");
    let original = std::fs::read(golden("t5").join("model.safetensors")).unwrap();
    let renamed = change_header(&original, |header| header.replace(name, other));
    for bytes in [renamed, moved(&original, name, other)] {
        let directory = tempfile::tempdir().unwrap();
        copy(&golden("t5"), directory.path());
        std::fs::write(directory.path().join("model.safetensors"), bytes).unwrap();
        let model = open(directory.path());
        let embeddings = rows(model.encode(&texts()).unwrap());
        assert_close(&embeddings, &expected("t5"), 1e-5, "t5");
    }
}

#[test]
fn the_side_of_padding_is_free_where_only_distances_count() {
    for family in ["deberta-v3", "t5", "umt5"] {
        let directory = tempfile::tempdir().unwrap();
        copy(&golden(family), directory.path());
        let side = [("/padding_side", json!("left"))];
        set(directory.path(), ("tokenizer_config.json", &side));
        let embeddings = rows(open(directory.path()).encode(&texts()).unwrap());
        assert_close(&embeddings, &expected(family), 1e-5, family);
    }
}

#[test]
fn every_pooling_is_that_of_sentence_transformers() {
    let file = std::fs::read(golden("pooling.json")).unwrap();
    let expected: Value = serde_json::from_slice(&file).unwrap();
    let texts: Vec<String> = serde_json::from_value(expected["texts"].clone()).unwrap();
    for case in expected["cases"].as_array().unwrap() {
        let directory = tempfile::tempdir().unwrap();
        copy(&golden(case["family"].as_str().unwrap_or("bert")), directory.path());
        let path = directory.path().join("modules.json");
        let modules: Vec<Value> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        // Without the normalisation.
        std::fs::write(path, json!(modules[..2]).to_string()).unwrap();
        let side = case.get("side").map(|side| ("/padding_side", side.clone()));
        set(directory.path(), ("tokenizer_config.json", side.as_slice()));
        let prompt = &case["prompt"];
        let config = json!({
            "word_embedding_dimension": 16,
            "pooling_mode": case["mode"],
            "include_prompt": prompt.is_null(),
        });
        let path = directory.path().join("1_Pooling/config.json");
        std::fs::write(path, config.to_string()).unwrap();
        let settings = json!({"prompts": {"usual": prompt}, "default_prompt_name": "usual"});
        let path = directory.path().join("config_sentence_transformers.json");
        std::fs::write(path, settings.to_string()).unwrap();
        let found = rows(open(directory.path()).encode(&texts).unwrap());
        let expected: Vec<Vec<f32>> = serde_json::from_value(case["embeddings"].clone()).unwrap();
        assert_close(
            &found,
            &expected,
            1e-5,
            &format!("{}, {prompt}, {}", case["mode"], case["family"]),
        );
    }
}

#[test]
fn a_text_without_tokens_is_a_zero_vector_as_in_a_batch_of_python() {
    let texts = ["the cat sits", "", "the"].map(String::from);
    for family in
        ["bert", "mpnet", "electra", "modernbert", "qwen3", "llama", "gemma3", "gemma3-causal"]
    {
        let directory = tempfile::tempdir().unwrap();
        copy(&golden(family), directory.path());
        set(directory.path(), ("tokenizer.json", &[("/post_processor", Value::Null)]));
        let class = [("/tokenizer_class", json!("PreTrainedTokenizerFast"))];
        set(directory.path(), ("tokenizer_config.json", &class));
        for mode in ["max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"] {
            let path = directory.path().join("1_Pooling/config.json");
            std::fs::write(path, json!({"pooling_mode": mode}).to_string()).unwrap();
            let model = open(directory.path());
            let found = rows(model.encode(&texts).unwrap());
            assert!(found[1].iter().all(|value| *value == 0.0), "{family}, {mode}: {:?}", found[1]);
            let alone = rows(model.encode(&texts[..1]).unwrap());
            assert_close(&found[..1], &alone, 1e-5, family);
            assert_eq!(rows(model.encode(&texts[1..2]).unwrap())[0], found[1]);
        }
    }
}
