//! The evaluators give what those of sentence-transformers give, on every backend, in `f32` and
//! `f64`.

use std::fs;
use std::path::Path;

use backends_tests::fault::Faults;
use backends_tests::nested::Nested;
use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::Similarity;
use burn_embedding_losses::evaluation::{
    InformationRetrievalConfig, binary_classification, embedding_similarity, label_accuracy,
    mean_squared_error, reranking, translation_accuracy, triplet_accuracy,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

const TOLERANCE: f64 = 1e-6;
const SIMILARITIES: [&str; 4] = ["cosine", "dot", "euclidean", "manhattan"];

/// A case of a fixture file, and where it runs.
struct Case<'a> {
    fields: &'a Value,
    device: &'a Device,
    dtype: DType,
}

impl Case<'_> {
    fn field<T: DeserializeOwned>(&self, name: &str) -> T {
        let value = self.fields[name].clone();
        serde_json::from_value(value).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn rows(&self, name: &str) -> Tensor<2> {
        self.tensor(&self.field(name))
    }

    fn tensor(&self, rows: &Nested) -> Tensor<2> {
        rows.tensor(self.device, self.dtype).unwrap()
    }

    fn pair(&self) -> (Tensor<2>, Tensor<2>) {
        (self.rows("left"), self.rows("right"))
    }
}

/// Holds every case of a file to what was expected, on every backend in both types.
fn hold(file: &str, answer: impl Fn(&Case) -> Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures-evaluation").join(file);
    let fixture: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for dtype in [DType::F32, DType::F64] {
        for (name, device, _) in Faults::by_backend(dtype) {
            for fields in cases {
                let got = answer(&Case { fields, device: &device, dtype });
                let id = format!("{name} {} {}", dtype.name(), fields["id"]);
                assert_close(&id, &got, &fields["expected"]);
            }
        }
    }
}

fn assert_close(place: &str, got: &Value, expected: &Value) {
    match (got, expected) {
        (Value::Object(got), Value::Object(expected)) => {
            let keys = |map: &Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            let (mut left, mut right) = (keys(got), keys(expected));
            left.sort();
            right.sort();
            assert_eq!(left, right, "{place}");
            expected.iter().for_each(|(key, value)| {
                assert_close(&format!("{place} {key}"), &got[key], value);
            });
        }
        (Value::Number(got), Value::Number(expected)) => {
            let (got, expected) = (got.as_f64().unwrap(), expected.as_f64().unwrap());
            let close = (got - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
            assert!(close, "{place}: {got}, not {expected}");
        }
        _ => assert_eq!(got, expected, "{place}"),
    }
}

fn by_similarity(answer: impl Fn(Similarity) -> Value) -> Value {
    let similarity = |name: &str| serde_json::from_value(json!(name)).unwrap();
    SIMILARITIES.iter().map(|name| ((*name).to_string(), answer(similarity(name)))).collect()
}

#[test]
fn embedding_similarity_is_that_of_the_reference() {
    hold("embedding_similarity.json", |case| {
        let scores: Vec<f64> = case.field("scores");
        by_similarity(|similarity| {
            let (left, right) = case.pair();
            let seen = embedding_similarity(left, right, &scores, similarity).unwrap();
            assert_eq!(seen.rows, scores.len());
            json!({"pearson": seen.pearson, "spearman": seen.spearman})
        })
    });
}

#[test]
fn triplet_accuracy_is_that_of_the_reference() {
    hold("triplet.json", |case| {
        let columns: Vec<Nested> = case.field("columns");
        by_similarity(|similarity| {
            let [anchor, positive, negative] = [0, 1, 2].map(|side| case.tensor(&columns[side]));
            let margin = case.field("margin");
            json!(triplet_accuracy(anchor, positive, negative, similarity, margin).unwrap())
        })
    });
}

#[test]
fn binary_classification_is_that_of_the_reference() {
    hold("binary_classification.json", |case| {
        let labels: Vec<i64> = case.field("labels");
        by_similarity(|similarity| {
            let (left, right) = case.pair();
            let seen = binary_classification(left, right, &labels, similarity).unwrap();
            json!({
                "accuracy": seen.accuracy.value, "accuracy_threshold": seen.accuracy.threshold,
                "f1": seen.f1.f1, "f1_threshold": seen.f1.threshold,
                "precision": seen.f1.precision, "recall": seen.f1.recall,
                "ap": seen.average_precision, "mcc": seen.f1.mcc,
            })
        })
    });
}

#[test]
fn information_retrieval_is_that_of_the_reference_whatever_the_blocks() {
    // One pair at a time; some; all.
    for pairs in [Some(1), Some(30), None] {
        hold("information_retrieval.json", |case| {
            let ks: Vec<usize> = case.field("ks");
            let relevant: Vec<Vec<usize>> = case.field("relevant");
            let queries = case.rows("queries");
            let bytes_per_pair = 24 + 24 * queries.dims()[1];
            let seen = InformationRetrievalConfig::new()
                .with_similarity(case.field("similarity"))
                .with_accuracy_at_k(ks.clone())
                .with_precision_recall_at_k(ks.clone())
                .with_mrr_at_k(ks.clone())
                .with_ndcg_at_k(ks.clone())
                .with_map_at_k(ks)
                .with_memory_budget(pairs.map(|pairs: usize| pairs * bytes_per_pair))
                .evaluate(queries, case.rows("corpus"), &relevant)
                .unwrap();
            assert_eq!(seen.queries, case.field::<usize>("counted"));
            assert_eq!(seen.queries + seen.skipped_queries, relevant.len());
            json!({
                "accuracy@k": seen.accuracy, "precision@k": seen.precision, "recall@k": seen.recall,
                "ndcg@k": seen.ndcg, "mrr@k": seen.mrr, "map@k": seen.map,
            })
        });
    }
}

#[test]
fn reranking_is_that_of_the_reference() {
    hold("reranking.json", |case| {
        let queries: Vec<Map<String, Value>> = case.field("queries");
        let queries: Vec<(Vec<f64>, Vec<bool>)> = queries
            .into_iter()
            .map(|query| {
                let similarities = serde_json::from_value(query["similarities"].clone()).unwrap();
                let relevant = serde_json::from_value(query["relevant"].clone()).unwrap();
                (similarities, relevant)
            })
            .collect();
        let seen = reranking(&queries, case.field("k")).unwrap();
        assert_eq!(seen.queries, case.field::<usize>("counted"));
        assert_eq!(seen.queries + seen.skipped_queries, queries.len());
        json!({"map": seen.map, "mrr": seen.mrr, "ndcg": seen.ndcg})
    });
}

#[test]
fn translation_and_squared_error_are_those_of_the_reference() {
    hold("translation.json", |case| {
        let (source, target) = (case.rows("source"), case.rows("target"));
        let seen = translation_accuracy(source.clone(), target.clone(), None).unwrap();
        json!({
            "src2trg_accuracy": seen.source_to_target, "trg2src_accuracy": seen.target_to_source,
            "negative_mse": -100.0 * mean_squared_error(source, target).unwrap(),
        })
    });
}

#[test]
fn label_accuracy_is_that_of_the_reference() {
    hold("label_accuracy.json", |case| {
        let labels: Vec<i64> = case.field("labels");
        json!(label_accuracy(case.rows("logits"), &labels).unwrap())
    });
}
