//! What losses say of batches that are small enough to be counted, on every backend.

use backends_tests::fault::Faults;
use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::batch::RetrievalBatch;
use burn_embedding_losses::{
    BatchAllTripletLossConfig, BatchHardTripletLossConfig, BatchSemiHardTripletLossConfig,
    ContrastiveLossConfig, DeadBatch, Diagnostics, Distance, MegaBatchMarginLossConfig,
    MseLossConfig, MultipleNegativesRankingLossConfig, TripletLossConfig,
};

fn on_all(test: impl Fn(&Device, &str)) {
    for (name, device, _) in Faults::by_backend(DType::F32) {
        test(&device, name);
        test(&device.autodiff(), name);
    }
}

fn assert_close(name: &str, got: Option<f64>, expected: f64) {
    let got = got.unwrap_or_else(|| panic!("{name}: none, not {expected}"));
    assert!((got - expected).abs() < 1e-6, "{name}: {got}, not {expected}");
}

/// Unit rows at 0°, 90° and 180° and one at 36.87°.
fn rows(device: &Device) -> Tensor<2> {
    Tensor::from_floats([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.8, 0.6]], device)
}

fn labels(labels: [i64; 4], device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(labels, device)
}

#[test]
fn anchors_with_a_positive_and_a_negative_are_counted() {
    on_all(|device, name| {
        let loss = BatchHardTripletLossConfig::new().with_margin(0.1).init();
        let seen = loss.diagnose((rows(device), labels([5, 5, 8, 2], device)));
        // Rows 0 and 1 are valid. Row 0: √2 against 0.632 (row 3); row 1: √2 against 0.894.
        assert_eq!((seen.terms, seen.valid_anchors), (4, Some(2)), "{name}");
        // Rows 2 and 3 push their nearest row, at distance √2 and 0.632, away from distance 0.
        assert_eq!(seen.active_terms, 2, "{name}");
        assert_close(name, seen.positive_similarity, 0.0);
        assert_close(name, seen.negative_similarity, (0.8 + 0.6) / 2.0);
        assert_eq!((seen.dead(), seen.masked_negatives), (None, None), "{name}");
    });
}

#[test]
fn one_class_and_classes_of_one_are_dead_whatever_the_loss_says() {
    on_all(|device, name| {
        for classes in [[3, 3, 3, 3], [1, 2, 3, 4]] {
            let batch = || (rows(device), labels(classes, device));
            let seen: [Diagnostics; 3] = [
                BatchHardTripletLossConfig::new().init().diagnose(batch()),
                BatchAllTripletLossConfig::new().init().diagnose(batch()),
                BatchSemiHardTripletLossConfig::new().init().diagnose(batch()),
            ];
            for seen in seen {
                assert_eq!(seen.valid_anchors, Some(0), "{name}");
                assert_eq!(seen.dead(), Some(DeadBatch::NoValidAnchor), "{name}");
                assert_eq!((seen.positive_similarity, seen.negative_similarity), (None, None));
            }
        }
    });
}

#[test]
fn a_margin_that_is_reached_everywhere_leaves_no_active_term() {
    on_all(|device, name| {
        let x = rows(device);
        let loss = TripletLossConfig::new().with_distance(Distance::Cosine).with_margin(0.1).init();
        let near = (x.clone(), x.clone(), x.clone().neg());
        let seen = loss.diagnose(near);
        assert_eq!((seen.active_terms, seen.dead()), (0, Some(DeadBatch::NoActiveTerm)), "{name}");
        assert_close(name, seen.positive_similarity, 1.0);
        assert_close(name, seen.negative_similarity, -1.0);
        assert_eq!(loss.diagnose((x.clone(), x.clone().neg(), x)).dead(), None, "{name}");
    });
}

#[test]
fn false_negatives_that_are_masked_are_counted() {
    on_all(|device, name| {
        let x = rows(device);
        let batch = || RetrievalBatch::from((x.clone(), x.clone(), x.clone().neg()));
        let loss = MultipleNegativesRankingLossConfig::new().init();
        let seen = loss.diagnose(batch());
        assert_eq!((seen.valid_anchors, seen.masked_negatives), (Some(4), None), "{name}");
        // The most similar of others' rows, by row: 0.8, 0.6, 0 and 0.8; its own negative is at -1.
        assert_close(name, seen.negative_similarity, (0.8 + 0.6 + 0.0 + 0.8) / 4.0);

        // Rows 0 and 3 belong together: two pairs. The negative of row 1 is the text of row 2.
        let with_ids = batch()
            .with_ids(labels([7, 4, 5, 7], device))
            .with_negative_ids(vec![labels([90, 5, 91, 92], device)]);
        let seen = loss.diagnose(with_ids);
        assert_eq!(seen.masked_negatives, Some(2 + 1), "{name}");
        // What is left: 0 for rows 0, 1's 0.6, row 2's 0, and row 3's 0.6.
        assert_close(name, seen.negative_similarity, (0.0 + 0.6 + 0.0 + 0.6) / 4.0);
        assert_close(name, seen.positive_similarity, 1.0);

        let alone =
            RetrievalBatch::from((x.clone(), x.clone())).with_ids(labels([1, 1, 1, 1], device));
        let seen = MegaBatchMarginLossConfig::new().init().diagnose(alone);
        assert_eq!((seen.valid_anchors, seen.masked_negatives), (Some(0), Some(12)), "{name}");
        assert_eq!(seen.dead(), Some(DeadBatch::NoValidAnchor), "{name}");
    });
}

#[test]
fn one_row_alone_is_not_blamed_on_the_sampling() {
    on_all(|device, name| {
        let row = Tensor::<2>::from_floats([[1.0, 0.0]], device);
        let label = Tensor::<1, Int>::from_data([3], device);
        let ranking = MultipleNegativesRankingLossConfig::new().init();
        let seen = [
            BatchHardTripletLossConfig::new().init().diagnose((row.clone(), label)),
            ranking.diagnose((row.clone(), row.clone())),
        ];
        for seen in seen {
            assert_eq!(seen.dead(), Some(DeadBatch::SingleRow), "{name}");
            assert!(!seen.dead().unwrap().to_string().contains("sample"), "{name}");
        }
        let with_negative = ranking.diagnose((row.clone(), row.clone(), row));
        assert_eq!(with_negative.dead(), None, "{name}");
    });
}

#[test]
fn rows_that_are_not_finite_are_counted_and_left_out() {
    on_all(|device, name| {
        let broken = |rows: Tensor<2>| rows.slice_fill([1..2, 0..1], f32::NAN);
        let ranking = MultipleNegativesRankingLossConfig::new().init();
        let seen = ranking.diagnose((rows(device), broken(rows(device))));
        assert_eq!((seen.rows, seen.non_finite_rows), (4, 1), "{name}");
        assert_eq!(seen.dead(), Some(DeadBatch::NotFinite), "{name}");
        assert_close(name, seen.positive_similarity, 1.0);
        // Without row 1: 0.8, 0 beats -0.8, and 0.8.
        assert_close(name, seen.negative_similarity, (0.8 - 0.8 + 0.8) / 3.0);
        assert!(seen.to_string().contains("1 of 4 rows not finite"), "{name}: {seen}");

        let all = rows(device) * f32::NAN;
        let labels = labels([1, 1, 2, 2], device);
        let seen = BatchHardTripletLossConfig::new().init().diagnose((all, labels));
        assert_eq!((seen.rows, seen.non_finite_rows), (4, 4), "{name}");
        assert_eq!((seen.positive_similarity, seen.negative_similarity), (None, None), "{name}");
    });
}

#[test]
fn pairs_are_told_apart_by_their_labels() {
    on_all(|device, name| {
        let x = rows(device);
        let y = Tensor::from_floats([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]], device);
        let labels = Tensor::<1>::from_floats([1.0, 0.0, 0.0, 1.0], device);
        let seen = ContrastiveLossConfig::new().init().diagnose((x, y, labels));
        assert_close(name, seen.positive_similarity, (1.0 + 0.8) / 2.0);
        assert_close(name, seen.negative_similarity, (0.0 - 1.0) / 2.0);
        assert_eq!(seen.valid_anchors, None, "{name}");
    });
}

#[test]
fn a_loss_without_pairs_counts_its_terms() {
    on_all(|device, name| {
        let x = rows(device);
        let first = 0..1;
        let y = x.clone().slice_fill([first], 0.5);
        let seen = MseLossConfig::new().init(device).diagnose((x, y));
        assert_eq!((seen.terms, seen.active_terms), (8, 2), "{name}");
        assert_eq!(seen.positive_similarity, None, "{name}");
    });
}

#[test]
fn blocks_of_any_size_see_the_same() {
    on_all(|device, name| {
        let x = Tensor::<2>::random([33, 5], burn::tensor::Distribution::Normal(0.0, 1.0), device);
        let classes: Vec<i64> = (0..33).map(|i| i % 4).collect();
        let batch = || (x.clone(), Tensor::<1, Int>::from_data(classes.as_slice(), device));
        let config = BatchAllTripletLossConfig::new().with_margin(0.3);
        let whole = config.init().diagnose(batch());
        let blocks = config.with_memory_budget(Some(40_000)).init().diagnose(batch());
        assert_eq!(whole, blocks, "{name}");
        assert!(whole.active_terms > 0, "{name}");
        let pair = || RetrievalBatch::from((x.clone(), x.clone().neg()));
        let config = MultipleNegativesRankingLossConfig::new();
        let whole = config.init().diagnose(pair());
        let blocks = config.with_memory_budget(Some(1_000)).init().diagnose(pair());
        assert_eq!(whole.active_terms, blocks.active_terms, "{name}");
    });
}
