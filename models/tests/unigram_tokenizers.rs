//! Classes of transformers that take only the vocabulary of tokenizer.json: the token ids are those of
//! sentence-transformers 6.2.0 with transformers 5.24.0, for the same directories.

mod common;

use burn::tensor::Device;
use burn_embedding_models::SentenceTransformer;
use common::{copy, golden, set};
use serde_json::{Value, json};
use tempfile::TempDir;

const TEXT: &str = "The  cat's ``mat''\tsits, in the é river ’ Ü ﬁ on  ";

/// A model, fields of its tokenizer_config.json, whether tokenizer.json loses its template, and the ids.
type Case<'a> = (&'a str, Value, bool, &'a [u32]);

/// The ids of the text in a model whose files are changed.
fn ids(family: &str, fields: &Value, without_template: bool) -> Vec<u32> {
    let directory = TempDir::new().unwrap();
    copy(&golden(family), directory.path());
    for (name, value) in fields.as_object().unwrap() {
        let field = (format!("/{name}"), value.clone());
        set(directory.path(), ("tokenizer_config.json", &[(&field.0, field.1)]));
    }
    if without_template {
        set(directory.path(), ("tokenizer.json", &[("/post_processor", Value::Null)]));
    }
    let model = SentenceTransformer::open(directory.path(), &Device::flex()).unwrap();
    model.tokenizer.encode(vec![TEXT]).unwrap().rows.remove(0)
}

#[test]
fn classes_build_what_is_around_the_vocabulary() {
    let cases: &[Case] = &[
        (
            "albert",
            json!({"tokenizer_class": "AlbertTokenizer"}),
            false,
            &[
                0, 4, 6, 1, 24, 23, 1, 36, 30, 40, 1, 8, 42, 22, 4, 23, 34, 15, 23, 1, 23, 1, 23,
                1, 11, 2,
            ],
        ),
        (
            "albert",
            json!({"tokenizer_class": "AlbertTokenizer"}),
            true,
            &[
                0, 4, 6, 1, 24, 23, 1, 36, 30, 40, 1, 8, 42, 22, 4, 23, 34, 15, 23, 1, 23, 1, 23,
                1, 11, 2,
            ],
        ),
        (
            "albert",
            json!({"tokenizer_class": null}),
            false,
            &[
                0, 4, 6, 1, 24, 23, 1, 36, 30, 40, 1, 8, 42, 22, 4, 23, 34, 15, 23, 1, 23, 1, 23,
                1, 11, 2,
            ],
        ),
        (
            "albert",
            json!({"tokenizer_class": "AlbertTokenizerFast", "do_lower_case": false}),
            false,
            &[
                0, 23, 1, 34, 6, 1, 24, 23, 1, 36, 30, 40, 1, 8, 42, 22, 4, 23, 34, 15, 23, 1, 23,
                1, 23, 1, 11, 2,
            ],
        ),
        (
            "albert",
            json!({"tokenizer_class": "AlbertTokenizer", "keep_accents": true}),
            false,
            &[
                0, 4, 6, 1, 24, 23, 1, 36, 30, 40, 1, 8, 42, 22, 4, 23, 1, 15, 23, 1, 23, 1, 23, 1,
                11, 2,
            ],
        ),
        (
            "albert",
            json!({"tokenizer_class": "AlbertTokenizer", "add_prefix_space": false}),
            false,
            &[
                0, 40, 1, 34, 32, 30, 40, 1, 24, 1, 36, 30, 40, 1, 24, 1, 40, 24, 42, 1, 37, 40, 1,
                34, 34, 39, 1, 27, 1, 1, 1, 38, 37, 2,
            ],
        ),
        (
            "albert",
            json!({"tokenizer_class": "TokenizersBackend", "do_lower_case": false}),
            false,
            &[
                0, 23, 3, 34, 6, 3, 24, 23, 3, 36, 30, 40, 3, 24, 3, 40, 24, 42, 22, 4, 23, 3, 15,
                23, 3, 23, 3, 23, 3, 11, 23, 2,
            ],
        ),
        (
            "camembert",
            json!({"tokenizer_class": "CamembertTokenizer"}),
            false,
            &[
                0, 23, 3, 34, 6, 3, 24, 23, 3, 36, 30, 40, 3, 8, 42, 22, 4, 23, 3, 15, 23, 3, 23,
                3, 23, 3, 11, 2,
            ],
        ),
        (
            "camembert",
            json!({"tokenizer_class": "CamembertTokenizer"}),
            true,
            &[
                0, 23, 3, 34, 6, 3, 24, 23, 3, 36, 30, 40, 3, 8, 42, 22, 4, 23, 3, 15, 23, 3, 23,
                3, 23, 3, 11, 2,
            ],
        ),
        (
            "camembert",
            json!({"tokenizer_class": "CamembertTokenizerFast", "add_prefix_space": false}),
            false,
            &[
                0, 3, 34, 32, 30, 40, 3, 24, 3, 36, 30, 40, 3, 24, 3, 40, 24, 42, 3, 37, 40, 3, 34,
                3, 39, 3, 27, 2,
            ],
        ),
        (
            "camembert",
            json!({"tokenizer_class": null}),
            false,
            &[
                0, 23, 3, 34, 6, 3, 24, 23, 3, 36, 30, 40, 3, 8, 42, 22, 4, 23, 3, 15, 23, 3, 23,
                3, 23, 3, 11, 2,
            ],
        ),
        (
            "camembert",
            json!({"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": true}),
            false,
            &[
                0, 23, 3, 34, 6, 3, 24, 23, 3, 36, 30, 40, 3, 24, 3, 40, 24, 42, 22, 4, 23, 3, 15,
                23, 3, 23, 3, 2,
            ],
        ),
        (
            "xlm-roberta",
            json!({"tokenizer_class": "XLMRobertaTokenizer"}),
            false,
            &[0, 4, 6, 3, 24, 23, 3, 36, 30, 40, 3, 8, 42, 22, 4, 23, 3, 2],
        ),
        (
            "xlm-roberta",
            json!({"tokenizer_class": null}),
            false,
            &[0, 4, 6, 3, 24, 23, 3, 36, 30, 40, 3, 8, 42, 22, 4, 23, 3, 2],
        ),
        (
            "xlm-roberta",
            json!({"tokenizer_class": "XLMRobertaTokenizerFast", "add_prefix_space": false}),
            false,
            &[0, 40, 3, 34, 32, 30, 40, 3, 24, 3, 36, 30, 40, 3, 24, 3, 40, 2],
        ),
        (
            "deberta-v3",
            json!({"tokenizer_class": "DebertaV2Tokenizer"}),
            false,
            &[
                0, 23, 3, 34, 6, 3, 24, 23, 3, 36, 30, 40, 3, 8, 42, 22, 4, 23, 3, 15, 23, 3, 23,
                3, 23, 3, 11, 2,
            ],
        ),
        (
            "deberta-v3",
            json!({"tokenizer_class": "DebertaV2Tokenizer"}),
            true,
            &[
                0, 23, 3, 34, 6, 3, 24, 23, 3, 36, 30, 40, 3, 8, 42, 22, 4, 23, 3, 15, 23, 3, 23,
                3, 23, 3, 11, 2,
            ],
        ),
        (
            "deberta-v3",
            json!({"tokenizer_class": null}),
            false,
            &[
                0, 23, 3, 34, 6, 3, 24, 23, 3, 36, 30, 40, 3, 8, 42, 22, 4, 23, 3, 15, 23, 3, 23,
                3, 23, 3, 11, 2,
            ],
        ),
        (
            "deberta-v3",
            json!({"tokenizer_class": "DebertaV2TokenizerFast", "do_lower_case": true}),
            false,
            &[
                0, 4, 6, 3, 24, 23, 3, 36, 30, 40, 3, 8, 42, 22, 4, 23, 3, 15, 23, 3, 23, 3, 23, 3,
                11, 2,
            ],
        ),
        (
            "deberta-v3",
            json!({"tokenizer_class": "DebertaV2Tokenizer", "split_by_punct": true}),
            false,
            &[
                0, 23, 3, 34, 6, 23, 3, 23, 24, 23, 23, 3, 23, 3, 13, 23, 3, 23, 3, 8, 23, 42, 22,
                4, 23, 3, 15, 23, 23, 3, 23, 3, 23, 3, 11, 2,
            ],
        ),
        (
            "deberta-v3",
            json!({"tokenizer_class": "DebertaV2Tokenizer", "add_prefix_space": false}),
            false,
            &[
                0, 23, 3, 34, 6, 3, 24, 23, 3, 36, 30, 40, 3, 8, 42, 22, 4, 23, 3, 15, 23, 3, 23,
                3, 23, 3, 11, 2,
            ],
        ),
        (
            "deberta-v3",
            json!({"tokenizer_class": "TokenizersBackend", "do_lower_case": true}),
            false,
            &[
                0, 23, 3, 34, 6, 3, 24, 23, 3, 36, 30, 40, 3, 24, 3, 40, 24, 42, 22, 4, 23, 3, 15,
                23, 3, 23, 3, 23, 3, 11, 23, 2,
            ],
        ),
        (
            "t5",
            json!({"tokenizer_class": "T5Tokenizer"}),
            false,
            &[
                23, 2, 34, 6, 2, 24, 23, 2, 36, 30, 40, 2, 8, 42, 22, 4, 23, 2, 15, 23, 2, 23, 2,
                23, 2, 11, 1,
            ],
        ),
        (
            "t5",
            json!({"tokenizer_class": "T5Tokenizer"}),
            true,
            &[
                23, 2, 34, 6, 2, 24, 23, 2, 36, 30, 40, 2, 8, 42, 22, 4, 23, 2, 15, 23, 2, 23, 2,
                23, 2, 11, 1,
            ],
        ),
        (
            "t5",
            json!({"tokenizer_class": null}),
            false,
            &[
                23, 2, 34, 6, 2, 24, 23, 2, 36, 30, 40, 2, 8, 42, 22, 4, 23, 2, 15, 23, 2, 23, 2,
                23, 2, 11, 1,
            ],
        ),
        (
            "t5",
            json!({"tokenizer_class": "T5TokenizerFast", "add_prefix_space": false}),
            false,
            &[
                23, 2, 34, 6, 2, 24, 23, 2, 36, 30, 40, 2, 8, 42, 22, 4, 23, 2, 15, 23, 2, 23, 2,
                23, 2, 11, 1,
            ],
        ),
        (
            "umt5",
            json!({"tokenizer_class": "T5Tokenizer"}),
            false,
            &[
                23, 3, 34, 6, 3, 24, 23, 3, 36, 30, 40, 3, 24, 3, 40, 24, 42, 22, 4, 23, 3, 15, 23,
                3, 23, 3, 23, 3, 11, 23, 1,
            ],
        ),
        (
            "umt5",
            json!({"tokenizer_class": "T5Tokenizer"}),
            true,
            &[
                23, 3, 34, 6, 3, 24, 23, 3, 36, 30, 40, 3, 24, 3, 40, 24, 42, 22, 4, 23, 3, 15, 23,
                3, 23, 3, 23, 3, 11, 23,
            ],
        ),
        (
            "umt5",
            json!({"tokenizer_class": null}),
            false,
            &[
                23, 3, 34, 6, 3, 24, 23, 3, 36, 30, 40, 3, 24, 3, 40, 24, 42, 22, 4, 23, 3, 15, 23,
                3, 23, 3, 23, 3, 11, 23, 1,
            ],
        ),
        (
            "mt5",
            json!({"tokenizer_class": null}),
            false,
            &[
                23, 2, 34, 6, 2, 24, 23, 2, 36, 30, 40, 2, 8, 42, 22, 4, 23, 2, 15, 23, 2, 23, 2,
                23, 2, 11, 1,
            ],
        ),
    ];
    for (family, fields, without_template, expected) in cases {
        let found = ids(family, fields, *without_template);
        assert_eq!(found, *expected, "{family}, {fields}, {without_template}");
    }
}

#[test]
fn a_template_with_a_token_that_is_not_there_is_refused() {
    for (piece, message) in [
        (json!({"SpecialToken": {"id": "<x>", "type_id": 0}}), "its template names \"<x>\""),
        (json!({"Sequence": {"id": "B", "type_id": 0}}), "names the sequence \"B\""),
    ] {
        let directory = TempDir::new().unwrap();
        copy(&golden("bert"), directory.path());
        set(directory.path(), ("tokenizer.json", &[("/post_processor/single", json!([piece]))]));
        let error = SentenceTransformer::open(directory.path(), &Device::flex()).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}
