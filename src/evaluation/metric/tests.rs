//! Driven as the learner does: `update` a batch, `compute` and `clear` an epoch.

use burn::data::dataloader::Progress;

use burn::prelude::*;
use burn::train::metric::{Metric, MetricMetadata, Numeric, NumericEntry};

use super::*;
use crate::Similarity;
use crate::evaluation::{embedding_similarity, triplet_accuracy};

mod part;
mod summary;

/// After this many batches of an epoch.
fn after(batches: usize, of: usize) -> MetricMetadata {
    let progress = Progress { items_processed: batches, items_total: of, unit: None };
    MetricMetadata { progress, iteration: Some(batches), lr: None }
}

/// The final value after an epoch of these batches, as it is logged: with the last batch, and at the end.
fn epoch<M: OverEpoch>(metric: &mut EpochMetric<M>, batches: Vec<M::Input>) -> f64 {
    let mut last = None;
    for (batch, done) in batches.iter().zip(1..) {
        let entry = metric.update(batch, &after(done, batches.len())).unwrap();
        assert_eq!(entry.is_not_available(), done < batches.len());
        assert!(Numeric::value(metric).is_none() && metric.running_value().is_none());
        last = Some(entry);
    }
    let entry = metric.compute().unwrap();
    assert_eq!(entry.serialized, last.unwrap().serialized);
    let logged = NumericEntry::deserialize(&entry.serialized).unwrap().current();
    assert_eq!(logged, metric.final_value().current());
    assert!(entry.formatted.starts_with("epoch "), "{}", entry.formatted);
    metric.clear();
    assert!(metric.compute().unwrap().is_not_available(), "nothing is left of the epoch");
    logged
}

fn random(rows: usize) -> Tensor<2> {
    Tensor::random([rows, 6], burn::tensor::Distribution::Default, &Device::flex().autodiff())
        .require_grad()
}

#[test]
fn batches_of_any_size_are_one_epoch() {
    let (left, right) = (random(7), random(7));
    let scores = [0.1, 0.7, 0.3, 0.3, 0.9, 0.2, 0.5];
    let device = Device::flex().autodiff();
    let all = Tensor::<1>::from_floats(scores, &device);
    let batch = |rows: core::ops::Range<usize>| {
        SpearmanInput::new(
            left.clone().slice([rows.clone()]),
            right.clone().slice([rows.clone()]),
            all.clone().slice([rows]),
        )
    };
    let scores: Vec<f64> = all.clone().into_data().iter().collect();
    let expected = embedding_similarity(left.clone(), right.clone(), &scores, Similarity::Cosine);
    let expected = expected.unwrap().spearman.unwrap();
    let mut metric = SpearmanMetric::new(Similarity::Cosine);
    for batches in [vec![batch(0..7)], vec![batch(0..4), batch(4..7)]] {
        assert_eq!(epoch(&mut metric, batches), expected);
    }
    assert_eq!(metric.name().as_str(), "Spearman [Cosine]");
}

#[test]
fn triplets_of_all_batches_count() {
    let rows: [Tensor<2>; 3] = core::array::from_fn(|_| random(9));
    let [anchor, positive, negative] = rows.clone();
    let expected =
        triplet_accuracy(anchor, positive, negative, Similarity::Euclidean, 0.1).unwrap();
    let batch = |start: usize, end: usize| {
        let [anchor, positive, negative] =
            rows.clone().map(|rows| rows.narrow(0, start, end - start));
        TripletInput::new(anchor, positive, negative)
    };
    let mut metric = TripletAccuracyMetric::new(Similarity::Euclidean, 0.1);
    assert_eq!(epoch(&mut metric, vec![batch(0, 1), batch(1, 9)]), expected);
    assert_eq!(metric.name().as_str(), "Triplet accuracy [Euclidean, margin 0.1]");
}

#[test]
fn a_query_sees_the_documents_of_other_batches() {
    let device = Device::flex();
    let rows = |value: f32| Tensor::<2>::from_floats([[value]], &device);
    // To the query at 0 its own document, at 2, is second to that of the other batch, at 1.
    let batches =
        vec![RetrievalInput::new(rows(0.0), rows(2.0)), RetrievalInput::new(rows(1.0), rows(1.0))];
    let mut metric = NdcgMetric::new(Similarity::Euclidean, 10);
    let expected = (1.0 / 3f64.log2() + 1.0) / 2.0;
    assert!((epoch(&mut metric, batches) - expected).abs() < 1e-12);
}

#[test]
fn without_a_value_nothing_is_shown() {
    let mut metric = SpearmanMetric::new(Similarity::Dot);
    assert!(metric.compute().unwrap().is_not_available());
    let scores = Tensor::<1>::ones([2], &Device::flex());
    let rows = random(2);
    metric.update(&SpearmanInput::new(rows.clone(), rows, scores), &after(1, 2)).unwrap();
    assert!(metric.compute().unwrap().is_not_available());
    assert_eq!(metric.final_value().current(), 0.0);
}

#[test]
fn an_epoch_whose_length_was_not_known_is_measured_at_its_end() {
    let batch = |rows| {
        let scores = Tensor::<1>::from_floats([0.1, 0.9, 0.4], &Device::flex());
        SpearmanInput::new(random(rows), random(rows), scores)
    };
    let (first, second) = (batch(3), batch(3));
    let mut metric = SpearmanMetric::new(Similarity::Cosine);
    // One batch was announced, and two came.
    let early = metric.update(&first, &after(1, 1)).unwrap();
    assert!(!early.is_not_available());
    metric.update(&second, &after(2, 1)).unwrap();
    let value = metric.compute().unwrap();
    metric.clear();
    let expected = epoch(&mut metric, vec![first, second]);
    assert_eq!(NumericEntry::deserialize(&value.serialized).unwrap().current(), expected);
}
