//! Wrong shapes, types and values.

mod columns;

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use burn::prelude::*;
use burn::tensor::DType;

fn rows(n: usize, dim: usize) -> Tensor<2> {
    Tensor::ones([n, dim], &Device::flex())
}

fn numbers(n: usize) -> Tensor<1> {
    Tensor::zeros([n], &Device::flex())
}

fn classes(values: &[i64]) -> Tensor<1, Int> {
    Tensor::from_data(values, &Device::flex())
}

fn tokens<const N: usize, const L: usize>(ids: [[i64; L]; N]) -> Tensor<2, Int> {
    Tensor::from_data(ids, &Device::flex())
}

fn reconstruction(rows: Tensor<2>) -> Reconstruction {
    Reconstruction {
        sentence_embedding_backbone: rows.clone(),
        decoded_embedding_k: rows.clone(),
        decoded_embedding_4k: rows.clone(),
        decoded_embedding_aux: None,
        decoded_embedding_k_pre_bias: rows,
    }
}

fn message_of<B>(build: impl FnOnce() -> B) -> String {
    let panic = catch_unwind(AssertUnwindSafe(build)).err().expect("a panic");
    match panic.downcast::<String>() {
        Ok(formatted) => *formatted,
        Err(panic) => panic.downcast::<&str>().expect("a message").to_string(),
    }
}

#[test]
fn a_wrong_shape_names_batch_field_and_sizes() {
    let cases: [(String, &str); 10] = [
        (
            message_of(|| LabeledBatch::new(rows(3, 2), classes(&[0, 1]))),
            "LabeledBatch: `labels` must have shape [3], got [2]",
        ),
        (
            message_of(|| PairBatch::new(rows(3, 2), rows(3, 4), numbers(3))),
            "PairBatch: `right` must have shape [3, 2], got [3, 4]",
        ),
        (
            message_of(|| TripletBatch::new(rows(3, 2), rows(3, 2), rows(2, 2))),
            "TripletBatch: `negative` must have shape [3, 2], got [2, 2]",
        ),
        (
            message_of(|| RetrievalBatch::new(rows(3, 2), rows(3, 2), vec![rows(1, 2)])),
            "RetrievalBatch: `negatives[0]` must have shape [3, 2], got [1, 2]",
        ),
        (
            message_of(|| MarginBatch::new(rows(3, 2), rows(3, 2), vec![], numbers(3))),
            "MarginBatch: `negatives` must hold at least one column, got none",
        ),
        (
            message_of(|| MarginBatch::new(rows(3, 2), rows(3, 2), vec![rows(3, 2)], rows(3, 3))),
            "MarginBatch: `targets` must have shape [3, 1] (margins) or [3, 2] (scores), got [3, 3]",
        ),
        (
            message_of(|| DistillationBatch::new(vec![rows(3, 2)], rows(1, 2))),
            "DistillationBatch: `targets` must have shape [3, 2], got [1, 2]",
        ),
        (
            message_of(|| ClassifiedPairBatch::new(rows(3, 2), rows(3, 2), classes(&[0]))),
            "ClassifiedPairBatch: `targets` must have shape [3], got [1]",
        ),
        (
            message_of(|| DenoisingBatch::new(rows(3, 2), tokens([[1, 2], [1, 2]]))),
            "DenoisingBatch: `tokens` must have 3 rows and at least two columns, got [2, 2]",
        ),
        (
            message_of(|| DenoisingBatch::new(rows(2, 2), tokens([[1], [2]]))),
            "DenoisingBatch: `tokens` must have 2 rows and at least two columns, got [2, 1]",
        ),
    ];
    for (got, expected) in cases {
        assert_eq!(got, expected);
    }
}

#[test]
fn another_type_names_the_field_and_the_one_it_should_be_like() {
    let wide = |n| Tensor::<2>::ones([n, 2], (&Device::flex(), DType::F64));
    let pair = |column: fn(usize) -> Tensor<2>| PairBatch::new(column(3), column(3), numbers(3));
    let (narrow_rows, wide_rows) = (|n| rows(n, 2), |n| rows(n, 2).cast(DType::F64));
    let latents = || RetrievalBatch::from((rows(3, 2), rows(3, 2)));
    let cases: [(String, &str); 9] = [
        (
            message_of(|| LayeredBatch::new(vec![pair(wide_rows), pair(narrow_rows)])),
            "LayeredBatch: `layers[0]` must hold F32 [3, 2], F32 [3, 2] as the final layer does, got F64 [3, 2], \
             F64 [3, 2]",
        ),
        (
            message_of(|| CsrBatch::new(latents(), vec![reconstruction(wide(3))])),
            "CsrBatch: `reconstructions` must have the type F32 of `latents`, got F64",
        ),
        (
            message_of(|| GuidedBatch::new(latents(), vec![rows(3, 4), wide(3).repeat_dim(1, 2)])),
            "GuidedBatch: `guide[1]` must have the type F32 of `guide[0]`, got F64",
        ),
        (
            message_of(|| PairBatch::new(rows(3, 2), wide(3), numbers(3))),
            "PairBatch: `right` must have the type F32 of `left`, got F64",
        ),
        (
            message_of(|| TripletBatch::new(wide(3), wide(3), rows(3, 2).cast(DType::F16))),
            "TripletBatch: `negative` must have the type F64 of `anchor`, got F32",
        ),
        (
            message_of(|| RetrievalBatch::new(rows(3, 2), rows(3, 2), vec![rows(3, 2), wide(3)])),
            "RetrievalBatch: `negatives[1]` must have the type F32 of `anchor`, got F64",
        ),
        (
            message_of(|| MarginBatch::new(rows(3, 2), wide(3), vec![rows(3, 2)], numbers(3))),
            "MarginBatch: `positive` must have the type F32 of `query`, got F64",
        ),
        (
            message_of(|| DistillationBatch::new(vec![rows(3, 2), wide(3)], rows(3, 2))),
            "DistillationBatch: `columns[1]` must have the type F32 of `columns[0]`, got F64",
        ),
        (
            message_of(|| ClassifiedPairBatch::new(rows(1, 2), wide(1), classes(&[0]))),
            "ClassifiedPairBatch: `right` must have the type F32 of `left`, got F64",
        ),
    ];
    for (got, expected) in cases {
        assert_eq!(got, expected);
    }
    // Half precision is widened before types are compared.
    let half = || rows(3, 2).cast(DType::BF16);
    PairBatch::new(rows(3, 2), half(), numbers(3));
    GuidedBatch::new(latents(), vec![half(), rows(3, 2)]);
    CsrBatch::new(latents(), vec![reconstruction(half()), reconstruction(rows(3, 2))]);
}

#[test]
fn masks_and_weights_belong_to_rows_and_negatives() {
    let batch = |k| RetrievalBatch::new(rows(3, 2), rows(3, 2), vec![rows(3, 2); k]);
    let mask = |n, k| Tensor::<2>::ones([n, k], &Device::flex()).bool();
    let cases: [(String, &str); 3] = [
        (
            message_of(|| batch(0).with_negative_mask(mask(3, 1))),
            "RetrievalBatch: `negative_mask` must mask hard negatives, got a batch without",
        ),
        (
            message_of(|| batch(2).with_negative_mask(mask(3, 1))),
            "RetrievalBatch: `negative_mask` must have shape [3, 2], got [3, 1]",
        ),
        (
            message_of(|| batch(0).with_weights(numbers(2))),
            "RetrievalBatch: `weights` must have shape [3], got [2]",
        ),
    ];
    for (got, expected) in cases {
        assert_eq!(got, expected);
    }
    let weights = |weights: [f32; 3]| Tensor::<1>::from_floats(weights, &Device::flex());
    assert!(batch(0).with_weights(weights([0.0, 2.0, 1.0])).check().is_ok());
    let message = |batch: RetrievalBatch| batch.check().unwrap_err().to_string();
    let negative = batch(0).with_weights(weights([0.0, 2.0, -1.0]));
    assert_eq!(message(negative), "RetrievalBatch: `weights` must be 0 or more, row 2 is not");
    let infinite = batch(0).with_weights(weights([0.0, f32::INFINITY, 1.0]));
    assert_eq!(message(infinite), "RetrievalBatch: `weights` must be finite, row 1 is not");
}

#[test]
fn a_batch_without_rows_or_columns_is_refused() {
    for (n, dim) in [(0, 2), (2, 0)] {
        let got = message_of(|| PairBatch::new(rows(n, dim), rows(n, dim), numbers(n)));
        let expected = "`left` must have at least one row and one column, got";
        assert!(got.contains(expected), "{got}");
    }
}

#[test]
fn check_finds_the_row_that_is_wrong() {
    let mut broken = rows(3, 2);
    broken = broken.slice_fill([1..2, 0..1], f32::NAN);
    let batch = TripletBatch::new(rows(3, 2), rows(3, 2), broken);
    let message = batch.check().unwrap_err().to_string();
    assert_eq!(message, "TripletBatch: `negative` must be finite, row 1 is not");

    let labels = Tensor::<1>::from_floats([1.0, 0.0, 0.5], &Device::flex());
    let batch = PairBatch::new(rows(3, 2), rows(3, 2), labels);
    assert!(batch.check().is_ok());
    let message = batch.check_binary().unwrap_err().to_string();
    assert_eq!(message, "PairBatch: `labels` must be 0 or 1, row 2 is not");

    let labels = Tensor::<1>::from_floats([1.0, -1.0, 5.0], &Device::flex());
    let batch = PairBatch::new(rows(3, 2), rows(3, 2), labels);
    let message = batch.check_scores(0.0..=1.0).unwrap_err().to_string();
    assert_eq!(message, "PairBatch: `labels` must be in 0..=1, row 1 is not");
    assert!(batch.check_scores(-1.0..=5.0).is_ok());

    let batch = ClassifiedPairBatch::new(rows(3, 2), rows(3, 2), classes(&[1, -100, 2]));
    assert!(batch.check(3).is_ok());
    assert!(batch.check(2).unwrap_err().to_string().contains("row 2 is not"));

    let batch = DenoisingBatch::new(rows(2, 2), tokens([[1, 2], [3, 0]]));
    assert!(batch.check(4).is_ok());
    let message = batch.check(3).unwrap_err().to_string();
    assert_eq!(message, "DenoisingBatch: `tokens` must be in 0..3, row 1 is not");
    let batch = DenoisingBatch::new(rows(1, 2), tokens([[1, -1]]));
    assert!(batch.check(4).is_err());
}

#[test]
fn half_precision_is_widened_on_entry() {
    let half = rows(2, 3).cast(DType::F16);
    let batch = PairBatch::new(half.clone(), half, numbers(2));
    assert_eq!((batch.left.dtype(), batch.right.dtype()), (DType::F32, DType::F32));
}

#[test]
fn scores_of_a_teacher_become_margins() {
    let scores = Tensor::<2>::from_floats([[3.0, 1.0, 2.5]], &Device::flex());
    let batch = MarginBatch::new(rows(1, 2), rows(1, 2), vec![rows(1, 2); 2], scores);
    let margins: Vec<f32> = batch.margins.try_into_vec_as().unwrap();
    assert_eq!(margins, [2.0, 0.5]);
}

#[test]
fn labels_and_targets_carry_no_gradient() {
    let device = Device::flex().autodiff();
    let tracked = Tensor::<1>::zeros([2], &device).require_grad();
    let wide = Tensor::<2>::zeros([2, 1], &device).require_grad();
    let pair = PairBatch::new(rows(2, 3), rows(2, 3), tracked);
    assert!(!pair.labels.is_tracked());
    let margin = MarginBatch::new(rows(2, 3), rows(2, 3), vec![rows(2, 3)], wide.clone());
    assert!(!margin.margins.is_tracked());
    let teacher = DistillationBatch::new(vec![rows(2, 3)], wide.clone());
    assert!(!teacher.targets[0].is_tracked());
    let classes = ClassifiedPairBatch::new(rows(2, 3), rows(2, 3), wide);
    let ClassTargets::Probabilities(p) = classes.targets else { unreachable!() };
    assert!(!p.is_tracked());
}
