//! A small encoder, and its gradients from one graph.

use std::ops::Range;

use burn::module::Param;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::Gradients;
use burn_embedding_losses::Criterion;

/// The rows of its batch.
pub const ROWS: usize = 14;

/// Two layers with dropout between them.
#[derive(Module, Debug)]
pub struct Encoder {
    first: Linear,
    dropout: Dropout,
    second: Linear,
}

/// A loss, and the gradients of both layers.
pub type Outcome = (f32, [Vec<f32>; 2]);

/// A loss of all embeddings.
pub type Loss<'a> = &'a dyn Fn(Tensor<2>) -> Tensor<1>;

impl Encoder {
    /// The same parameters on every device of a backend.
    pub fn new(device: &Device, dropout: f64) -> Self {
        device.seed(3);
        let first = LinearConfig::new(6, 8).init(device);
        let second = LinearConfig::new(8, 5).init(device);
        // Drawn when they are first looked at: not within the one graph.
        for layer in [&first, &second] {
            layer.weight.val();
            layer.bias.as_ref().map(Param::val);
        }
        Self { first, dropout: DropoutConfig::new(dropout).init(), second }
    }

    /// Embeddings of rows of the batch.
    pub fn embed(&self, rows: Range<usize>) -> Tensor<2> {
        let device = &self.first.weight.device();
        let numbers = Tensor::<1, Int>::arange(0..6 * ROWS as i64, device).float();
        let texts = (numbers * 0.7).sin().reshape([ROWS, 6]);
        let hidden = self.first.forward(texts.slice([rows])).tanh();
        self.second.forward(self.dropout.forward(hidden))
    }

    /// The gradients of the weights; nothing for a layer without one.
    pub fn gradients(&self, all: &Gradients) -> [Vec<f32>; 2] {
        [&self.first, &self.second].map(|layer| {
            let gradient = layer.weight.val().grad(all);
            gradient.map_or(vec![], |gradient| gradient.into_data().iter::<f32>().collect())
        })
    }

    /// A step with one graph that embeds the same parts; `before` is called before each.
    pub fn plain(&self, parts: &[Range<usize>], before: impl Fn(usize), loss: Loss) -> Outcome {
        let embed = |(index, rows): (usize, &Range<usize>)| {
            before(index);
            self.embed(rows.clone())
        };
        let embeddings = parts.iter().enumerate().map(embed).collect();
        let value = loss(Tensor::cat(embeddings, 0));
        let gradients = self.gradients(&value.backward());
        (value.into_scalar(), gradients)
    }
}

/// The sum of the gradients of all parts.
pub fn sum(parts: impl Iterator<Item = [Vec<f32>; 2]>) -> [Vec<f32>; 2] {
    let mut sums: [Vec<f32>; 2] = Default::default();
    for part in parts {
        for (sum, part) in sums.iter_mut().zip(part) {
            sum.resize(part.len().max(sum.len()), 0.0);
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
    }
    sums
}

/// A loss of pairs, of the first half of the rows with the second.
pub fn of_halves(loss: impl Criterion<(Tensor<2>, Tensor<2>)>) -> impl Fn(Tensor<2>) -> Tensor<1> {
    move |embeddings| {
        let [left, right] = embeddings.chunk(2, 0).try_into().expect("an even batch");
        loss.loss((left, right))
    }
}

/// Panics unless both are equal but for rounding, and have a gradient.
pub fn assert_equal((value, sums): Outcome, (expected, of_graph): Outcome, place: &str) {
    assert!((value - expected).abs() < 1e-5, "{place}: {value} is not {expected}");
    assert!(of_graph.concat().iter().any(|g| g.abs() > 1e-3), "nothing to compare");
    for (got, expected) in sums.concat().iter().zip(of_graph.concat()) {
        assert!((got - expected).abs() < 1e-5, "{place}: {got} is not {expected}");
    }
}
