//! A step in mini-batches has the gradients of a step with one graph, with dropout, on every backend.
//!
//! One test only: random numbers belong to the whole process.

use std::ops::Range;

use burn::module::Param;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::Gradients;
use burn_embedding_losses::{
    Criterion, GradCache, MegaBatchMarginLossConfig, MultipleNegativesRankingLossConfig,
};

const ROWS: usize = 14;
const SEED: u64 = 11;

#[derive(Module, Debug)]
struct Encoder {
    first: Linear,
    dropout: Dropout,
    second: Linear,
}

/// A loss, and the gradients of both layers.
type Outcome = (f32, [Vec<f32>; 2]);

/// A loss of all embeddings.
type Loss<'a> = &'a dyn Fn(Tensor<2>) -> Tensor<1>;

impl Encoder {
    fn new(device: &Device) -> Self {
        device.seed(3);
        let first = LinearConfig::new(6, 8).init(device);
        let second = LinearConfig::new(8, 5).init(device);
        // Drawn when they are first looked at: not within the one graph.
        for layer in [&first, &second] {
            layer.weight.val();
            layer.bias.as_ref().map(Param::val);
        }
        Self { first, dropout: DropoutConfig::new(0.4).init(), second }
    }

    fn embed(&self, rows: Range<usize>) -> Tensor<2> {
        let device = &self.first.weight.device();
        let numbers = Tensor::<1, Int>::arange(0..6 * ROWS as i64, device).float();
        let texts = (numbers * 0.7).sin().reshape([ROWS, 6]);
        let hidden = self.first.forward(texts.slice([rows])).tanh();
        self.second.forward(self.dropout.forward(hidden))
    }

    fn gradients(&self, all: &Gradients) -> [Vec<f32>; 2] {
        [&self.first, &self.second].map(|layer| {
            let gradient = layer.weight.val().grad(all);
            gradient.map_or(vec![], |gradient| gradient.into_data().iter::<f32>().collect())
        })
    }

    /// A step with one graph that embeds the same mini-batches.
    fn plain(&self, device: &Device, cache: GradCache, loss: Loss) -> Outcome {
        let embed = |(index, rows)| {
            device.seed(SEED + index as u64);
            self.embed(rows)
        };
        let embeddings = cache.mini_batches(ROWS).enumerate().map(embed).collect();
        let value = loss(Tensor::cat(embeddings, 0));
        let gradients = self.gradients(&value.backward());
        (value.into_scalar(), gradients)
    }

    fn cached(&self, cache: GradCache, loss: Loss) -> Outcome {
        let embed = |encoder: &Self, rows| encoder.embed(rows);
        let step = cache.seeded(SEED).step(self, ROWS, embed, loss);
        let mut sums: [Vec<f32>; 2] = Default::default();
        for part in step.gradients {
            for (sum, part) in sums.iter_mut().zip(self.gradients(&part)) {
                sum.resize(part.len().max(sum.len()), 0.0);
                sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            }
        }
        (step.loss.into_scalar(), sums)
    }
}

fn of_halves(loss: impl Criterion<(Tensor<2>, Tensor<2>)>) -> impl Fn(Tensor<2>) -> Tensor<1> {
    move |embeddings| {
        let [left, right] = embeddings.chunk(2, 0).try_into().expect("an even batch");
        loss.loss((left, right))
    }
}

#[test]
fn gradients_are_those_of_one_graph() {
    let ranking = of_halves(MultipleNegativesRankingLossConfig::new().init());
    let margin = of_halves(MegaBatchMarginLossConfig::new().init());
    for (name, device) in named_device::compiled_in() {
        let device = device.autodiff();
        let encoder = Encoder::new(&device);
        for loss in [&ranking as Loss, &margin] {
            for size in [1, 3, 7, 13, 14, 100] {
                let cache = GradCache::new(size);
                let (expected, of_graph) = encoder.plain(&device, cache, loss);
                let (value, sums) = encoder.cached(cache, loss);
                assert!((value - expected).abs() < 1e-5, "{name}: {value} is not {expected}");
                assert!(of_graph.concat().iter().any(|g| g.abs() > 1e-3), "nothing to compare");
                for (got, expected) in sums.concat().iter().zip(of_graph.concat()) {
                    let near = (got - expected).abs() < 1e-5;
                    assert!(near, "{name}, {size} rows: {got} is not {expected}");
                }
            }
        }
        device.sync().expect("the device works");
    }
}
