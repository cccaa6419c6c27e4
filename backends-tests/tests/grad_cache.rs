//! A step in mini-batches has the gradients of a step with one graph, with dropout, on every backend.
//!
//! One test only: random numbers belong to the whole process.

mod two_layers;

use burn::prelude::*;
use burn_embedding_losses::batch::RetrievalBatch;
use burn_embedding_losses::{
    GradCache, MatryoshkaLossConfig, MegaBatchMarginLossConfig, MultipleNegativesRankingLossConfig,
};
use two_layers::{Encoder, Loss, ROWS, assert_equal, of_halves, sum};

const SEED: u64 = 11;

#[test]
fn gradients_are_those_of_one_graph() {
    let ranking = of_halves(MultipleNegativesRankingLossConfig::new().init());
    let margin = of_halves(MegaBatchMarginLossConfig::new().init());
    let around = MatryoshkaLossConfig::new(vec![5, 2]);
    let around = around.init(MultipleNegativesRankingLossConfig::new().init());
    let shortened = move |rows: Tensor<2>| {
        let [left, right] = rows.chunk(2, 0).try_into().expect("an even batch");
        around.forward(RetrievalBatch::from((left, right)))
    };
    for (name, device) in named_device::compiled_in() {
        let device = device.autodiff();
        let encoder = Encoder::new(&device, 0.4);
        for loss in [&ranking as Loss, &margin, &shortened] {
            for size in [1, 3, 7, 13, 14, 100] {
                let cache = GradCache::new(size);
                let parts: Vec<_> = cache.mini_batches(ROWS).collect();
                let expected =
                    encoder.plain(&parts, |index| device.seed(SEED + index as u64), loss);
                let embed = |encoder: &Encoder, rows| encoder.embed(rows);
                let step = cache.seeded(SEED).step(&encoder, ROWS, embed, loss);
                let sums = sum(step.gradients.map(|part| encoder.gradients(&part)));
                let got = (step.loss.into_scalar(), sums);
                assert_equal(got, expected, &format!("{name}, {size} rows"));
            }
        }
        device.sync().expect("the device works");
    }
}
