//! Texts far beyond the limit: only a part is read, and the tokens are those of the whole.

mod common;

use burn::tensor::Device;
use burn_embedding_models::{CrossEncoder, SentenceTransformer};
use common::{copy, golden, open, set};
use serde_json::json;
use tempfile::TempDir;
use tokenizers::Tokenizer;

const LIMIT: usize = 12;

/// A text of 400,000 bytes.
fn text(words: &str) -> String {
    words.repeat(400_000_usize.div_ceil(words.len()))
}

/// The ids that the whole text gives, by the `tokenizers` crate alone.
fn whole(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    tokenizer.encode_fast(text, true).unwrap().get_ids().to_vec()
}

#[test]
fn the_tokens_of_a_long_text_are_those_of_the_whole() {
    let texts = [
        text("The cat sits on the mat, and then it runs 北京 away. "),
        text("cat"),
        text("a \u{200b}\u{1}\t\n\u{3000}"),
        text(" ") + "the cat",
        format!("{}the cat{}", text(" "), text(" ")),
        text("ünïcödé, dogs; "),
    ];
    for family in ["bert", "mpnet", "t5", "xlm-roberta", "modernbert"] {
        for side in ["right", "left"] {
            let directory = TempDir::new().unwrap();
            copy(&golden(family), directory.path());
            set(
                directory.path(),
                ("sentence_bert_config.json", &[("/max_seq_length", json!(LIMIT))]),
            );
            set(directory.path(), ("tokenizer_config.json", &[("/truncation_side", json!(side))]));
            let model = SentenceTransformer::open(directory.path(), &Device::flex()).unwrap();
            assert_eq!(model.tokenizer.max_tokens(), LIMIT);
            let file = directory.path().join("whole.json");
            model.tokenizer.save(&file).unwrap();
            let tokenizer = Tokenizer::from_file(file).unwrap();
            for text in &texts {
                let tokens = model.tokenizer.encode(vec![text]).unwrap();
                let start: String = text.chars().take(20).collect();
                let expected = whole(&tokenizer, text);
                assert_eq!(tokens.rows[0], expected, "{family}, {side}: {start:?}");
            }
            let tokens = model.tokenizer.encode(vec![&texts[0], "the cat"]).unwrap();
            assert_eq!(tokens.cut, 1, "{family}");
        }
    }
}

#[test]
fn the_tokens_of_a_long_pair_are_those_of_the_whole() {
    let long = text("The cat sits on the mat, and then it runs 北京 away. ");
    let other = text("a dog runs, ");
    let pairs = [
        (&long[..], "the dog"),
        ("the dog", &long),
        (&long, &other),
        (&other, &long),
        (&long, "the dog runs on the mat and under the old tree in the river"),
        (&long, ""),
    ];
    for family in ["cross-bert", "cross-roberta", "cross-modernbert"] {
        for side in ["right", "left"] {
            let directory = TempDir::new().unwrap();
            copy(&golden(family), directory.path());
            let options = [("/truncation_side", json!(side)), ("/model_max_length", json!(LIMIT))];
            set(directory.path(), ("tokenizer_config.json", &options));
            let model = CrossEncoder::open(directory.path(), &Device::flex()).unwrap();
            let file = directory.path().join("whole.json");
            model.tokenizer.save(&file).unwrap();
            let tokenizer = Tokenizer::from_file(file).unwrap();
            for pair in pairs {
                let tokens = model.tokenizer.encode_pairs(vec![pair], 0).unwrap();
                let expected = tokenizer.encode_fast(pair, true).unwrap().get_ids().to_vec();
                let starts = [pair.0, pair.1].map(|text| &text[..text.len().min(12)]);
                assert_eq!(tokens.rows[0], expected, "{family}, {side}: {starts:?}");
            }
        }
    }
}

#[test]
fn a_table_reads_whole_texts_up_to_a_length() {
    let model = open(&golden("model2vec"));
    let texts = ["cat ".repeat(5 << 20)];
    let error = model.encode(&texts).unwrap_err().to_string();
    assert!(error.contains("a text has 20971520 bytes") && error.contains("split it"), "{error}");
}
