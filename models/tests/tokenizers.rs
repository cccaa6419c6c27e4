//! Options of tokenizer files: the token ids are those of sentence-transformers 6.2.0 with transformers
//! 5.24.0, for the same directories.

mod common;

use std::fs;

use burn::tensor::Device;
use burn_embedding_models::SentenceTransformer;
use common::{Change, assert_close, copy, expected, golden, open, rows, set, texts};
use serde_json::{Value, json};
use tempfile::TempDir;

const TEXT: &str = "The Cat sits on the Mat and then it runs 北京 away";

/// The token ids of a model in which some fields are changed, or why it cannot be opened.
fn ids(max_tokens: usize, changes: &[Change]) -> Result<Vec<u32>, String> {
    let directory = TempDir::new().unwrap();
    copy(&golden("bert"), directory.path());
    set(directory.path(), ("sentence_bert_config.json", &[("/max_seq_length", json!(max_tokens))]));
    for change in changes {
        set(directory.path(), *change);
    }
    let model = SentenceTransformer::open(directory.path(), &Device::flex());
    let model = model.map_err(|error| error.to_string())?;
    Ok(model.tokenizer.encode(vec![TEXT]).unwrap().rows.remove(0))
}

const CONFIG: &str = "tokenizer_config.json";
const FILE: &str = "tokenizer.json";

#[test]
fn long_texts_are_cut_on_the_side_that_the_files_name() {
    let right = [0, 4, 6, 8, 11, 4, 13, 20, 3, 3, 10, 2];
    let left = [0, 11, 4, 13, 20, 3, 3, 10, 3, 3, 3, 2];
    let truncation = json!(
        {"direction": "Left", "max_length": 512, "strategy": "LongestFirst", "stride": 0}
    );
    let of_file: Change = (FILE, &[("/truncation", truncation)]);
    assert_eq!(ids(12, &[]).unwrap(), right);
    assert_eq!(ids(12, &[(CONFIG, &[("/truncation_side", json!("left"))])]).unwrap(), left);
    assert_eq!(ids(12, &[of_file]).unwrap(), left);
    let back: Change = (CONFIG, &[("/truncation_side", json!("right"))]);
    assert_eq!(ids(12, &[of_file, back]).unwrap(), right);
}

#[test]
fn a_class_with_a_normalizer_of_its_own_takes_it_from_the_configuration() {
    let plain = [0, 4, 6, 8, 11, 4, 13, 20, 3, 3, 10, 3, 3, 3, 2].to_vec();
    let cased = [0, 3, 3, 8, 11, 4, 3, 20, 3, 3, 10, 3, 3, 3, 2].to_vec();
    let together = [0, 4, 6, 8, 11, 4, 13, 20, 3, 3, 10, 3, 3, 2].to_vec();
    for class in [json!("BertTokenizer"), json!("BertTokenizerFast"), Value::Null] {
        let with = |field: &str, value: Value| {
            let fields = [("/tokenizer_class", class.clone()), (field, value)];
            ids(40, &[(CONFIG, &fields)]).unwrap()
        };
        assert_eq!(with("/do_lower_case", json!(false)), cased, "{class}");
        assert_eq!(with("/tokenize_chinese_chars", json!(false)), together, "{class}");
        // Its defaults go before tokenizer.json.
        let change: Change = (FILE, &[("/normalizer/lowercase", json!(false))]);
        let of_class = [("/tokenizer_class", class.clone())];
        assert_eq!(ids(40, &[change, (CONFIG, &of_class)]).unwrap(), plain, "{class}");
    }
    for class in ["TokenizersBackend", "PreTrainedTokenizerFast"] {
        let fields = [("/tokenizer_class", json!(class)), ("/do_lower_case", json!(false))];
        assert_eq!(ids(40, &[(CONFIG, &fields)]).unwrap(), plain, "{class}");
        let change: Change = (FILE, &[("/normalizer/lowercase", json!(false))]);
        assert_eq!(ids(40, &[change, (CONFIG, &fields)]).unwrap(), cased, "{class}");
    }
}

#[test]
fn padding_on_the_left_is_refused_where_it_would_move_positions() {
    let padding = json!({
        "strategy": "BatchLongest", "direction": "Left", "pad_to_multiple_of": null, "pad_id": 0,
        "pad_type_id": 0, "pad_token": "[PAD]",
    });
    let of_config: Change = (CONFIG, &[("/padding_side", json!("left"))]);
    let of_file: Change = (FILE, &[("/padding", padding)]);
    for change in [of_config, of_file] {
        let error = ids(40, &[change]).unwrap_err();
        assert!(error.contains("set `padding_side` in tokenizer_config.json"), "{error}");
    }
    let right: Change = (CONFIG, &[("/padding_side", json!("right"))]);
    assert!(ids(40, &[of_file, right]).is_ok());
}

#[test]
fn the_padding_token_is_the_tokenizers() {
    let model = SentenceTransformer::open(golden("bert"), &Device::flex()).unwrap();
    let file: Value =
        serde_json::from_slice(&fs::read(golden("bert").join(FILE)).unwrap()).unwrap();
    let id = file["model"]["vocab"]["[PAD]"].as_u64().unwrap();
    assert_eq!(model.tokenizer.padding_id().map(u64::from), Some(id));
    let directory = TempDir::new().unwrap();
    copy(&golden("bert"), directory.path());
    set(directory.path(), (CONFIG, &[("/pad_token", json!({"content": "[SEP]"}))]));
    let model = SentenceTransformer::open(directory.path(), &Device::flex()).unwrap();
    let id = file["model"]["vocab"]["[SEP]"].as_u64().unwrap();
    assert_eq!(model.tokenizer.padding_id().map(u64::from), Some(id));
}

#[test]
fn tokens_without_an_embedding_are_refused_where_they_occur() {
    let directory = TempDir::new().unwrap();
    copy(&golden("bert"), directory.path());
    let path = directory.path().join(FILE);
    let mut file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let token = json!({
        "id": 44, "content": "<new>", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true,
    });
    file["added_tokens"].as_array_mut().unwrap().push(token);
    fs::write(path, file.to_string()).unwrap();
    let model = open(directory.path());
    let embeddings = rows(model.encode(&texts()).unwrap());
    assert_close(&embeddings, &expected("bert"), 1e-5, "bert");
    let long = format!("the {} <new>", "cat ".repeat(15));
    let error = model.encode(&["the cat", &long]).unwrap_err().to_string();
    assert!(error.contains("the id 44 (\"<new>\") in the text \"the cat cat"), "{error}");
    assert!(error.contains("44 word embeddings") && error.len() < 250, "{error}");
}

#[test]
fn limits_that_are_absent_or_absurd_are_those_of_the_network() {
    let file = "sentence_bert_config.json";
    for length in [json!(1e30), json!(1_000_000_000_000_000_000_u64), Value::Null] {
        let directory = TempDir::new().unwrap();
        copy(&golden("bert"), directory.path());
        set(directory.path(), (file, &[("/max_seq_length", length.clone())]));
        assert_eq!(open(directory.path()).tokenizer.max_tokens(), 40, "{length}");
        fs::write(
            directory.path().join(file),
            json!({"max_seq_length": length, "do_lower_case": null}).to_string(),
        )
        .unwrap();
        assert_eq!(open(directory.path()).tokenizer.max_tokens(), 40, "{length}");
    }
}

#[test]
fn prompts_may_be_null() {
    let file = "config_sentence_transformers.json";
    for prompts in [Value::Null, json!({"query": null, "document": null})] {
        let directory = TempDir::new().unwrap();
        copy(&golden("bert"), directory.path());
        let fields = json!({"prompts": prompts, "default_prompt_name": null});
        fs::write(directory.path().join(file), fields.to_string()).unwrap();
        let embeddings = rows(open(directory.path()).encode(&texts()).unwrap());
        assert_close(&embeddings, &expected("bert"), 1e-5, "bert");
    }
}
