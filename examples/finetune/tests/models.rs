//! Models of sentence-transformers: their embeddings are those of the Python library.

mod common;

use burn::tensor::Device;
use common::{FAMILIES, change_header, copy, golden, texts};
use finetune::encode::{Embedded, embed};
use finetune::model::Pretrained;

fn encode(model: &Pretrained, texts: &[String], batch_size: usize) -> Embedded {
    let prompt = model.prompt(None).unwrap();
    let texts: Vec<_> = texts.iter().map(|text| format!("{prompt}{text}")).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    embed(model, &texts, batch_size, &Device::flex()).unwrap()
}

fn expected(family: &str) -> Vec<Vec<f32>> {
    let file = std::fs::read(golden(family).join("expected.json")).unwrap();
    serde_json::from_slice(&file).unwrap()
}

fn assert_close(found: &Embedded, expected: &[Vec<f32>], tolerance: f32, what: &str) {
    assert_eq!(found.rows().count(), expected.len());
    for (row, (found, expected)) in found.rows().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            let difference = (found - expected).abs();
            assert!(difference <= tolerance, "{what}, text {row}: {found} is not {expected}");
        }
    }
}

#[test]
fn embeddings_are_those_of_sentence_transformers() {
    for family in FAMILIES {
        let model = Pretrained::load(&golden(family), &Device::flex()).unwrap();
        assert_close(&encode(&model, &texts(), 4), &expected(family), 1e-5, family);
    }
}

#[test]
fn the_size_of_a_batch_changes_no_embedding() {
    for family in FAMILIES {
        let model = Pretrained::load(&golden(family), &Device::flex()).unwrap();
        let alone = encode(&model, &texts(), 1);
        let alone: Vec<_> = alone.rows().map(<[f32]>::to_vec).collect();
        assert_close(&encode(&model, &texts(), 100), &alone, 1e-5, family);
    }
}

#[test]
fn texts_that_are_cut_are_counted() {
    let model = Pretrained::load(&golden("bert"), &Device::flex()).unwrap();
    assert_eq!(model.max_tokens, 24);
    let words = |count: usize| "the ".repeat(count);
    // Two of the tokens are the special ones.
    let embedded = encode(&model, &[words(22), words(23), words(300)], 2);
    assert_eq!(embedded.cut, 2);
    let rows: Vec<_> = embedded.rows().collect();
    assert_eq!(rows[1], rows[2]);
}

#[test]
fn a_prompt_is_put_before_each_text() {
    let model = Pretrained::load(&golden("roberta"), &Device::flex()).unwrap();
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
    let model = Pretrained::load(directory.path(), &Device::flex()).unwrap();
    assert_close(&encode(&model, &texts(), 4), &expected("bert"), 1e-5, "bert");
}

#[test]
fn a_model_loads_from_any_part_of_the_file_system() {
    let directory = tempfile::tempdir().unwrap();
    copy(&golden("mpnet"), directory.path());
    let model = Pretrained::load(directory.path(), &Device::flex()).unwrap();
    assert_close(&encode(&model, &texts(), 4), &expected("mpnet"), 1e-5, "mpnet");
}
