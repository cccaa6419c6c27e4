//! Hard negatives that a mask leaves out are no candidates, and rows count by their weights: against
//! sums written out on the host, on every backend.

use backends_tests::fault::Faults;
use backends_tests::subject::numbers;
use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::batch::RetrievalBatch;
use burn_embedding_losses::{
    DeadBatch, MegaBatchMarginLossConfig, MultipleNegativesRankingLossConfig,
};

/// Unit rows: anchors, positives and two columns of hard negatives.
const ROWS: [[[f32; 2]; 3]; 4] = [
    [[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]],
    [[0.8, 0.6], [0.6, 0.8], [0.0, 1.0]],
    [[0.0, -1.0], [-1.0, 0.0], [0.8, -0.6]],
    [[-0.6, 0.8], [1.0, 0.0], [-0.8, -0.6]],
];
const EXISTS: [[bool; 2]; 3] = [[true, false], [false, false], [true, true]];
const WEIGHTS: [f32; 3] = [1.0, 0.0, 2.5];

fn dot([a, b]: [f32; 2], [c, d]: [f32; 2]) -> f64 {
    f64::from(a * c + b * d)
}

/// The term of row `i`: `ln Σ exp(s) − s(positive)` over the documents that exist.
fn term(i: usize) -> f64 {
    let [anchors, positives, negatives @ ..] = ROWS;
    let mut documents = positives.to_vec();
    for (column, negatives) in negatives.iter().enumerate() {
        let existing = negatives.iter().zip(EXISTS).filter(|(_, exists)| exists[column]);
        documents.extend(existing.map(|(negative, _)| *negative));
    }
    let sum: f64 = documents.iter().map(|&document| dot(anchors[i], document).exp()).sum();
    sum.ln() - dot(anchors[i], positives[i])
}

fn on_all(test: impl Fn(&Device, [Tensor<2>; 4], &str)) {
    for (name, device, _) in Faults::by_backend(DType::F32) {
        let device = device.autodiff();
        let leaf = |rows| Tensor::<2>::from_floats(rows, &device).require_grad();
        test(&device, ROWS.map(leaf), name);
    }
}

fn masked([anchor, positive, first, second]: [Tensor<2>; 4], device: &Device) -> RetrievalBatch {
    RetrievalBatch::new(anchor, positive, vec![first, second])
        .with_negative_mask(Tensor::from_bool(EXISTS, device))
}

fn assert_close(name: &str, got: &[f64], expected: &[f64]) {
    assert_eq!(got.len(), expected.len(), "{name}");
    let close = got.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-5);
    assert!(close, "{name}: {got:?}, not {expected:?}");
}

#[test]
fn a_negative_that_is_left_out_is_no_candidate_of_any_row() {
    let loss = MultipleNegativesRankingLossConfig::new().with_scale(1.0).init();
    on_all(|device, leaves, name| {
        let batch = || masked(leaves.clone(), device);
        let terms: Vec<_> = (0..3).map(term).collect();
        assert_close(name, &numbers(loss.forward_no_reduction(batch())), &terms);
        let value = loss.forward(batch());
        let gradients = value.backward();
        assert_close(name, &numbers(value), &[terms.iter().sum::<f64>() / 3.0]);
        // Rows 0 and 1 of the second column, and row 1 of the first, have no influence.
        let second = numbers(leaves[3].grad(&gradients).expect("tracked"));
        let first = numbers(leaves[2].grad(&gradients).expect("tracked"));
        assert_close(name, &[&second[..4], &first[2..4]].concat(), &[0.0; 6]);
        assert!(first[..2].iter().chain(&second[4..]).any(|slope| slope.abs() > 1e-3), "{name}");
    });
}

#[test]
fn rows_count_by_their_weights() {
    let loss = MultipleNegativesRankingLossConfig::new().with_scale(1.0).init();
    on_all(|device, leaves, name| {
        let weights = Tensor::<1>::from_floats(WEIGHTS, device);
        let batch = || masked(leaves.clone(), device).with_weights(weights.clone());
        let weighted: Vec<_> =
            WEIGHTS.iter().enumerate().map(|(i, &weight)| term(i) * f64::from(weight)).collect();
        let mean =
            weighted.iter().sum::<f64>() / WEIGHTS.iter().map(|&w| f64::from(w)).sum::<f64>();
        let value = loss.forward(batch());
        let gradients = value.backward();
        assert_close(name, &numbers(value), &[mean]);
        let of_anchors = numbers(leaves[0].grad(&gradients).expect("tracked"));
        assert_close(name, &of_anchors[2..4], &[0.0; 2]);

        let margin = MegaBatchMarginLossConfig::new().init();
        let pair = || RetrievalBatch::from((leaves[0].clone(), leaves[1].clone()));
        let terms = numbers(margin.forward_no_reduction(pair()));
        let sum: f64 = terms.iter().zip(WEIGHTS).map(|(term, w)| term * f64::from(w)).sum();
        let got = numbers(margin.forward(pair().with_weights(weights.clone())));
        assert_close(name, &got, &[sum / 3.5]);
    });
}

#[test]
fn missing_negatives_are_diagnosed() {
    let loss = MultipleNegativesRankingLossConfig::new().init();
    on_all(|device, leaves, name| {
        let seen = loss.diagnose(masked(leaves.clone(), device));
        assert_eq!((seen.missing_negatives, seen.valid_anchors), (Some(3), Some(3)), "{name}");
        let one = |column: &Tensor<2>| column.clone().narrow(0, 1, 1);
        let none = Tensor::<2, Bool>::from_bool([[false]], device);
        let alone = RetrievalBatch::from((one(&leaves[0]), one(&leaves[1]), one(&leaves[2])));
        let seen = loss.diagnose(alone.with_negative_mask(none));
        assert_eq!(seen.dead(), Some(DeadBatch::SingleRow), "{name}");
    });
}
