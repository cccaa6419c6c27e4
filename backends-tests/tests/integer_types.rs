//! Labels, ids and classes of every integer type give the same losses, on every backend.

use backends_tests::fault::Faults;
use backends_tests::subject::numbers;
use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::batch::{
    ClassifiedPairBatch, IGNORED_LABEL, LabeledBatch, RetrievalBatch,
};
use burn_embedding_losses::objective::classification::cross_entropy;
use burn_embedding_losses::{
    BatchHardTripletLossConfig, ContrastiveLossConfig, Criterion, MarginMseLossConfig,
    MegaBatchMarginLossConfig, MultipleNegativesRankingLossConfig, SoftmaxLossConfig,
};

const TYPES: [DType; 8] =
    [DType::I8, DType::I16, DType::I32, DType::I64, DType::U8, DType::U16, DType::U32, DType::U64];

/// Devices, and the integer types that they hold.
fn on_all(test: impl Fn(&Device, DType, &str)) {
    for (name, device, _) in Faults::by_backend(DType::F32) {
        for dtype in TYPES.into_iter().filter(|&dtype| device.supports_dtype(dtype)) {
            test(&device, dtype, &format!("{name}, {dtype:?}"));
            test(&device.clone().autodiff(), dtype, &format!("{name}, {dtype:?}, autodiff"));
        }
    }
}

fn rows(device: &Device) -> Tensor<2> {
    Tensor::from_floats([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.2], [0.8, 0.6]], device)
}

fn value<B>(loss: &impl Criterion<B>, batch: B) -> f64 {
    numbers(loss.loss(batch))[0]
}

#[test]
fn classes_and_labels_may_have_any_type() {
    on_all(|device, dtype, what| {
        let integers = |dtype| Tensor::<1, Int>::from_data([1, 0, 1, 1], (device, dtype));
        let (x, y) = (rows(device), rows(device).flip([0]));
        let pair = |dtype| (x.clone(), y.clone(), integers(dtype));
        let same = |expected: f64, got: f64| assert_eq!(got, expected, "{what}");

        let softmax = SoftmaxLossConfig::new(2, 2).init(device);
        same(value(&softmax, pair(DType::I32)), value(&softmax, pair(dtype)));
        // More classes than an `i8` can count.
        let wide = SoftmaxLossConfig::new(2, 300).init(device);
        same(value(&wide, pair(DType::I32)), value(&wide, pair(dtype)));
        let contrastive = ContrastiveLossConfig::new().init();
        same(value(&contrastive, pair(DType::I32)), value(&contrastive, pair(dtype)));
        let hard = BatchHardTripletLossConfig::new().init();
        let labeled = |dtype| LabeledBatch::new(x.clone(), integers(dtype));
        same(value(&hard, labeled(DType::I32)), value(&hard, labeled(dtype)));
        assert_eq!(hard.diagnose(labeled(dtype)).valid_anchors, Some(3), "{what}");
        let margin = MarginMseLossConfig::new().init();
        let margins = |dtype| (x.clone(), y.clone(), x.clone().neg(), integers(dtype));
        same(value(&margin, margins(DType::I32)), value(&margin, margins(dtype)));
    });
}

#[test]
fn ids_may_have_any_type() {
    on_all(|device, dtype, what| {
        let ids = |dtype| Tensor::<1, Int>::from_data([7, 4, 5, 7], (device, dtype));
        let batch = |dtype| {
            RetrievalBatch::from((rows(device), rows(device).flip([0]))).with_ids(ids(dtype))
        };
        let ranking = MultipleNegativesRankingLossConfig::new().init();
        assert_eq!(
            value(&ranking, batch(dtype)),
            value(&ranking, batch(DType::I32)),
            "{what}: ranking"
        );
        let margin = MegaBatchMarginLossConfig::new().init();
        assert_eq!(value(&margin, batch(dtype)), value(&margin, batch(DType::I32)), "{what}");
    });
}

#[test]
fn the_ignored_class_is_ignored_in_every_signed_type() {
    on_all(|device, dtype, what| {
        if dtype.is_uint() {
            return;
        }
        let of = |classes: [i64; 4]| Tensor::<1, Int>::from_data(classes, (device, dtype));
        let loss = SoftmaxLossConfig::new(2, 2).init(device);
        let ignored = of([1, IGNORED_LABEL, 0, IGNORED_LABEL]);
        let terms = loss.forward_no_reduction((rows(device), rows(device), ignored));
        let terms = numbers(terms);
        assert_eq!((terms[1], terms[3]), (0.0, 0.0), "{what}: {terms:?}");
    });
}

#[test]
fn a_class_that_does_not_exist_is_nan_in_every_type_and_named_by_check() {
    on_all(|device, dtype, what| {
        let outside: &[i64] = if dtype.is_uint() { &[2, 3, 100] } else { &[2, 3, 100, -1, -99] };
        for &class in outside {
            let classes = Tensor::<1, Int>::from_data([1, 0, class, 1], (device, dtype));
            let batch = ClassifiedPairBatch::new(rows(device), rows(device), classes.clone());
            let error = batch.check(2).expect_err("a class that does not exist").to_string();
            assert!(error.contains("row 2"), "{what}: {error}");
            let (_, _, targets) = batch.into_parts();
            let terms = numbers(cross_entropy(rows(device), targets, 0.1).into_values());
            let nan: Vec<_> = terms.iter().map(|term| term.is_nan()).collect();
            assert_eq!(nan, [false, false, true, false], "{what}: class {class} gives {terms:?}");
        }
    });
}

#[test]
fn hashes_above_the_largest_signed_number_stay_different() {
    for (name, device, _) in Faults::by_backend(DType::F32) {
        // Burn's ndarray takes every `u64` through an `i64`, and panics where that has no such number.
        if !device.supports_dtype(DType::U64) || name == "ndarray" {
            continue;
        }
        let high = u64::MAX - 5;
        let ids = [high, high - (1 << 63), high, 3];
        let data = TensorData::from(ids);
        let ids = Tensor::<1, Int>::from_data(data, (&device, DType::U64));
        let batch = RetrievalBatch::from((rows(&device), rows(&device))).with_ids(ids);
        let loss = MultipleNegativesRankingLossConfig::new().init();
        // Rows 0 and 2 belong together, and no others.
        assert_eq!(loss.diagnose(batch).masked_negatives, Some(2), "{name}");
    }
}
