//! The small files of a model: what they make of a text is what sentence-transformers 6.2.0 makes of it, or they are
//! refused by name.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use burn::tensor::Device;
use burn_embedding_models::{OpenOptions, PoolingMode, SentenceTransformer};
use common::{assert_close, copy, golden, rows, texts};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

const OPTIONS: &str = "tokenizer_config.json";
const SETTINGS: &str = "sentence_bert_config.json";

/// The fields of files, by pointers; null takes one away, but for those of tokenizer.json.
type Changes = BTreeMap<String, Map<String, Value>>;

/// What Python found, from `goldens/settings.py`.
#[derive(Deserialize)]
struct Case {
    family: String,
    files: Changes,
    text: String,
    ids: Vec<u32>,
}

fn change(file: &Path, fields: &Map<String, Value>) {
    let bytes = fs::read(file).unwrap_or_else(|_| b"{}".to_vec());
    let mut content: Value = serde_json::from_slice(&bytes).unwrap();
    for (pointer, value) in fields {
        let (parent, name) = pointer.rsplit_once('/').unwrap_or(("", pointer));
        let parent = content.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            Value::Null if !file.ends_with("tokenizer.json") => parent.remove(name),
            value => parent.insert(name.to_string(), value.clone()),
        };
    }
    fs::write(file, content.to_string()).unwrap();
}

/// A model whose files are changed.
fn changed(family: &str, files: &Value) -> TempDir {
    let directory = TempDir::new().unwrap();
    copy(&golden(family), directory.path());
    let files: Changes = serde_json::from_value(files.clone()).unwrap();
    files.iter().for_each(|(file, fields)| change(&directory.path().join(file), fields));
    directory
}

fn open(directory: &TempDir) -> SentenceTransformer {
    SentenceTransformer::open(directory.path(), &Device::flex()).unwrap()
}

fn embeddings(model: &SentenceTransformer) -> Vec<Vec<f32>> {
    rows(model.encode(&texts()).unwrap())
}

fn refused(family: &str, files: &Value) -> String {
    let directory = changed(family, files);
    let error = SentenceTransformer::open(directory.path(), &Device::flex()).unwrap_err();
    error.to_string()
}

#[test]
fn ids_are_those_of_python() {
    let cases: Vec<Case> =
        serde_json::from_slice(&fs::read(golden("settings.json")).unwrap()).unwrap();
    for Case { family, files, text, ids } in cases {
        let files = serde_json::to_value(&files).unwrap();
        let model = open(&changed(&family, &files));
        let found = model.tokenizer.encode(vec![&text]).unwrap().rows.remove(0);
        assert_eq!(found, ids, "{family}: {files}");
    }
}

#[test]
fn what_is_not_done_is_refused_by_name() {
    let typed = json!([
        {"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 1}},
        {"SpecialToken": {"id": "[SEP]", "type_id": 1}},
    ]);
    let names = json!(["input_ids", "token_type_ids", "attention_mask"]);
    let modalities = json!({"text": {"method": "forward"}, "message": {"method": "forward"}});
    for (files, message) in [
        (
            json!({OPTIONS: {"chat_template": "{{ messages }}"}, SETTINGS: {"modality_config": modalities}}),
            "tokenizer_config.json: a chat template",
        ),
        (json!({OPTIONS: {"split_special_tokens": true}}), "`split_special_tokens` true"),
        (
            json!({"tokenizer.json": {"/post_processor/single": typed}, OPTIONS: {"model_input_names": names}}),
            "tokenizer.json: its post-processor gives tokens of a single text another type than 0",
        ),
        (
            json!({SETTINGS: {"processing_kwargs": {"text": {"max_length": 8}}}}),
            "`processing_kwargs` has \"text\"",
        ),
        (
            json!({SETTINGS: {"modality_config": {"text": {"method_output_name": ["hidden_states", -2]}}}}),
            "`method_output_name` is [\"hidden_states\",-2]",
        ),
        (
            json!({OPTIONS: {"model_max_length": "many"}}),
            "tokenizer_config.json: `model_max_length`: invalid type: string \"many\"",
        ),
        (
            json!({SETTINGS: {"do_lower_case": 3}}),
            "sentence_bert_config.json: `do_lower_case`: invalid type: integer `3`",
        ),
        (
            json!({OPTIONS: {"model_input_names": ["input_ids"]}}),
            "`model_input_names` lacks \"attention_mask\"",
        ),
        (
            json!({OPTIONS: {"tokenizer_class": "LlamaTokenizer"}}),
            "tokenizer.json: its vocabulary is of the kind WordPiece, and the tokenizer's class takes BPE",
        ),
        (
            json!({OPTIONS: {"tokenizer_class": "PhobertTokenizer"}}),
            "tokenizer_config.json: the tokenizer PhobertTokenizer is not supported",
        ),
        (
            json!({OPTIONS: {"tokenizer_class": "FunnelTokenizerFast"}}),
            "set `tokenizer_class` to \"PreTrainedTokenizerFast\"",
        ),
    ] {
        let error = refused("bert", &files);
        assert!(error.contains(message), "{error}");
    }
    let directory = changed("bert", &json!({}));
    let modules = directory.path().join("modules.json");
    let text = fs::read_to_string(&modules).unwrap();
    fs::write(&modules, text.replace("\"name\": \"1\"", "\"name\": \"0\"")).unwrap();
    let error = SentenceTransformer::open(directory.path(), &Device::flex()).unwrap_err();
    assert!(error.to_string().contains("two modules have the name \"0\""), "{error}");
}

#[test]
fn numbers_that_only_python_reads_are_named() {
    let directory = changed("bert", &json!({}));
    let path = directory.path().join("config.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("1e-05", "NaN")).unwrap();
    let error = SentenceTransformer::open(directory.path(), &Device::flex()).unwrap_err();
    assert!(
        error.to_string().ends_with(": NaN is no number of JSON; write one in its place"),
        "{error}"
    );
}

#[test]
fn a_chat_template_is_used_where_python_talks() {
    let template = json!({OPTIONS: {"chat_template": "{{ messages }}"}});
    // Saved before sentence-transformers had messages: texts are read as they are.
    let directory = changed("bert", &template);
    assert_eq!(embeddings(&open(&directory)), embeddings(&open(&changed("bert", &json!({})))));
    fs::remove_file(directory.path().join("modules.json")).unwrap();
    let plain = OpenOptions::new().pooling(PoolingMode::Mean);
    let error = plain.clone().open(directory.path(), &Device::flex()).unwrap_err();
    assert!(error.to_string().contains("a chat template"), "{error}");
    let bare = changed("bert", &json!({}));
    fs::remove_file(bare.path().join("modules.json")).unwrap();
    fs::write(bare.path().join("chat_template.jinja"), "{{ messages }}").unwrap();
    let error = plain.open(bare.path(), &Device::flex()).unwrap_err();
    assert!(error.to_string().contains("chat_template.jinja: a chat template"), "{error}");
}

#[test]
fn fields_for_the_configuration_go_before_its_own() {
    let given = changed("bert", &json!({SETTINGS: {"config_args": {"num_hidden_layers": 1}}}));
    let own = changed("bert", &json!({"config.json": {"num_hidden_layers": 1}}));
    let found = embeddings(&open(&given));
    assert_eq!(found, embeddings(&open(&own)));
    assert_ne!(found, embeddings(&open(&changed("bert", &json!({})))));
}

#[test]
fn a_type_of_scaling_under_its_old_name_is_none_where_the_family_has_its_own() {
    let scaling = json!({"config.json": {"rope_scaling": {"type": "linear", "factor": 4.0}}});
    let both = |family| [&scaling, &json!({})].map(|it| embeddings(&open(&changed(family, it))));
    let [scaled, bare] = both("modernbert");
    assert_close(&scaled, &bare, 1e-6, "modernbert");
    let [scaled, bare] = both("llama");
    assert_ne!(scaled, bare);
}

#[test]
fn a_plain_directory_has_no_settings_of_sentence_transformers() {
    let options = OpenOptions::new().pooling(PoolingMode::Mean);
    let opened = |changes: &Value| {
        let directory = changed("bert", changes);
        fs::remove_file(directory.path().join("modules.json")).unwrap();
        let model = options.clone().open(directory.path(), &Device::flex()).unwrap();
        (model.tokenizer.max_tokens(), embeddings(&model))
    };
    let settings = json!({
        SETTINGS: {"max_seq_length": 4},
        "config_sentence_transformers.json": {
            "prompts": {"query": "the river "}, "default_prompt_name": "query",
        },
    });
    assert_eq!(opened(&settings), opened(&json!({})));
}
