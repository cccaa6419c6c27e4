//! Models with several routes: each embeds as in sentence-transformers, and is saved as a model.

mod common;

use std::fs;
use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use burn_embedding_models::{OpenOptions, RoutedTransformer, SentenceTransformer, TextEncoder};
use common::{assert_close, copy, golden, named, rows, set, texts, weighted_squares};
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

/// All routes of a model.
fn whole(directory: &Path, device: &Device) -> Result<RoutedTransformer, String> {
    let options = OpenOptions::new().dropout(0.0);
    RoutedTransformer::open(directory, &options, device).map_err(|error| error.to_string())
}

/// The token ids of all texts for queries and for documents in turn, and their routes.
fn alternating(model: &RoutedTransformer) -> (Vec<Vec<u32>>, Vec<usize>) {
    let route = |task| model.package.route_of(task).unwrap();
    let (query, document) = (route("query"), route("document"));
    let one_of = |(index, text): (usize, &String)| match index % 2 {
        0 => (query, format!("a cat: {text}")),
        _ => (document, text.clone()),
    };
    let texts = texts();
    let texts: Vec<_> = texts.iter().enumerate().map(one_of).collect();
    let ids = |(route, text): &(usize, String)| {
        let tokens = model.tokenizers[*route].encode(vec![text.as_str()]).unwrap();
        tokens.rows.into_iter().next().unwrap()
    };
    (texts.iter().map(ids).collect(), texts.iter().map(|(route, _)| *route).collect())
}

/// What Python gives for these texts.
fn expected_alternating() -> Vec<Vec<f32>> {
    let (queries, documents) = (expected("query"), expected("document"));
    let both = queries.into_iter().zip(documents).enumerate();
    both.map(|(index, (query, document))| if index % 2 == 0 { query } else { document }).collect()
}

#[test]
fn each_text_of_a_batch_takes_its_own_route() {
    let device = Device::flex();
    let model = whole(&golden("router"), &device).unwrap();
    assert_eq!(model.package.names().collect::<Vec<_>>().len(), 2);
    let (ids, routes) = alternating(&model);
    let ids: Vec<_> = ids.iter().map(Vec::as_slice).collect();
    let together = model.encoder.embed_by_route(&ids, &routes, &device);
    assert_close(&rows(together), &expected_alternating(), 1e-5, "together");
    for (size, devices) in [(1, 1), (3, 1), (1, 2), (2, 3)] {
        let devices = vec![device.clone(); devices];
        let embedded = model.encoder.embed_in_batches_by_route(&ids, &routes, size, &devices);
        let what = format!("{size} texts at a time on {} devices", devices.len());
        assert_close(&rows(embedded), &expected_alternating(), 1e-5, &what);
    }
}

#[test]
fn a_model_is_saved_with_all_of_its_routes() {
    let directory = TempDir::new().unwrap();
    let saved = directory.path().join("saved");
    whole(&golden("router"), &Device::flex()).unwrap().save(&saved).unwrap();
    for file in [FILE, "modules.json"] {
        let bytes = |directory: &Path| fs::read(directory.join(file)).unwrap();
        assert_eq!(bytes(&saved), bytes(&golden("router")), "{file}");
    }
    for route in ["query", "document"] {
        let model = open(&saved, Some(route)).unwrap();
        assert_close(&embeddings(&model, route), &expected(route), 1e-5, route);
    }
}

/// Adds the document's Dense, which has parameters, behind all routes.
fn with_a_shared_dense() -> TempDir {
    let directory = changed(&[]);
    let dense = |name: &str| directory.path().join(name);
    fs::create_dir(dense("2_Dense")).unwrap();
    copy(&dense("document_2_Dense"), &dense("2_Dense"));
    let file = directory.path().join("modules.json");
    let mut modules: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let class = "sentence_transformers.base.modules.dense.Dense";
    let row = json!({"idx": 2, "name": "2", "path": "2_Dense", "type": class});
    modules.as_array_mut().unwrap().push(row);
    fs::write(&file, modules.to_string()).unwrap();
    directory
}

#[test]
fn modules_after_the_routes_are_trained_once_for_all() {
    let directory = with_a_shared_dense();
    let device = Device::flex().autodiff();
    let model = whole(directory.path(), &device).unwrap();
    assert_eq!(model.encoder.shared.len(), 1);
    let (ids, routes) = alternating(&model);
    let ids: Vec<_> = ids.iter().map(Vec::as_slice).collect();
    let embeddings = model.encoder.embed_by_route(&ids, &routes, &device);
    // A route that is opened alone has a copy of the module.
    let alone =
        |route| rows(open(directory.path(), Some(route)).unwrap().encode(&texts()).unwrap());
    let documents = alone("document");
    let found = rows(embeddings);
    for row in (1..found.len()).step_by(2) {
        let (found, expected) = (&found[row..=row], &documents[row..=row]);
        assert_close(found, expected, 1e-5, "a document");
    }
    // How many parameters of what is shared, and of each route, have a gradient.
    let gradient = |rows: &[usize]| {
        let ids: Vec<_> = rows.iter().map(|&row| ids[row]).collect();
        let routes: Vec<_> = rows.iter().map(|&row| routes[row]).collect();
        let embeddings = model.encoder.embed_by_route(&ids, &routes, &device);
        let gradients = weighted_squares(embeddings).backward();
        let name = |path: &str| path.to_string();
        let of_route = |route| named(&model.encoder.routes[route], &gradients, &name).len();
        let shared = named(&model.encoder.shared[0], &gradients, &name).len();
        (shared, [of_route(0), of_route(1)])
    };
    let (shared, both) = gradient(&[0, 1]);
    assert!(shared == 2 && both.iter().all(|&parameters| parameters > 0), "{shared} {both:?}");
    let document = model.package.route_of("document").unwrap();
    let (shared, documents) = gradient(&[1, 3]);
    assert!(shared == 2 && documents[document] == both[document], "{documents:?}");
    assert_eq!(documents[1 - document], 0, "queries were not in this batch");
    let saved = directory.path().join("saved");
    model.save(&saved).unwrap();
    let again = whole(&saved, &Device::flex()).unwrap();
    let again = again.encoder.embed_by_route(&ids, &routes, &Device::flex());
    assert_close(&rows(again), &found, 1e-6, "saved");
}

#[test]
fn routes_that_cannot_be_trained_together_are_refused() {
    let refused = |directory: &Path, message: &str| {
        let error = whole(directory, &Device::flex()).unwrap_err();
        assert!(error.contains(message), "{error}\n  does not contain\n{message}");
        assert_eq!(error.lines().count(), 1, "{error}");
    };
    refused(&golden("bert"), "the model has no routes");
    let modules = ["document_0_Transformer", "document_1_Pooling"];
    let directory = changed(&[("/structure/query", json!(modules))]);
    refused(directory.path(), "have document_0_Transformer in common; one route alone");
    let directory = changed(&[("/structure/document", json!(modules))]);
    set(
        directory.path(),
        ("document_1_Pooling/config.json", &[("/pooling_mode", json!(["mean", "max"]))]),
    );
    refused(directory.path(), "numbers for a text, another");
    let device = Device::flex();
    assert!(RoutedTransformer::is_in(golden("router")).unwrap());
    assert!(!RoutedTransformer::is_in(golden("bert")).unwrap());
    assert!(whole(&golden("router"), &device).unwrap().encoder.num_params() > 0);
}
