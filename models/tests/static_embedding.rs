//! New tables of vectors: for the tokens of another model, and saved for other programs.

mod common;

use std::num::NonZeroUsize;

use burn::tensor::Device;
use burn_embedding_models::{SentenceTransformer, Tokenizer};
use common::{golden, open, rows, texts};

fn table(family: &str) -> SentenceTransformer {
    let tokenizer = Tokenizer::of_model(golden(family)).unwrap();
    let dimension = NonZeroUsize::new(64).unwrap();
    SentenceTransformer::static_embedding(tokenizer, dimension, &Device::flex()).unwrap()
}

#[test]
fn a_new_table_is_drawn_from_the_standard_normal_distribution() {
    let device = Device::flex();
    device.seed(7);
    let model = table("bert");
    let (texts, size) = (model.tokenizer.vocabulary(), model.dimension());
    let ids: Vec<[u32; 1]> = (0..texts as u32).map(|id| [id]).collect();
    let rows: Vec<&[u32]> = ids.iter().map(|row| &row[..]).collect();
    let vectors = burn_embedding_models::TextEncoder::embed(&model.encoder, &rows, &device);
    assert_eq!(vectors.dims(), [texts, size]);
    let values: Vec<f64> = vectors.into_data().iter().collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let square = values.iter().map(|value| value * value).sum::<f64>() / count;
    // Three standard deviations of each.
    assert!(mean.abs() < 3.0 / count.sqrt(), "{mean}");
    assert!((square - 1.0).abs() < 3.0 * (2.0 / count).sqrt(), "{square}");
}

#[test]
fn an_embedding_is_the_mean_of_its_tokens() {
    let model = table("bert");
    let rows = rows(model.encode(&["the cat", "the", "cat"]).unwrap());
    for (mean, (the, cat)) in rows[0].iter().zip(rows[1].iter().zip(&rows[2])) {
        assert!((mean - (the + cat) / 2.0).abs() < 1e-6);
    }
}

#[test]
fn a_saved_table_is_the_same_table() {
    for family in ["bert", "roberta", "t5", "qwen3", "static"] {
        let directory = tempfile::tempdir().unwrap();
        let saved = directory.path().join("saved");
        let model = table(family);
        model.save(&saved).unwrap();
        let expected = rows(model.encode(&texts()).unwrap());
        assert_eq!(rows(open(&saved).encode(&texts()).unwrap()), expected, "{family}");
    }
}
