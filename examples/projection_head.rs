//! Trains a small projection head on frozen features, with a loss that mines its own triplets.
//!
//! ```sh
//! cargo run --release --example projection_head
//! ```
//!
//! The features are points of four classes that differ in a few coordinates and are drowned in
//! noise in the others. The head learns to look at the right coordinates: the share of points whose
//! nearest neighbour is of their class rises.

use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::prelude::*;
use burn::tensor::Distribution;
use burn_embedding_losses::prelude::*;
use burn_embedding_losses::select::{LabelMasks, closest};

const CLASSES: i64 = 4;
const FEATURES: usize = 32;

fn main() {
    // Any other backend that is compiled in would do.
    let device = Device::flex().autodiff();
    device.seed(7);
    let mut head: Linear = LinearConfig::new(FEATURES, 8).with_bias(false).init(&device);
    let mut optimizer = AdamWConfig::new().init();
    let loss = BatchSemiHardTripletLossConfig::new()
        .with_distance(Distance::Cosine)
        .with_margin(0.3)
        .with_anchors(Anchors::Valid)
        .init();

    let (unseen, unseen_labels) = batch(128, &device.clone().inner());
    let accuracy = |head: &Linear| {
        nearest_neighbour_accuracy(head.clone().valid().forward(unseen.clone()), &unseen_labels)
    };
    println!("before: {:.3}", accuracy(&head));
    for step in 1..=100 {
        let (features, labels) = batch(64, &device);
        let value = loss.forward((head.forward(features), labels));
        let gradients = GradientsParams::from_grads(value.backward(), &head);
        head = optimizer.step(0.01, head, gradients);
        if step % 25 == 0 {
            println!("step {step}: loss {:.4}", value.into_scalar::<f32>());
        }
    }
    println!("after: {:.3}", accuracy(&head));
}

/// Row i is of class i modulo [`CLASSES`]: 1 in its own coordinate, noise everywhere.
fn batch(rows: usize, device: &Device) -> (Tensor<2>, Tensor<1, Int>) {
    let labels = Tensor::<1, Int>::arange(0..rows as i64, device).remainder_scalar(CLASSES);
    let signal = labels.clone().one_hot::<2>(FEATURES).float();
    let noise = Tensor::random([rows, FEATURES], Distribution::Normal(0.0, 0.35), device);
    (signal + noise, labels)
}

fn nearest_neighbour_accuracy(embeddings: Tensor<2>, labels: &Tensor<1, Int>) -> f32 {
    let masks = LabelMasks::new(labels.clone());
    let other_rows = masks.positive.clone().bool_or(masks.negative);
    let nearest =
        closest(Distance::Cosine.pairwise(embeddings.clone(), embeddings), other_rows).index();
    let hits = labels.clone().select(0, nearest).equal(labels.clone());
    hits.float().mean().into_scalar()
}
