//! Models that score text pairs: scores and gradients are those of the Python library, before and after they are
//! saved.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use burn::tensor::Device;
use burn_embedding_models::cross_encoder::Labels;
use burn_embedding_models::{CrossEncoder, OpenOptions, TextEncoder};
use common::{assert_close, copy, golden, named, rows, set, weighted_squares};
use serde_json::{Value, json};
use tempfile::TempDir;

const FAMILIES: [&str; 8] =
    ["bert", "roberta", "distilbert", "electra", "albert", "mpnet", "deberta-v3", "modernbert"];

fn pairs() -> Vec<(String, String)> {
    serde_json::from_slice(&fs::read(golden("pairs.json")).unwrap()).unwrap()
}

fn directory(family: &str) -> std::path::PathBuf {
    golden(&format!("cross-{family}"))
}

fn expected(family: &str) -> Vec<Vec<f32>> {
    let file = fs::read(directory(family).join("expected.json")).unwrap();
    serde_json::from_slice(&file).unwrap()
}

fn open(directory: &Path) -> Result<CrossEncoder, String> {
    CrossEncoder::open(directory, &Device::flex()).map_err(|error| error.to_string())
}

#[test]
fn scores_are_those_of_sentence_transformers() {
    for family in FAMILIES {
        let model = open(&directory(family)).unwrap();
        let expected = expected(family);
        assert_eq!(model.labels(), expected[0].len(), "{family}");
        assert_close(&rows(model.predict(&pairs()).unwrap()), &expected, 1e-5, family);
    }
}

#[test]
fn a_saved_model_gives_the_same_scores() {
    for family in FAMILIES {
        let place = TempDir::new().unwrap();
        let saved = place.path().join("saved");
        open(&directory(family)).unwrap().save(&saved).unwrap();
        let model = open(&saved).unwrap();
        assert_close(&rows(model.predict(&pairs()).unwrap()), &expected(family), 1e-5, family);
        let names = |directory: &Path| {
            let file = fs::read(directory.join("model.safetensors")).unwrap();
            let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
            let header: BTreeMap<String, Value> =
                serde_json::from_slice(&file[8..8 + length]).unwrap();
            let shape = |(name, it): (String, Value)| (name, it["shape"].clone());
            header.into_iter().map(shape).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(names(&saved), names(&directory(family)), "{family}");
    }
}

#[test]
fn gradients_are_those_of_sentence_transformers() {
    let device = Device::flex().autodiff();
    for family in FAMILIES {
        let options = OpenOptions::new().dropout(0.0);
        let model = options.open_cross_encoder(directory(family), &device).unwrap();
        let padded = |(one, other): &(String, String)| format!("{one}{other}").contains("[PAD]");
        let pairs: Vec<_> = pairs().into_iter().filter(|pair| !padded(pair)).collect();
        let tokens = model.tokenize(&pairs).unwrap();
        let logits = model.encoder.embed(&tokens.slices(), &device);
        let gradients = weighted_squares(logits).backward();
        let name = |path: &str| model.file_name(path);
        let found = named(&model.encoder, &gradients, &name);
        let norms = found.iter().map(|(name, values)| {
            (name, values.iter().map(|value| value * value).sum::<f32>().sqrt())
        });
        let found: BTreeMap<_, _> = norms.filter(|(_, norm)| *norm > 0.0).collect();
        let file = fs::read(directory(family).join("gradients.json")).unwrap();
        let expected: BTreeMap<String, f32> = serde_json::from_slice(&file).unwrap();
        let names = |norms: Vec<&String>| norms.into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(
            names(found.keys().copied().collect()),
            names(expected.keys().collect()),
            "{family}"
        );
        for (name, norm) in expected {
            let off = (found[&name] - norm).abs();
            assert!(off <= 1e-4 * norm.max(1.0), "{family} {name}: {} is not {norm}", found[&name]);
        }
    }
}

#[test]
fn documents_come_in_the_order_of_their_scores() {
    let model = open(&directory("bert")).unwrap();
    let documents = ["the dog runs!", "", "the river", "the dog runs!"];
    let ranked = model.rank("the cat", &documents).unwrap();
    let score = |document: &str| rows(model.predict(&[("the cat", document)]).unwrap())[0][0];
    assert!(ranked.windows(2).all(|two| two[0].score >= two[1].score));
    for found in &ranked {
        assert!((found.score - score(documents[found.index])).abs() < 1e-5);
    }
    // Equal documents keep their order.
    let places = ranked.iter().map(|found| found.index).collect::<Vec<_>>();
    let place = |index| places.iter().position(|other| *other == index).unwrap();
    assert_eq!(place(3), place(0) + 1);
    assert!(model.rank::<&str>("the cat", &[]).unwrap().is_empty());
    assert_eq!(model.predict::<&str>(&[]).unwrap().dims(), [0, 1]);
    let error = open(&directory("roberta")).unwrap().rank("a", &["b"]).unwrap_err();
    assert!(error.to_string().contains("it gives 3 scores for a pair"), "{error}");
}

/// The tiny model of a family after a change of a file.
fn changed(family: &str, file: &str, fields: &[(&str, Value)]) -> TempDir {
    let place = TempDir::new().unwrap();
    copy(&directory(family), place.path());
    set(place.path(), (file, fields));
    place
}

#[test]
fn what_cannot_score_pairs_is_refused() {
    let refused = |directory: &Path, message: &str| {
        let error = open(directory).unwrap_err();
        assert!(error.contains(message), "{error}\n  does not contain\n{message}");
        assert_eq!(error.lines().count(), 1, "{error}");
    };
    refused(&golden("t5"), "the model is a SentenceTransformer, which embeds texts one by one");
    let config =
        |family: &str, name: &str, value: Value| changed(family, "config.json", &[(name, value)]);
    let place = config("roberta", "/num_labels", json!(4));
    refused(place.path(), "`classifier.out_proj.weight` is [3, 16], expected [4, 16]");
    let place = config("bert", "/num_labels", json!(0));
    refused(place.path(), "`num_labels` is 0, expected 1 to 65536");
    let place = config("roberta", "/classifier_dropout", json!(1.5));
    refused(place.path(), "`classifier_dropout` is 1.5, expected");
    let place = config("modernbert", "/classifier_pooling", json!("middle"));
    refused(place.path(), "middle");
    let settings = "config_sentence_transformers.json";
    let place = changed("electra", settings, &[("/activation_fn", json!("my.Sigmoid"))]);
    refused(place.path(), "the activation \"my.Sigmoid\" is not supported; supported are Sigmoid");
    // A tokenizer with types that the model has no vectors for.
    let place = config("bert", "/type_vocab_size", json!(1));
    refused(place.path(), "token_type_embeddings.weight` is [2, 16], expected [1, 16]");
    let place =
        changed("bert", "tokenizer.json", &[("/post_processor/pair/3/Sequence/id", json!("C"))]);
    let error = open(place.path()).unwrap_err();
    assert!(error.contains("pair") || error.contains("unknown variant"), "{error}");
    let place =
        changed("bert", "tokenizer.json", &[("/post_processor/pair/3/Sequence/type_id", json!(2))]);
    // A class that keeps what the file has.
    let options = [
        ("/tokenizer_class", json!("PreTrainedTokenizerFast")),
        ("/model_input_names", json!(["input_ids", "token_type_ids", "attention_mask"])),
    ];
    set(place.path(), ("tokenizer_config.json", &options));
    let model = open(place.path()).unwrap();
    let error = model.predict(&pairs()).unwrap_err().to_string();
    assert!(error.contains("it gives tokens of type 2"), "{error}");
}

#[test]
fn a_pair_without_tokens_has_a_score() {
    let place = changed("bert", "tokenizer.json", &[("/post_processor", Value::Null)]);
    set(
        place.path(),
        ("tokenizer_config.json", &[("/tokenizer_class", json!("PreTrainedTokenizerFast"))]),
    );
    let scores = open(place.path()).unwrap().predict(&[(String::new(), String::new())]).unwrap();
    let scores = scores.try_into_vec_as::<f32>().unwrap();
    assert!(!scores.is_empty() && scores.iter().all(|score| score.is_finite()), "{scores:?}");
}

#[test]
fn a_new_model_has_its_classes_by_name_and_reads_pairs_as_python_does() {
    let encoder = TempDir::new().unwrap();
    copy(&golden("bert"), encoder.path());
    set(encoder.path(), ("config.json", &[("/problem_type", json!("regression"))]));
    let names = ["no", "yes"].map(String::from).to_vec();
    let options = OpenOptions::new();
    let device = Device::flex();
    let new = options.new_cross_encoder(encoder.path(), Labels::Named(names.clone()), &device);
    let new = new.unwrap();
    // As many tokens as the network has positions, whatever sentence_bert_config.json says of single texts.
    assert_eq!((new.labels(), new.tokenizer.max_tokens()), (2, 40));
    let saved = TempDir::new().unwrap();
    new.package.write(saved.path(), &new.encoder).unwrap();
    let read = |file: &str| -> Value {
        serde_json::from_slice(&fs::read(saved.path().join(file)).unwrap()).unwrap()
    };
    let (config, tokenizer) = (read("config.json"), read("tokenizer_config.json"));
    assert_eq!(config["id2label"], json!({"0": "no", "1": "yes"}));
    assert_eq!(config["label2id"], json!({"no": 0, "yes": 1}));
    assert!(config.get("problem_type").is_none());
    assert_eq!(
        (&tokenizer["model_max_length"], &tokenizer["cls_token"]),
        (&json!(40), &json!("[CLS]"))
    );
    let again = open(saved.path()).unwrap();
    assert_eq!((again.package.label_names(), again.tokenizer.max_tokens()), (&names[..], 40));
}

#[test]
fn one_route_of_several_becomes_a_model_of_pairs() {
    let (options, device) = (OpenOptions::new(), Device::flex());
    let error = options.new_cross_encoder(golden("router"), 1, &device).unwrap_err().to_string();
    assert!(error.contains("several routes") && error.contains("document"), "{error}");
    let new = options.route("document").new_cross_encoder(golden("router"), 1, &device);
    assert_eq!(new.unwrap().package.label_names(), ["LABEL_0"]);
}
