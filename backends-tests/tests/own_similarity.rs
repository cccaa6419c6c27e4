//! A similarity of one's own with a trained parameter, in blocks: the numbers of the formula written out, on every
//! backend.

use backends_tests::fault::Faults;
use backends_tests::subject::numbers;
use burn::prelude::*;
use burn::tensor::DType;
use burn::tensor::activation::log_softmax;
use burn_embedding_losses::MultipleNegativesRankingLossConfig;
use burn_embedding_losses::batch::{ColumnMapper, Columns, Role};
use burn_embedding_losses::scores::PairwiseSimilarity;

const SCALE: f64 = 1.5;

/// `s(q, d) = qᵀ W d`.
#[derive(Clone)]
struct Bilinear {
    weight: Tensor<2>,
}

impl Columns for Bilinear {
    fn map_columns<M: ColumnMapper>(self, mapper: &mut M) -> Self {
        Self { weight: mapper.map(Role::Other, "weight", self.weight) }
    }
}

impl PairwiseSimilarity for Bilinear {
    fn scores(&self, queries: Tensor<2>, documents: Tensor<2>) -> Tensor<2> {
        queries.matmul(self.weight.clone()).matmul(documents.transpose())
    }
}

/// Queries, documents and the weight.
fn leaves(device: &Device) -> [Tensor<2>; 3] {
    let row = |numbers: &[f32]| Tensor::<1>::from_floats(numbers, device).reshape([-1, 2]);
    [
        row(&[1.0, 0.0, 0.0, 1.0, 0.6, 0.8, -0.3, 0.7]),
        row(&[0.8, 0.6, 0.6, 0.8, 0.0, 1.0, -0.9, 0.2]),
        row(&[1.0, 0.5, -0.4, 0.9]),
    ]
    .map(Tensor::require_grad)
}

/// The value and all gradients.
fn all(leaves: &[Tensor<2>; 3], loss: Tensor<1>) -> Vec<f64> {
    let gradients = loss.backward();
    let mut all = numbers(loss);
    for leaf in leaves {
        all.extend(numbers(leaf.grad(&gradients).expect("a gradient")));
    }
    all
}

/// The mean of `−ln softmax` at the own document.
fn written_out([queries, documents, weight]: [Tensor<2>; 3]) -> Tensor<1> {
    let logits = queries.matmul(weight).matmul(documents.transpose()).mul_scalar(SCALE);
    let [n, _] = logits.dims();
    let own = Tensor::<2>::eye(n, &logits.device());
    (log_softmax(logits, 1) * own).sum().mul_scalar(-1.0 / n as f64)
}

#[test]
fn a_learned_bilinear_form_is_trained_in_blocks() {
    for (name, device, _) in Faults::by_backend(DType::F32) {
        let device = device.autodiff();
        let inputs = leaves(&device);
        let expected = all(&inputs, written_out(inputs.clone()));
        // Enough for all anchors, and for one at a time.
        for budget in [None, Some(400)] {
            let config = MultipleNegativesRankingLossConfig::new().with_scale(SCALE);
            let loss = config.with_memory_budget(budget).init();
            let inputs = leaves(&device);
            let [queries, documents, weight] = inputs.clone();
            let value = loss.forward_with(&Bilinear { weight }, (queries, documents));
            let got = all(&inputs, value);
            let close = got.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5);
            assert!(close, "{name}, {budget:?}: {got:?}, not {expected:?}");
        }
    }
}
