//! Models with several routes: each embeds as in sentence-transformers, and is saved as a model.

mod common;

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use burn_embedding_models::{OpenOptions, SentenceTransformer};
use common::{assert_close, copy, golden, rows, set, texts};
use serde_json::{Value, json};
use tempfile::TempDir;

const FILE: &str = "router_config.json";

fn open(directory: &Path, route: Option<&str>) -> Result<SentenceTransformer, String> {
    let options = OpenOptions::new();
    let options = match route {
        Some(route) => options.route(route),
        None => options,
    };
    options.open(directory, &Device::flex()).map_err(|error| error.to_string())
}

fn embeddings(model: &SentenceTransformer, prompt: &str) -> Vec<Vec<f32>> {
    let tokens = model.tokenize(&texts(), Some(prompt)).unwrap();
    rows(model.embed(&tokens, 4))
}

fn expected(route: &str) -> Vec<Vec<f32>> {
    let file = fs::read(golden("router").join(format!("expected-{route}.json"))).unwrap();
    serde_json::from_slice(&file).unwrap()
}

/// The tiny model after changes of its routes.
fn changed(fields: &[(&str, Value)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    copy(&golden("router"), directory.path());
    set(directory.path(), (FILE, fields));
    directory
}

#[test]
fn each_route_embeds_as_in_sentence_transformers() {
    for route in ["query", "document"] {
        let model = open(&golden("router"), Some(route)).unwrap();
        assert_close(&embeddings(&model, route), &expected(route), 1e-5, route);
    }
    // The default route is that for documents.
    let model = open(&golden("router"), None).unwrap();
    assert_close(&embeddings(&model, "document"), &expected("document"), 1e-5, "default");
}

#[test]
fn routes_are_found_as_in_sentence_transformers() {
    let dimension = |fields: &[(&str, Value)], route| {
        let directory = changed(fields);
        open(directory.path(), route).map(|model| model.package.modules.parts.len())
    };
    let (query, document) = (Ok(1), Ok(3));
    let none = ("/parameters/default_route", Value::Null);
    let mapped = |task: &str, route: &str| ("/parameters/route_mappings", json!({task: route}));
    assert_eq!(dimension(&[mapped("('query', 'text')", "document")], Some("query")), document);
    assert_eq!(dimension(&[mapped("('x', None)", "query")], Some("x")), query);
    assert_eq!(dimension(&[mapped("(None, 'text')", "query")], None), query);
    assert_eq!(dimension(&[mapped("(None, None)", "query")], Some("y")), query);
    let no_default = ("/parameters/allow_empty_key", json!(false));
    let error = dimension(&[none, no_default], None).unwrap_err();
    assert!(error.contains("no default route: name one of document, query"), "{error}");
}

#[test]
fn the_first_route_of_the_file_may_be_the_default() {
    let directory = changed(&[]);
    let whole = fs::read_to_string(golden("router").join(FILE)).unwrap();
    let without = whole.replace("\"default_route\": \"document\"", "\"default_route\": null");
    assert_ne!(whole, without);
    fs::write(directory.path().join(FILE), without).unwrap();
    let model = open(directory.path(), None).unwrap();
    assert_close(&embeddings(&model, "query"), &expected("query"), 1e-5, "first");
}

#[test]
fn a_route_is_saved_as_a_model_of_its_own() {
    for route in ["query", "document"] {
        let directory = TempDir::new().unwrap();
        let saved = directory.path().join("saved");
        open(&golden("router"), Some(route)).unwrap().save(&saved).unwrap();
        assert!(!saved.join(FILE).exists());
        let model = open(&saved, None).unwrap();
        assert_close(&embeddings(&model, route), &expected(route), 1e-5, route);
    }
}

#[test]
fn what_is_no_route_is_refused() {
    let refused = |fields: &[(&str, Value)], route: Option<&str>, message: &str| {
        let directory = changed(fields);
        let error = open(directory.path(), route).unwrap_err();
        assert!(error.contains(message), "{error}\n  does not contain\n{message}");
        assert_eq!(error.lines().count(), 1, "{error}");
    };
    refused(&[], Some("image"), "\"image\" is no route of the model; it has document, query");
    refused(&[("/structure/query", json!(["x"]))], Some("query"), "`types` has no \"x\"");
    refused(&[("/structure", json!([]))], None, "expected the modules of each route");
    let types = json!({"../x": "sentence_transformers.models.Pooling"});
    let leaving = [("/types", types), ("/structure/query", json!(["../x"]))];
    refused(&leaving, Some("query"), "leaves the directory");
    let error = open(&golden("bert"), Some("query")).unwrap_err();
    assert!(error.contains("the model has no routes to choose from"), "{error}");
}
