//! A panic about an argument points at the line that passed it, not into the library.
//!
//! One test only: the panic hook belongs to the whole process.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::nn::LinearConfig;
use burn::prelude::*;
use burn_embedding_losses::batch::RetrievalBatch;
use burn_embedding_losses::{
    CosineSimilarityLossConfig, GradCache, MseLossConfig, MultipleNegativesRankingLossConfig,
    ScoreError, ScoreTransformation, SoftmaxLossConfig, TripletLossConfig,
};

thread_local! {
    static FILE: Cell<Option<String>> = const { Cell::new(None) };
}

/// Asserts that the call panics, in this file.
fn assert_points_here<T>(what: &str, call: impl FnOnce() -> T) {
    FILE.set(None);
    assert!(catch_unwind(AssertUnwindSafe(call)).is_err(), "{what}: no panic");
    let file = FILE.take().expect("a location");
    assert!(file.ends_with("callers_line.rs"), "{what}: points at {file}");
}

#[test]
fn panics_point_at_the_caller() {
    std::panic::set_hook(Box::new(|info| {
        FILE.set(info.location().map(|location| location.file().to_string()));
    }));
    let device = Device::flex().autodiff();
    let rows = |n| Tensor::<2>::ones([n, 2], &device);

    assert_points_here("negatives[0]", || {
        RetrievalBatch::new(rows(2), rows(2), vec![rows(3)]);
    });
    assert_points_here("a tuple", || {
        MultipleNegativesRankingLossConfig::new().init().forward((rows(2), rows(2), rows(3)))
    });
    assert_points_here("diagnose", || {
        TripletLossConfig::new().init().diagnose((rows(2), rows(2), rows(3)))
    });
    let mse = MseLossConfig::new().init(&device);
    let wide = || Tensor::<2>::ones([2, 3], &device);
    assert_points_here("columns[1]", || mse.forward((vec![rows(2), rows(3)], rows(2))));
    assert_points_here("embeddings", || mse.forward((rows(2), wide())));
    assert_points_here("embeddings, unreduced", || mse.forward_no_reduction((rows(2), wide())));
    assert_points_here("embeddings, diagnosed", || mse.diagnose((rows(2), wide())));
    if cfg!(debug_assertions) {
        let classes = Tensor::<1, Int>::from_ints([0, 5], &device);
        let softmax = SoftmaxLossConfig::new(2, 3).init(&device);
        assert_points_here("classes", || softmax.forward((rows(2), rows(2), classes)));
        let scores = Tensor::<1>::from_floats([0.5, 5.0], &device);
        let cosine = CosineSimilarityLossConfig::new()
            .with_score_error(ScoreError::BinaryCrossEntropy)
            .with_transformation(ScoreTransformation::Sigmoid)
            .init();
        assert_points_here("scores", || cosine.forward((rows(2), rows(2), scores)));
    }

    let encoder = LinearConfig::new(2, 2).init(&device);
    let cache = GradCache::new(2);
    assert_points_here("no rows", || {
        cache.step(&encoder, 0, |encoder, _| encoder.forward(rows(1)), |rows| rows.sum()).loss
    });
    assert_points_here("other rows", || {
        cache.step(&encoder, 3, |encoder, _| encoder.forward(rows(1)), |rows| rows.sum()).loss
    });
    let prompt = rows(1).require_grad() * 2.0;
    let embed = |_: &_, range: core::ops::Range<usize>| rows(range.len()) * prompt.clone();
    assert_points_here("a shared graph", || {
        for part in cache.step(&encoder, 4, embed, |rows| rows.sum()).gradients {
            drop(part);
        }
    });
}
