//! A row far from all others does not blur the distances between those: losses over labels against
//! sums written out on the host, on every backend.

use backends_tests::fault::Faults;
use backends_tests::subject::numbers;
use burn::prelude::*;
use burn::tensor::DType;
use burn_embedding_losses::batch::LabeledBatch;
use burn_embedding_losses::{BatchAllTripletLossConfig, BatchSemiHardTripletLossConfig};

const LABELS: [i64; 5] = [0, 0, 1, 1, 0];
const MARGIN: f64 = 5.0;

/// Rows that are close together, and one `far` away.
fn rows(far: f64) -> [[f64; 2]; 5] {
    [[0.0, 0.0], [0.01, 0.0], [0.022, 0.0], [far, 0.0], [0.0, 0.035]]
}

/// The loss of each anchor and positive, by the distances from the anchor.
type Terms = fn(positive: f64, negatives: &[f64]) -> Vec<f64>;

fn all(positive: f64, negatives: &[f64]) -> Vec<f64> {
    let terms = negatives.iter().map(|negative| positive - negative + MARGIN);
    terms.filter(|term| *term > 0.0).collect()
}

fn semi_hard(positive: f64, negatives: &[f64]) -> Vec<f64> {
    let farther = negatives.iter().copied().filter(|d| *d > positive).reduce(f64::min);
    let negative = farther.or(negatives.iter().copied().reduce(f64::max)).expect("a negative");
    vec![(positive - negative + MARGIN).max(0.0)]
}

fn expected(rows: &[[f64; 2]; 5], terms: Terms) -> f64 {
    let d = |i: usize, j: usize| (rows[i][0] - rows[j][0]).hypot(rows[i][1] - rows[j][1]);
    let mut found = Vec::new();
    for (anchor, label) in LABELS.iter().enumerate() {
        let other = |j: &usize| LABELS[*j] != *label;
        let negatives: Vec<_> = (0..rows.len()).filter(other).map(|j| d(anchor, j)).collect();
        for positive in (0..rows.len()).filter(|j| *j != anchor && !other(j)) {
            found.extend(terms(d(anchor, positive), &negatives));
        }
    }
    found.iter().sum::<f64>() / found.len() as f64
}

/// The losses of batch-all and semi-hard triplets.
fn losses(rows: [[f64; 2]; 5], device: &Device, dtype: DType) -> [f64; 2] {
    let batch = || {
        let rows = Tensor::<2>::from_data(rows, (device, dtype));
        LabeledBatch::new(rows, Tensor::from_ints(LABELS, device))
    };
    let all = BatchAllTripletLossConfig::new().with_margin(MARGIN).init();
    let semi_hard = BatchSemiHardTripletLossConfig::new().with_margin(MARGIN).init();
    [all.forward(batch()), semi_hard.forward(batch())].map(|loss| numbers(loss)[0])
}

#[test]
fn a_far_row_does_not_blur_the_distances_of_close_ones() {
    for dtype in [DType::F64, DType::F32] {
        for (name, device, _) in Faults::by_backend(dtype) {
            for far in [1e3, 1e4, 1e5, 1e6, 1e8] {
                // In the type of the rows, so that only the distances are in question.
                let rows = rows(far).map(|row| row.map(|x| f64::from(x as f32)));
                let found = losses(rows, &device, dtype);
                for (found, terms) in found.into_iter().zip([all as Terms, semi_hard]) {
                    let expected = expected(&rows, terms);
                    let off = (found - expected).abs() / expected;
                    let limit = if dtype == DType::F64 { 1e-12 } else { 1e-6 };
                    assert!(off < limit, "{name}, {far}: {found} is not {expected}");
                }
            }
        }
    }
}
